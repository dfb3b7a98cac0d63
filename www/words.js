// Codes, causes and quantities in words.

const CAUSES = {
  serverForgotClient: "The server no longer knows this client",
  clientAhead: "The server was restored from an older backup",
  clientHistoryBroken: "This client's history does not continue the one that the server has",
  historyDiverged: "The server began another history",
  badChangeset: "A change from the server could not be taken in",
  badClientFile: "The server cannot continue this client's store",
  expired: "This client was away longer than the server keeps history",
  schemaConflict: "The schemas no longer fit together",
};

const PHASES = {
  marked: "mark",
  staging: "stage",
  checking: "check",
  before: "before",
  swapping: "swap",
  tell: "tell",
  after: "after",
  resume: "resume",
  manual: "manual",
};

const PHASE_MEANINGS = {
  marked: "The cause is written down, so that a crash cannot lose it",
  staging: "The server's state is downloaded beside the old one",
  checking: "Checksum and schema of the download are checked",
  before: "clientResetBefore(before) runs",
  swapping: "Memory moves at once; one transaction writes the difference",
  tell: "Each listener gets one change set",
  after: "clientResetAfter(before, after) runs",
  resume: "Until everything is sent and received again",
  manual: "It cannot be done in place: the app has to act",
};

export function causeInWords(cause) {
  return CAUSES[cause] ?? "The server asked for a reset";
}

export function phaseName(phase) {
  return PHASES[phase] ?? phase;
}

export function phaseMeaning(phase) {
  return PHASE_MEANINGS[phase] ?? "";
}

/** Milliseconds as a person reads them. */
export function duration(ms) {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms >= 100) return `${Math.round(ms)} ms`;
  return `${ms.toFixed(1)} ms`;
}

export function bytes(count) {
  if (count < 1000) return `${count} B`;
  if (count < 1_000_000) return `${(count / 1000).toFixed(1)} kB`;
  return `${(count / 1_000_000).toFixed(1)} MB`;
}

export function plural(count, singular, many = `${singular}s`) {
  return `${count} ${count === 1 ? singular : many}`;
}

export function clock(date) {
  return date.toLocaleTimeString([], { hourCycle: "h23", hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

/** A change set as `{insertions, deletions, modifications}` in one line. */
export function changeSetInWords({ insertions, deletions, modifications }) {
  const list = (indexes) => {
    const shown = indexes.slice(0, 8).join(", ");
    return `[${shown}${indexes.length > 8 ? ", …" : ""}]`;
  };
  return `insertions ${list(insertions)}  deletions ${list(deletions)}  modifications ${list(modifications)}`;
}
