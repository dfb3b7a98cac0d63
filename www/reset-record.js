// What the page learns of client resets through the callbacks of the configuration, as values to show.

let lastNumber = 0;

/** One reset of one client, from its first sign to the end. Times are milliseconds since that sign. */
export class ResetRecord {
  number = ++lastNumber;
  startedAt = new Date();
  /** "running", "done" or "manual". */
  outcome = "running";
  cause = "";
  code = 0;
  message = "";
  stagedBytes = 0;
  totalBytes = 0;
  report = undefined;
  /** Why it could not be done in place. */
  failure = undefined;
  origin = 0;
  /** In the order of their beginnings: `{ name, from, to }`; `to` is missing while one runs. */
  phases = [];
  /** Calls of listeners between the first sign and the callback after the reset: `{ listener, at }`. */
  calls = [];
  /** The three states of the comparison: maps of tasks by id, as soon as they are known. */
  before = undefined;
  server = undefined;
  serverProblem = undefined;
  after = undefined;

  constructor(client) {
    this.client = client;
  }

  /** Takes one progress report of the package. */
  take(progress) {
    const { phase, cause, code, message, stagedBytes, totalBytes, report } = progress;
    Object.assign(this, { cause, code, message });
    // The last reports come when the staging area is empty again.
    this.stagedBytes = Math.max(this.stagedBytes, stagedBytes ?? 0);
    this.totalBytes = Math.max(this.totalBytes, totalBytes ?? 0);
    if (report) this.report = report;
    if (phase === "done") {
      this.end();
      this.outcome = "done";
    } else {
      this.begin(phase);
    }
    if (phase === "manual") {
      this.end();
      this.outcome = "manual";
    }
  }

  /** Begins a phase and ends the one before; a repeated report of the same phase changes nothing. */
  begin(name) {
    if (this.phases.at(-1)?.name === name) return;
    if (this.phases.length === 0) this.origin = performance.now();
    this.end();
    this.phases.push({ name, from: this.now() });
  }

  end() {
    const current = this.phases.at(-1);
    if (current && current.to === undefined) current.to = this.now();
  }

  /** Notes that a listener was called. */
  call(listener) {
    if (this.outcome === "running") this.calls.push({ listener, at: this.now() });
  }

  get isRunning() {
    return this.outcome === "running";
  }

  /** Whether nothing more will be learned of it. */
  get isSettled() {
    return !this.isRunning && this.phases.at(-1)?.to !== undefined;
  }

  get totalMs() {
    const ends = this.phases.map(({ from, to }) => to ?? from);
    return ends.length > 0 ? Math.max(...ends) : 0;
  }

  /** The phases to draw; telling the listeners happens inside the swap and is a row of its own. */
  rows() {
    const rows = this.phases.map(({ name, from, to }) => ({ name, from, ms: (to ?? this.now()) - from }));
    if (this.calls.length === 0) return rows;
    const from = this.calls[0].at;
    const tell = { name: "tell", from, ms: this.calls.at(-1).at - from, ticks: this.calls.map(({ at }) => at) };
    const swap = rows.findIndex(({ name }) => name === "swapping");
    rows.splice(swap < 0 ? rows.length : swap + 1, 0, tell);
    return rows;
  }

  /** Every object that one of the three states has, with what became of it. */
  comparison() {
    const { before = new Map(), server = new Map(), after = new Map() } = this;
    const ids = new Set([...before.keys(), ...server.keys(), ...after.keys()]);
    return [...ids].map((id) => {
      const row = { id, before: before.get(id), server: server.get(id), after: after.get(id) };
      return { ...row, verdict: verdict(row) };
    });
  }

  now() {
    return performance.now() - this.origin;
  }
}

function verdict({ before, after }) {
  if (before && !after) return "dropped";
  if (!before && after) return "added";
  return sameTask(before, after) ? "same" : "replaced";
}

export function sameTask(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
