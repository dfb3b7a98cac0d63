// The log: what happened, in words, newest first.
import { make } from "./element.js";
import { clock } from "./words.js";

const LINES_MAX = 200;

export class Journal {
  constructor(list) {
    this.list = list;
  }

  /** `kind` is "info", "change", "reset" or "error"; `who` a client or the server. */
  add(kind, who, text) {
    const line = make(
      "li",
      { "data-kind": kind },
      make("time", {}, clock(new Date())),
      make("span", { class: "who" }, who),
      make("span", { class: "what" }, text),
    );
    this.list.prepend(line);
    while (this.list.children.length > LINES_MAX) this.list.lastElementChild.remove();
  }

  error(who, error) {
    this.add("error", who, error instanceof Error ? error.message : String(error));
  }
}
