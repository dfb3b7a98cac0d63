// Each object of a reset three times: as the client had it, as the server had it, as it is now.
import { byId, make } from "./element.js";
import { FIELDS, fieldInWords } from "./task.js";
import { causeInWords, clock } from "./words.js";

const VERDICTS = {
  same: "unchanged",
  replaced: "server's values taken",
  dropped: "not on the server: dropped",
  added: "came from the server",
};

export class ComparisonView {
  constructor() {
    this.container = byId("comparison");
    this.empty = byId("comparison-empty");
    this.pick = byId("comparison-pick");
    this.select = byId("comparison-select");
    this.records = new Map();
    this.select.addEventListener("change", () => this.render());
  }

  /** Takes a record that has a state to show; a new one is chosen at once. */
  show(record) {
    if (!record.before && !record.after) return;
    const key = String(record.number);
    if (!this.records.has(key)) {
      this.records.set(key, record);
      const words = `${record.client}, ${clock(record.startedAt)}, ${causeInWords(record.cause)}`;
      this.select.prepend(make("option", { value: key }, words));
      this.select.value = key;
      this.empty.hidden = true;
      this.pick.hidden = false;
    }
    if (this.select.value === key) this.render();
  }

  render() {
    const record = this.records.get(this.select.value);
    if (!record) return;
    const rows = record.comparison().sort((one, other) => rank(one) - rank(other));
    const differing = rows.filter(({ verdict }) => verdict !== "same").length;
    const caption = `Client ${record.client}: ${differing} of ${rows.length} tasks differ after the reset.`;
    this.container.replaceChildren(
      make(
        "table",
        { class: "comparison", "data-reset": record.number },
        make(
          "caption",
          {},
          record.serverProblem ? `${caption} The server's view is missing: ${record.serverProblem}` : caption,
        ),
        make(
          "thead",
          {},
          make(
            "tr",
            {},
            ...["Before", "Server", "After", "Outcome"].map((title) => make("th", { scope: "col" }, title)),
          ),
        ),
        make("tbody", {}, ...rows.map(comparisonRow)),
      ),
    );
  }
}

/** What differs comes first. */
function rank({ verdict }) {
  return verdict === "same" ? 1 : 0;
}

function comparisonRow({ before, server, after, verdict }) {
  const cell = (label, content) => make("td", { "data-label": label }, content);
  return make(
    "tr",
    { "data-verdict": verdict },
    cell("Before", stateOf(before, after, "del")),
    cell("Server", stateOf(server, undefined, undefined)),
    cell("After", stateOf(after, before, "ins")),
    make("td", { "data-label": "Outcome" }, make("span", { class: "verdict" }, VERDICTS[verdict])),
  );
}

/** One object; the fields that are different in `other` are marked with the element `mark`. */
function stateOf(task, other, mark) {
  if (!task) return make("span", { class: "nothing" }, "not there");
  const fields = FIELDS.map((field) => {
    const isDifferent = mark !== undefined && task[field] !== other?.[field];
    const words = fieldInWords(field, task[field]);
    return make("span", { class: "field", "data-field": field }, isDifferent ? make(mark, {}, words) : words);
  });
  return make("span", { class: "object" }, ...fields);
}
