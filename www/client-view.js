// What one client shows, and the controls to it.
import { identityOf } from "./client.js";
import { actionButton, make, setText } from "./element.js";
import { bytes, changeSetInWords, plural } from "./words.js";

const MODES = [
  { value: "discardLocal", label: "discardLocal", hint: "take the server's state in place" },
  { value: "manual", label: "manual", hint: "ask the app" },
  { value: "recoverUnsyncedChanges", label: "recover", hint: "not yet", isMissing: true },
];

export class ClientView {
  constructor(client) {
    this.client = client;
    this.rows = new Map();
    this.element = this.build();
    client.addEventListener("change", () => this.render());
    this.render();
  }

  build() {
    const { client } = this;
    const id = (part) => `${part}-${client.name}`;
    this.offline = make("input", { type: "checkbox", role: "switch", id: id("offline") });
    this.offline.addEventListener("change", () => client.setOffline(this.offline.checked));
    this.state = make("p", { class: "state" }, make("span"));
    this.syncLine = make("p", { class: "sync-line", id: id("sync") });
    this.progress = make("progress", { max: "1", value: "0", "aria-label": `${client.title}: download`, hidden: true });
    this.problem = make("div", { class: "problem", role: "alert", hidden: true });
    this.list = make("ul", { class: "tasks", id: id("tasks"), "aria-label": `Tasks of ${client.title}` });
    this.empty = make("p", { class: "empty" });
    const title = make("h2", { id: id("title") }, client.title);
    return make(
      "article",
      { class: "panel client", id: id("client"), "aria-labelledby": id("title") },
      make("div", { class: "panel-head" }, title, this.state),
      make(
        "div",
        { class: "switches" },
        make("label", { class: "switch" }, this.offline, make("span", { class: "switch-track" }), "Offline"),
        this.buildModes(id),
      ),
      this.syncLine,
      this.progress,
      this.problem,
      this.list,
      this.empty,
      this.buildForm(id),
      this.buildFigures(id),
    );
  }

  buildModes(id) {
    const { client } = this;
    const options = MODES.map(({ value, label, hint, isMissing }) => {
      const input = make("input", { type: "radio", name: id("mode"), value, disabled: isMissing });
      input.checked = client.mode === value;
      input.addEventListener("change", () => void client.setMode(value));
      return make("label", { title: hint }, input, make("span", {}, label), isMissing && make("small", {}, hint));
    });
    return make("fieldset", { class: "modes" }, make("legend", {}, "At a reset"), ...options);
  }

  buildForm(id) {
    const { client } = this;
    const input = make("input", { id: id("new"), autocomplete: "off", placeholder: "A new task", maxlength: "200" });
    const form = make(
      "form",
      { class: "add" },
      make("label", { class: "hidden", for: id("new") }, `New task for ${client.title}`),
      input,
      make("button", { type: "submit" }, "Add"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const title = input.value.trim();
      if (!title || !client.realm) return;
      client.add(title);
      input.value = "";
    });
    this.form = form;
    return form;
  }

  buildFigures(id) {
    const figure = (name, label, help) => {
      const value = make("dd", { "data-figure": name, id: id(name) });
      this[name] = value;
      return make("div", { title: help }, make("dt", {}, label), value);
    };
    return make(
      "dl",
      { class: "figures" },
      figure("callsFigure", "Listener calls", "Since the page was loaded; no reset takes it back"),
      figure(
        "identityFigure",
        "JavaScript objects",
        "A number that each object got once: the same object, the same number",
      ),
      figure("changesFigure", "Last change set", "What the list's listener was told last"),
    );
  }

  render() {
    const { client } = this;
    this.offline.checked = client.isOffline;
    this.renderState();
    this.renderProblem();
    this.renderTasks();
    this.renderFigures();
    for (const control of this.form.elements) control.disabled = !isOpen(client);
  }

  renderState() {
    const { client } = this;
    const session = client.session;
    const [kind, words] = stateOf(client, session);
    this.state.dataset.state = kind;
    setText(this.state.firstChild, words);
    setText(this.syncLine, syncLineOf(client, session));
    const { transferred, transferable } = client.download;
    const isLoading = client.isDownloading || (client.reset && client.reset.totalBytes > 0);
    this.progress.hidden = !isLoading;
    if (!isLoading) return;
    const { stagedBytes, totalBytes } = client.reset ?? { stagedBytes: transferred, totalBytes: transferable };
    if (totalBytes > 0) this.progress.value = Math.min(1, stagedBytes / totalBytes);
    else this.progress.removeAttribute("value");
  }

  renderProblem() {
    const { client } = this;
    const { error, words, label, act } = problemOf(client);
    if (this.shownProblem === error) return;
    this.shownProblem = error;
    // The button that has the focus goes away.
    if (this.problem.contains(document.activeElement)) this.offline.focus();
    this.problem.hidden = !error;
    if (!error) {
      this.problem.replaceChildren();
      return;
    }
    this.problem.replaceChildren(
      make("p", {}, make("strong", {}, error.name), ` ${error.message}`),
      make("p", { class: "aside" }, words),
      actionButton(label, act, (failure) => client.journal.error(client.title, failure), { class: "primary" }),
    );
  }

  renderTasks() {
    const { client } = this;
    const tasks = isOpen(client) ? [...client.tasks] : [];
    const touched = client.touched;
    client.touched = [];
    const ids = new Set();
    let position = this.list.firstElementChild;
    for (const task of tasks) {
      const id = task._id.toHexString();
      ids.add(id);
      const row = this.rows.get(id) ?? this.addRow(id);
      row.show(task, identityOf(client.realm));
      if (row.element === position) position = position.nextElementSibling;
      else this.list.insertBefore(row.element, position);
    }
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      if (row.element.contains(document.activeElement)) this.form.querySelector("input").focus();
      row.element.remove();
      this.rows.delete(id);
    }
    for (const id of touched) this.rows.get(id)?.flash();
    this.empty.hidden = tasks.length > 0;
    setText(this.empty, client.isDownloading ? "Downloading…" : client.realm ? "No tasks." : "Not open yet.");
  }

  addRow(id) {
    const row = new TaskRow(this.client);
    this.rows.set(id, row);
    return row;
  }

  renderFigures() {
    const { client } = this;
    const { realm, results, object } = client.calls;
    this.callsFigure.dataset.total = String(client.totalCalls);
    Object.assign(this.callsFigure.dataset, { realm: String(realm), results: String(results), object: String(object) });
    fill(this.callsFigure, [
      make("span", { class: "big" }, String(client.totalCalls)),
      make("span", { class: "aside" }, `realm ${realm}, results ${results}, object ${object}`),
    ]);
    fill(this.identityFigure, this.badges());
    setText(this.changesFigure, client.lastChanges ? changeSetInWords(client.lastChanges) : "none yet");
  }

  badges() {
    const { client } = this;
    if (!client.realm) return [make("span", { class: "aside" }, "none yet")];
    const badge = (name, object, isLive) =>
      make(
        "span",
        { class: "badge", "data-live": isLive ? "yes" : "no", "data-object": name },
        `${name} #${identityOf(object)}`,
        make("small", {}, isLive ? "live" : "invalid"),
      );
    const badges = [
      badge("realm", client.realm, !client.realm.isClosed),
      badge("results", client.tasks, client.tasks.isValid()),
    ];
    if (client.watched) {
      const isLive = client.watched.isValid();
      badges.push(badge("object", client.watched, isLive));
      if (!isLive && isOpen(client) && client.tasks.length > 0) {
        badges.push(
          make("button", { type: "button", class: "quiet small", onclick: () => client.watch() }, "Watch another"),
        );
      }
    }
    return badges;
  }
}

/** One task: edited in place, without losing what is being typed when the task changes elsewhere. */
class TaskRow {
  constructor(client) {
    this.client = client;
    this.done = make("input", { type: "checkbox" });
    this.title = make("input", { class: "title", autocomplete: "off", maxlength: "200", spellcheck: "false" });
    this.points = make("output", { class: "points" });
    this.less = make("button", { type: "button", class: "step" }, "−");
    this.more = make("button", { type: "button", class: "step" }, "+");
    this.owner = make("span", { class: "owner" });
    this.remove = make("button", { type: "button", class: "quiet small" }, "Delete");
    this.element = make(
      "li",
      { class: "task" },
      this.done,
      this.title,
      make("span", { class: "counter" }, this.less, this.points, this.more),
      this.owner,
      this.remove,
    );
    this.done.addEventListener("change", () => client.edit(this.task, { done: this.done.checked }));
    this.less.addEventListener("click", () => client.edit(this.task, { points: Math.max(0, this.task.points - 1) }));
    this.more.addEventListener("click", () => client.edit(this.task, { points: this.task.points + 1 }));
    this.remove.addEventListener("click", () => client.remove(this.task));
    this.title.addEventListener("change", () => this.commitTitle());
    this.title.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.title.blur();
      if (event.key !== "Escape") return;
      this.title.value = this.shownTitle;
      this.title.blur();
    });
  }

  commitTitle() {
    const title = this.title.value.trim();
    if (title && title !== this.task.title) this.client.edit(this.task, { title });
    else this.title.value = this.task.title;
  }

  /** `realmIdentity` tells whether the row's object belongs to a realm that was opened anew. */
  show(task, realmIdentity) {
    if (this.realmIdentity !== realmIdentity || !this.task?.isValid()) this.task = task;
    this.realmIdentity = realmIdentity;
    const { title, done, points, owner } = task;
    const isTyping = document.activeElement === this.title && this.title.value !== this.shownTitle;
    if (!isTyping && this.title.value !== title) this.title.value = title;
    this.shownTitle = title;
    this.done.checked = done;
    setText(this.points, String(points));
    setText(this.owner, owner);
    this.element.dataset.done = done ? "yes" : "no";
    this.element.dataset.title = title;
    this.label(title);
  }

  label(title) {
    if (this.labelled === title) return;
    this.labelled = title;
    this.done.setAttribute("aria-label", `Done: ${title}`);
    this.title.setAttribute("aria-label", `Title: ${title}`);
    this.points.setAttribute("aria-label", `Points of ${title}`);
    this.less.setAttribute("aria-label", `One point less: ${title}`);
    this.more.setAttribute("aria-label", `One point more: ${title}`);
    this.remove.setAttribute("aria-label", `Delete: ${title}`);
  }

  flash() {
    this.element.classList.remove("flash");
    // Reading a measure lets the animation begin anew.
    void this.element.offsetWidth;
    this.element.classList.add("flash");
  }
}

function isOpen(client) {
  return client.realm !== undefined && !client.realm.isClosed;
}

/** What has to be decided, in words, with the button that does it. */
function problemOf(client) {
  if (client.manualError) {
    return {
      error: client.manualError,
      words: "It goes on working here, but sends and receives nothing until it is reset.",
      label: "Copy to a backup and download afresh",
      act: () => client.finishManualReset(),
    };
  }
  if (client.userError) {
    return {
      error: client.userError,
      words: "The server does not know this user: it has lost its data, or is another server. The realm works on here.",
      label: "Begin as a new user",
      act: () => client.startAsNewUser(),
    };
  }
  const words = "The realm is not open.";
  return { error: client.problem, words, label: "Try again", act: () => client.start() };
}

function stateOf(client, session) {
  if (client.manualError) return ["bad", "waits for a manual reset"];
  if (client.reset) return ["busy", "resetting"];
  if (!session) return client.problem ? ["bad", "not open"] : ["busy", "opening"];
  if (client.isOffline) return ["off", "offline"];
  const { connectionState, state } = session;
  if (state !== "active") return ["bad", "session inactive"];
  if (connectionState === "connected") return ["good", "connected"];
  return connectionState === "connecting" ? ["busy", "connecting"] : ["off", "disconnected"];
}

function syncLineOf(client, session) {
  if (!session) return client.isDownloading ? "Downloading the realm" : "No session yet";
  const waiting =
    client.pendingBytes > 0 ? `${bytes(client.pendingBytes)} wait for upload` : "nothing waits for upload";
  const { upload, download } = client;
  const flows = `sent ${bytes(upload.transferred)}, received ${bytes(download.transferred)}`;
  return `Connection ${session.connectionState}, session ${session.state}; ${waiting}; ${flows}; ${plural(client.tasks.length, "task")}`;
}

/** Replaces the children where they look different, so that a focused one stays. */
function fill(element, children) {
  const isSame =
    element.childNodes.length === children.length &&
    children.every((child, index) => child.isEqualNode(element.childNodes[index]));
  if (!isSame) element.replaceChildren(...children);
}
