// The server as its operator sees it, and what an operator may do to it.
import * as conductor from "./conductor.js";
import { actionButton, byId, make, setText } from "./element.js";
import { FRAGILE } from "./task.js";
import { bytes, plural } from "./words.js";

const POLL_MS = 1000;

export class ServerPanel extends EventTarget {
  constructor({ serverRealm, journal, hasProxy }) {
    super();
    this.serverRealm = serverRealm;
    this.journal = journal;
    this.state = byId("server-state");
    this.problem = byId("server-problem");
    this.figures = byId("server-figures");
    this.buildActions(byId("server-actions"), hasProxy);
    document.addEventListener("visibilitychange", () => this.poll());
  }

  buildActions(container, hasProxy) {
    const button = (label, act, attributes) =>
      actionButton(
        label,
        async () => {
          await act();
          await this.refresh();
        },
        (error) => {
          this.journal.error("Server", error);
          void this.refresh();
        },
        attributes,
      );
    const group = (title, ...controls) =>
      make("div", { class: "action-group", role: "group", "aria-label": title }, make("h3", {}, title), ...controls);

    this.take = button("Take a backup", () => this.takeBackup(), { class: "primary" });
    this.backups = make("select", { id: "server-backups", "aria-label": "Backup to restore" });
    this.restore = button("Restore it", () => this.restoreBackup());
    this.terminate = button("Terminate sync", () => this.terminateSync());
    this.trim = button("Trim history", () => this.trimHistory());
    this.drop = button(`Drop Task.${FRAGILE.property}`, () => this.breakSchema());
    this.mend = button(`Put Task.${FRAGILE.property} back`, () => this.mendSchema());
    this.kill = button("kill -9", () => this.killServer(), { class: "danger" });
    this.start = button("Start", () => this.startServer());
    this.garbage = button("Garbage to client A", () => this.sendGarbage(), { hidden: !hasProxy });
    container.append(
      group("Backups", this.take, make("span", { class: "pair" }, this.backups, this.restore)),
      group("History", this.terminate, this.trim),
      group("Schema", this.drop, this.mend),
      group("Process and link", this.kill, this.start, this.garbage),
    );
    this.needsServer = [
      this.take,
      this.restore,
      this.terminate,
      this.trim,
      this.drop,
      this.mend,
      this.kill,
      this.garbage,
    ];
  }

  /** Asks now and from then on, while the page is seen. */
  async poll() {
    clearTimeout(this.timer);
    if (document.hidden) return;
    await this.refresh();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.poll(), POLL_MS);
  }

  async refresh() {
    try {
      const { running, pid, starts } = await conductor.processState();
      const realm = running ? await conductor.realmState(this.serverRealm) : undefined;
      const backups = running ? await conductor.listBackups() : undefined;
      this.show({ running, pid, starts, realm, backups });
    } catch (error) {
      this.show({ running: false, failure: error });
    }
  }

  show({ running, pid, starts, realm, backups, failure }) {
    const cameBack = running && this.wasRunning === false;
    this.wasRunning = running;
    this.state.dataset.state = running ? "good" : "bad";
    setText(this.state.firstElementChild, running ? "running" : failure ? "not reached" : "not running");
    this.problem.hidden = !failure;
    if (failure) setText(this.problem, `The server's state cannot be asked for: ${failure.message}`);
    if (running) this.realm = realm;
    this.showFigures({ running, pid, starts });
    if (backups) this.showBackups(backups);
    for (const control of this.needsServer) control.disabled = !running;
    this.start.disabled = running;
    this.restore.disabled = !running || this.backups.options.length === 0;
    const fragile = this.realm?.classes?.find(({ name }) => name === "Task")?.properties;
    const isThere = fragile?.some(([name]) => name === FRAGILE.property) ?? false;
    this.drop.disabled = !running || !isThere;
    this.mend.disabled = !running || isThere || !fragile;
    if (cameBack) this.dispatchEvent(new Event("back"));
  }

  showFigures({ running, pid, starts }) {
    const { realm } = this;
    const tasks = realm?.classes?.find(({ name }) => name === "Task");
    const values = [
      ["Process", running ? `pid ${pid}, ${plural(starts ?? 0, "start")}` : "none"],
      ["Epoch", realm?.epoch ? realm.epoch.slice(0, 8) : "none yet", realm?.epoch],
      ["Head", realm ? `version ${realm.head}` : "none yet"],
      ["History from", realm ? `version ${realm.floor}` : "none yet"],
      ["Clients known", realm ? String(realm.clients.length) : "0"],
      ["Sessions", running && realm ? String(realm.sessions) : "0"],
      ["Tasks", tasks ? String(tasks.objects) : "0"],
      ["Properties", tasks ? tasks.properties.map(([name]) => name).join(", ") : "none yet"],
    ];
    if (this.figures.children.length !== values.length) {
      this.figures.replaceChildren(
        ...values.map(([name]) =>
          make("div", { "data-figure": name.toLowerCase().replaceAll(" ", "-") }, make("dt", {}, name), make("dd")),
        ),
      );
    }
    values.forEach(([, text, full], index) => {
      const value = this.figures.children[index].lastElementChild;
      setText(value, text);
      if (full) value.title = full;
    });
    this.figures.classList.toggle("stale", !running);
  }

  showBackups(backups) {
    const names = backups.map(({ name }) => name).join();
    if (this.shownBackups === names) return;
    const chosen = this.justTaken ?? this.backups.value;
    this.justTaken = undefined;
    this.shownBackups = names;
    this.backups.replaceChildren(
      ...backups.map(({ name, bytes: size }) =>
        make("option", { value: name }, `${nameInWords(name)}, ${bytes(size)}`),
      ),
    );
    if (backups.some(({ name }) => name === chosen)) this.backups.value = chosen;
    this.backups.disabled = backups.length === 0;
  }

  async takeBackup() {
    const name = new Date().toISOString().slice(0, 19).replaceAll(":", "-").replace("T", "-at-");
    const taken = await conductor.takeBackup(name);
    this.justTaken = name;
    this.journal.add("change", "Server", `backup ${name} taken, ${bytes(taken.bytes)}`);
  }

  async restoreBackup() {
    const name = this.backups.value;
    const { kept } = await conductor.restoreBackup(name);
    this.journal.add("change", "Server", `backup ${name} restored; what it replaced is kept as ${fileName(kept)}`);
  }

  async terminateSync() {
    const { realms } = await conductor.terminateSync(this.serverRealm);
    this.journal.add("change", "Server", `sync terminated: epoch ${realms[0].epoch.slice(0, 8)} begins`);
  }

  async trimHistory() {
    const { realms } = await conductor.trimHistory(this.serverRealm);
    this.journal.add("change", "Server", `history trimmed: it begins at version ${realms[0].floor}`);
  }

  async breakSchema() {
    await conductor.changeSchema(this.serverRealm, { op: "drop-property", class: "Task", property: FRAGILE.property });
    this.journal.add("change", "Server", `property Task.${FRAGILE.property} dropped`);
  }

  async mendSchema() {
    const change = { op: "add-property", class: "Task", ...FRAGILE };
    await conductor.changeSchema(this.serverRealm, change);
    this.journal.add("change", "Server", `property Task.${FRAGILE.property} is back`);
  }

  async killServer() {
    await conductor.killServer();
    this.journal.add("change", "Server", "killed with SIGKILL");
  }

  async startServer() {
    await conductor.startServer();
    this.journal.add("change", "Server", "started");
  }

  async sendGarbage() {
    const { reached } = await conductor.sendGarbage();
    this.journal.add("change", "Server", `sent bytes that mean nothing over ${plural(reached, "connection")}`);
  }
}

/** The name of a backup that this page has taken says when; other names are shown as they are. */
function nameInWords(name) {
  const [, date, time] = /^\d+-(\d+-\d+)-at-(\d+-\d+-\d+)$/.exec(name) ?? [];
  return date ? `${date}, ${time.replaceAll("-", ":")}` : name;
}

function fileName(path) {
  return String(path).split("/").at(-1);
}
