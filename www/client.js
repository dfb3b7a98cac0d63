// One client: a user, a realm, and the listeners to it. Shows nothing itself; it dispatches "change" events.
import Realm from "/ebbtide/index.js";
import * as conductor from "./conductor.js";
import { oncePerTurn } from "./element.js";
import { ResetRecord } from "./reset-record.js";
import { addFirstTasks, addTask, Task, tasksOf, tasksOfServer } from "./task.js";
import { bytes, causeInWords } from "./words.js";

export const PARTITION = "harbour";
const FIRST_DOWNLOAD_MS_MAX = 8000;
const BAD_AUTHENTICATION = 203;

/** One number for each JavaScript object, given once. */
const identities = new WeakMap();
let lastIdentity = 0;

export function identityOf(object) {
  if (!identities.has(object)) identities.set(object, ++lastIdentity);
  return identities.get(object);
}

export class Client extends EventTarget {
  realm = undefined;
  /** The live results that the list shows. */
  tasks = undefined;
  /** One object that is kept and listened to over everything that happens. */
  watched = undefined;
  /** Why there is no realm, or the error that asks for the manual path. */
  problem = undefined;
  manualError = undefined;
  /** The error of a server that does not accept the user. */
  userError = undefined;
  /** Calls of listeners since the page was loaded. */
  calls = { realm: 0, results: 0, object: 0 };
  lastChanges = undefined;
  /** Ids of objects that the last change set named. */
  touched = [];
  upload = { transferred: 0, transferable: 0 };
  download = { transferred: 0, transferable: 0 };
  isDownloading = false;

  /** `name` is short ("A"), `baseUrl` the way to the server. */
  constructor({ name, appId, baseUrl, serverRealm, journal, memory }) {
    super();
    this.name = name;
    this.title = `Client ${name}`;
    this.serverRealm = serverRealm;
    this.journal = journal;
    this.memory = memory;
    this.app = new Realm.App({ id: appId, baseUrl });
    this.mode = memory.read("mode") ?? "discardLocal";
    this.isOffline = memory.read("offline") === "yes";
    this.app.setOffline(this.isOffline);
    this.announce = oncePerTurn(() => this.dispatchEvent(new Event("change")));
  }

  /** Logs in, or finds who logged in last time, and opens the realm. */
  async start() {
    await this.attempt(async () => {
      this.user = this.app.allUsers[this.memory.read("user")] ?? (await this.logIn());
      await this.open();
    });
  }

  async logIn() {
    const user = await this.app.logIn(Realm.Credentials.anonymous(false));
    this.memory.write("user", user.id);
    return user;
  }

  get config() {
    return {
      schema: [Task],
      sync: {
        user: this.user,
        partitionValue: PARTITION,
        newRealmFileBehavior: {
          type: "downloadBeforeOpen",
          timeOut: FIRST_DOWNLOAD_MS_MAX,
          timeOutBehavior: "openLocalRealm",
        },
        existingRealmFileBehavior: { type: "openImmediately" },
        onError: (_session, error) => this.syncError(error),
        clientReset: {
          mode: this.mode,
          clientResetBefore: (before) => this.resetBefore(before),
          clientResetAfter: (before, after) => this.resetAfter(before, after),
          onProgress: (progress) => this.resetProgress(progress),
        },
      },
      onStorageError: (error) => this.journal.error(this.title, error),
    };
  }

  async open() {
    const { config } = this;
    const isNew = !Realm.exists(config);
    this.isDownloading = isNew;
    this.announce();
    try {
      this.realm = await Realm.open(config).progress((transferred, transferable) => {
        this.download = { transferred, transferable };
        this.announce();
      });
    } finally {
      this.isDownloading = false;
    }
    this.problem = undefined;
    this.manualError = undefined;
    this.userError = undefined;
    this.tasks = this.realm.objects(Task).sorted("created");
    this.watched = undefined;
    this.listen();
    this.journal.add("info", this.title, isNew ? "realm downloaded and opened" : "realm opened from this browser");
    // Only where the server was asked: it may have tasks that this browser has not.
    const isAsked = this.realm.syncSession.connectionState === "connected";
    if (isNew && isAsked && this.name === "A" && this.tasks.length === 0) addFirstTasks(this.realm, this.title);
    this.announce();
  }

  listen() {
    const { realm } = this;
    realm.addListener("change", () => {
      this.calls.realm += 1;
      this.reset?.call("realm");
      this.announce();
    });
    this.tasks.addListener((tasks, { insertions, deletions, newModifications, oldModifications }) => {
      this.calls.results += 1;
      this.reset?.call("results");
      this.lastChanges = { insertions, deletions, modifications: oldModifications };
      this.touched = [...insertions, ...newModifications].map((index) => tasks[index]._id.toHexString());
      if (!this.watched) this.watch();
      this.announce();
    });
    const session = realm.syncSession;
    session.addConnectionNotification((state, before) => {
      // One word for each end of a way; "connecting" is seen at the top of the panel.
      if (state !== "connecting" && before !== state) this.journal.add("info", this.title, state);
      this.announce();
    });
    session.addProgressNotification("upload", "reportIndefinitely", (transferred, transferable) => {
      this.upload = { transferred, transferable };
      this.announce();
    });
    session.addProgressNotification("download", "reportIndefinitely", (transferred, transferable) => {
      this.download = { transferred, transferable };
      this.announce();
    });
  }

  /** Keeps the first object and listens to it. */
  watch() {
    this.watched = this.tasks[0];
    this.watched?.addListener(() => {
      this.calls.object += 1;
      this.reset?.call("object");
      this.announce();
    });
    this.announce();
  }

  get totalCalls() {
    return this.calls.realm + this.calls.results + this.calls.object;
  }

  /** The reset that is under way. */
  get reset() {
    return this.lastReset?.isRunning ? this.lastReset : undefined;
  }

  add(title) {
    this.guard(() => addTask(this.realm, title, this.title));
  }

  edit(task, values) {
    this.guard(() => this.realm.write(() => Object.assign(task, values)));
  }

  remove(task) {
    this.guard(() => this.realm.write(() => this.realm.delete(task)));
  }

  setOffline(isOffline) {
    this.isOffline = isOffline;
    this.memory.write("offline", isOffline ? "yes" : "no");
    this.app.setOffline(isOffline);
    this.journal.add("info", this.title, isOffline ? "goes offline" : "may connect again");
    this.announce();
  }

  /** The mode is part of the configuration, so another one means opening again. */
  async setMode(mode) {
    this.mode = mode;
    this.memory.write("mode", mode);
    if (!this.realm || this.manualError) return;
    await this.attempt(async () => {
      this.close();
      await this.open();
    });
    this.journal.add("info", this.title, `mode ${mode}`);
  }

  close() {
    this.realm?.close();
  }

  /** Where the session's state is of interest: before `open` has ended there is none. */
  get session() {
    return this.realm && !this.realm.isClosed ? this.realm.syncSession : undefined;
  }

  get pendingBytes() {
    return Math.max(0, this.upload.transferable - this.upload.transferred);
  }

  /** Tries now rather than later: the page knows that the server is back. */
  serverIsBack() {
    if (this.session) this.session.reconnect();
    else if (this.problem) void this.start();
  }

  syncError(error) {
    const numbers = [error.code, error.wireCode].filter((number) => number !== undefined);
    this.journal.add("error", this.title, `${error.name} ${numbers.join("/")}: ${error.message}`);
    if (error.name === "ClientReset") this.needManualReset(error);
    if (error.wireCode === BAD_AUTHENTICATION) this.userError ??= error;
    this.announce();
  }

  needManualReset(error) {
    this.manualError = error;
    if (!this.lastReset) return;
    this.lastReset.failure = error.message;
    this.dispatchEvent(new CustomEvent("reset", { detail: this.lastReset }));
  }

  /** Realm's manual path: close, copy to a backup, open and download afresh. */
  async finishManualReset() {
    await this.attempt(async () => {
      const { path } = this.realm;
      this.close();
      const backup = await Realm.App.Sync.initiateClientReset(this.app, path);
      this.journal.add("reset", this.title, `old realm copied to ${backup.split("/").at(-1)}`);
      await this.open();
      this.dispatchEvent(new Event("backup"));
    });
  }

  resetProgress(progress) {
    if (!this.reset) {
      this.lastReset = new ResetRecord(this.name);
      this.journal.add("reset", this.title, `${causeInWords(progress.cause)} (${progress.code})`);
    }
    const record = this.lastReset;
    record.take(progress);
    if (record.outcome === "done") void this.resume(record);
    if (record.outcome === "manual") this.journal.add("reset", this.title, "it cannot be reset in place");
    this.dispatchEvent(new CustomEvent("reset", { detail: record }));
    this.announce();
  }

  /** The time until everything flows again is part of a reset, as its user sees it. */
  async resume(record) {
    this.journal.add("reset", this.title, `reset in place, ${bytes(record.totalBytes)} downloaded`);
    record.begin("resume");
    const session = this.session;
    await Promise.all([session?.downloadAllServerChanges(), session?.uploadAllLocalChanges()]).catch(() => undefined);
    record.end();
    this.dispatchEvent(new CustomEvent("reset", { detail: record }));
  }

  resetBefore(before) {
    const record = this.lastReset;
    if (!record) return;
    record.before = tasksOf(before);
    // Not awaited: the reset does not wait for the picture that is made of it.
    void this.askServer(record);
  }

  async askServer(record) {
    try {
      record.server = tasksOfServer(await conductor.serverObjects(this.serverRealm, "Task"));
    } catch (error) {
      record.serverProblem = error.message;
    }
    this.dispatchEvent(new CustomEvent("reset", { detail: record }));
  }

  resetAfter(_before, after) {
    const record = this.lastReset;
    if (!record) return;
    record.after = tasksOf(after);
    this.dispatchEvent(new CustomEvent("reset", { detail: record }));
  }

  /** Leaves the old user's realm where it is and begins with another. */
  async startAsNewUser() {
    await this.attempt(async () => {
      this.close();
      await this.user.logOut();
      this.user = await this.logIn();
      await this.open();
    });
  }

  /** Closes and forgets the realm and the user. */
  async forget() {
    const { config } = this;
    this.close();
    await Realm.deleteFile(config);
    await this.user?.logOut();
  }

  /** Runs a write; what it refuses goes to the log. */
  guard(work) {
    try {
      work();
    } catch (error) {
      this.journal.error(this.title, error);
    }
  }

  async attempt(work) {
    try {
      await work();
    } catch (error) {
      this.problem = error;
      this.journal.error(this.title, error);
      this.announce();
    }
  }
}
