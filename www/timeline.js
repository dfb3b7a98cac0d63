// Every reset with its phases as bars.
import { byId, make, setText } from "./element.js";
import { bytes, causeInWords, clock, duration, phaseMeaning, phaseName, plural } from "./words.js";

export class Timeline {
  constructor() {
    this.list = byId("timeline");
    this.empty = byId("timeline-empty");
    this.count = byId("timeline-count");
    this.entries = new Map();
  }

  show(record) {
    let entry = this.entries.get(record);
    if (!entry) {
      for (const other of this.entries.values()) if (other.record.client === record.client) other.element.open = false;
      entry = new Entry(record);
      this.entries.set(record, entry);
      this.list.prepend(make("li", {}, entry.element));
      this.empty.hidden = true;
    }
    entry.render();
    setText(this.count, plural(this.entries.size, "reset"));
  }
}

class Entry {
  constructor(record) {
    this.record = record;
    this.title = make("span", { class: "reset-title" });
    this.total = make("span", { class: "reset-total" });
    this.words = make("p", { class: "aside" });
    this.result = make("p", { class: "reset-result" });
    this.phases = make("ol", { class: "phases" });
    this.element = make(
      "details",
      { class: "reset", open: true, "data-client": record.client },
      make("summary", {}, make("span", { class: "reset-client" }, record.client), this.title, this.total),
      this.words,
      this.phases,
      this.result,
    );
  }

  render() {
    const { record } = this;
    const { element } = this;
    Object.assign(element.dataset, {
      outcome: record.outcome,
      code: String(record.code),
      number: String(record.number),
      settled: record.isSettled ? "yes" : "no",
    });
    setText(this.title, causeInWords(record.cause));
    setText(
      this.total,
      record.isRunning ? "running" : record.outcome === "manual" ? "manual" : duration(record.totalMs),
    );
    setText(this.words, `${clock(record.startedAt)}, code ${record.code}. The server's words: ${record.message}`);
    const rows = record.rows();
    const whole = Math.max(record.totalMs, 0.1);
    this.phases.replaceChildren(...rows.map((row) => phaseRow(row, whole)));
    setText(this.result, resultInWords(record));
  }
}

function phaseRow({ name, from, ms, ticks }, whole) {
  const bar = make("span", { class: "bar" });
  bar.style.left = `${(from / whole) * 100}%`;
  bar.style.width = `${Math.max((ms / whole) * 100, 0.6)}%`;
  const marks = (ticks ?? []).map((at) => {
    const mark = make("span", { class: "tick" });
    mark.style.left = `${(at / whole) * 100}%`;
    return mark;
  });
  return make(
    "li",
    { "data-phase": name, "data-ms": ms.toFixed(3), title: phaseMeaning(name) },
    make("span", { class: "phase-name" }, phaseName(name)),
    make("span", { class: "track", "aria-hidden": "true" }, bar, ...marks),
    make("span", { class: "phase-ms" }, duration(ms)),
  );
}

function resultInWords({ report, calls, totalBytes, outcome, failure }) {
  if (outcome === "manual") return failure ?? "The app has to copy the realm to a backup and to download afresh.";
  if (outcome === "running") return "";
  const told = plural(calls.length, "listener call");
  const size = `${bytes(totalBytes)} downloaded`;
  if (!report) return `${told}, ${size}.`;
  const dropped = plural(report.discardedChangesets ?? 0, "unsynced changeset");
  const tasks = report.classes?.find(({ name }) => name === "Task");
  const objects = tasks
    ? `${tasks.inserted} inserted, ${tasks.deleted} deleted, ${tasks.modified} modified`
    : "no object differs";
  return `${dropped} dropped; ${objects}; ${told}; ${size}.`;
}
