// The backups that client resets have left in this browser.
import Realm from "/ebbtide/index.js";
import { actionButton, byId, make, setText } from "./element.js";
import { sameTask } from "./reset-record.js";
import { fieldInWords, tasksOf } from "./task.js";
import { plural } from "./words.js";

export class BackupsView {
  constructor({ journal, clients }) {
    this.journal = journal;
    this.clients = clients;
    this.list = byId("backups");
    this.empty = byId("backups-empty");
    this.count = byId("backups-count");
    this.content = byId("backup-content");
  }

  async refresh() {
    try {
      const backups = await Realm.App.Sync.listBackups();
      this.empty.hidden = backups.length > 0;
      setText(this.count, backups.length > 0 ? plural(backups.length, "backup") : "");
      this.list.replaceChildren(...backups.map((backup) => this.item(backup)));
    } catch (error) {
      this.journal.error("Backups", error);
    }
  }

  item({ path, originalPath, createdAt, message }) {
    const client = this.clientOf(originalPath);
    const name = path.split("/").at(-1);
    const onFailure = (error) => this.journal.error("Backups", error);
    return make(
      "li",
      { class: "backup", "data-path": path },
      make(
        "div",
        {},
        make("p", { class: "backup-name" }, name),
        make("p", { class: "aside" }, [client?.title, createdAt?.toLocaleString(), message].filter(Boolean).join(", ")),
      ),
      make(
        "span",
        { class: "pair" },
        actionButton("Open", () => this.open(path, client), onFailure, { "aria-label": `Open ${name}` }),
        actionButton("Delete", () => this.remove(path), onFailure, { class: "danger", "aria-label": `Delete ${name}` }),
      ),
    );
  }

  clientOf(path) {
    return this.clients.find(({ realm }) => realm?.path === path);
  }

  /** Opens a backup like any other realm, reads it, and closes it. */
  async open(path, client) {
    const backup = await Realm.open({ path, readOnly: true });
    try {
      this.showContent(path, tasksOf(backup), client);
    } finally {
      backup.close();
    }
  }

  showContent(path, tasks, client) {
    const live = client?.realm && !client.realm.isClosed ? tasksOf(client.realm) : new Map();
    const rows = [...tasks].map(([id, task]) => {
      const isThere = live.has(id);
      const fate = !isThere ? "only in the backup" : sameTask(task, live.get(id)) ? "the same now" : "different now";
      return make(
        "tr",
        { "data-fate": isThere ? "live" : "rescued" },
        make("td", { "data-label": "Title" }, fieldInWords("title", task.title)),
        make("td", { "data-label": "Done" }, fieldInWords("done", task.done)),
        make("td", { "data-label": "Points" }, fieldInWords("points", task.points)),
        make("td", { "data-label": "Owner" }, fieldInWords("owner", task.owner)),
        make("td", { "data-label": "In the realm" }, make("span", { class: "verdict" }, fate)),
      );
    });
    const heading = ["Title", "Done", "Points", "Owner", "In the realm"];
    const close = make("button", { type: "button", class: "quiet" }, "Close the backup");
    close.addEventListener("click", () => this.content.replaceChildren());
    this.shownPath = path;
    this.content.replaceChildren(
      make(
        "div",
        { class: "scroller" },
        make(
          "table",
          { class: "comparison", id: "backup-table" },
          make("caption", {}, `${path.split("/").at(-1)}, opened read-only: ${plural(tasks.size, "task")}.`),
          make("thead", {}, make("tr", {}, ...heading.map((title) => make("th", { scope: "col" }, title)))),
          make("tbody", {}, ...rows),
        ),
      ),
      close,
    );
  }

  async remove(path) {
    await Realm.App.Sync.deleteBackup(path);
    this.journal.add("info", "Backups", `deleted ${path.split("/").at(-1)}`);
    if (this.shownPath === path) this.content.replaceChildren();
    await this.refresh();
  }

  async removeAll() {
    for (const { path } of await Realm.App.Sync.listBackups()) await Realm.App.Sync.deleteBackup(path);
    this.content.replaceChildren();
    await this.refresh();
  }
}
