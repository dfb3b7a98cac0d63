// One of several tabs on one realm: what a page or a worker does in the scripts about tabs. Realms stay open between two
// calls, with a listener that keeps a copy of the notes by change sets alone.
import Realm, { init } from "/dist/index.js";
import { configOf, Note, userOf } from "./client.js";

const Mark = { name: "Mark", properties: { by: "string", number: "int" } };
const Board = {
  name: "Board",
  primaryKey: "_id",
  properties: { _id: "string", entries: "string[]", marks: "Mark[]", counter: "counter", names: "string<>" },
};
const local = { schema: [Note, Mark, Board] };

const open_ = new Map();

/** Opens a local realm; `options` are further parts of the configuration. */
export async function open(path, options = {}) {
  return keep(path, await Realm.open(configuration(path, options)));
}

/** The same without waiting; if a moment is given, not before it. */
export function openAtOnce(path, { moment = 0, ...options } = {}) {
  while (Date.now() < moment);
  return keep(path, new Realm(configuration(path, options)));
}

/** Loads the package, which reads what there is. */
export function begin() {
  return init();
}

/** Who is logged in, or does so now. */
export async function userId(server) {
  return (await userOf(server)).id;
}

/** Opens a synced realm with what is on disk. */
export async function openSynced(server, partition, sync = {}) {
  const heard = [];
  const error = (_session, { name, code, message }) => heard.push({ name, code, message });
  const clientReset = sync.mode && {
    mode: sync.mode,
    clientResetBefore: () => told(partition).push("before"),
    clientResetAfter: () => told(partition).push("after"),
  };
  const config = await configOf(server, partition, {
    sync: { newRealmFileBehavior: { type: "openImmediately" }, error, ...(clientReset && { clientReset }) },
  });
  const realm = await Realm.open({ ...config, onStorageError: (failure) => heard.push(plain(failure)) });
  const connections = [];
  realm.syncSession.addConnectionNotification((now) => connections.push(now));
  return keep(partition, realm, { errors: heard, connections });
}

function configuration(path, { encryptionKey, extraClass, extraProperty, breaking, ...options }) {
  const classes = [...local.schema];
  if (extraClass) classes.push({ name: "Extra", primaryKey: "_id", properties: { _id: "string" } });
  if (extraProperty) classes[0] = { ...Note, properties: { ...Note.properties, color: "string?" } };
  if (breaking) {
    const { text: _text, ...rest } = Note.properties;
    classes[0] = { ...Note, properties: { ...rest, words: "string" } };
    options.onMigration = (before, after) => {
      for (const old of before.objects("Note"))
        after.objectForPrimaryKey("Note", old._id).words = old.text.toUpperCase();
    };
  }
  return {
    path,
    schema: classes,
    ...(encryptionKey && { encryptionKey: new Int8Array(64).fill(encryptionKey) }),
    onStorageError: (error) => open_.get(path)?.errors.push(plain(error)),
    ...options,
  };
}

function keep(path, realm, { errors = [], connections = [] } = {}) {
  const notes = realm.objects("Note");
  const kept = { realm, errors, connections, copy: [], inserted: {}, calls: 0, mistakes: [], told: [], resets: [] };
  open_.set(path, kept);
  notes.addListener((collection, { insertions, deletions, newModifications }) => {
    const text = (index) => JSON.stringify(noteOf(collection[index]));
    // The first call tells nothing: what was there is there.
    if (kept.calls === 0) kept.copy = collection.map((note) => JSON.stringify(noteOf(note)));
    for (const index of [...deletions].reverse()) kept.copy.splice(index, 1);
    for (const index of insertions) kept.copy.splice(index, 0, text(index));
    for (const index of newModifications) kept.copy[index] = text(index);
    kept.calls += 1;
    if (insertions.length + deletions.length + newModifications.length > 0) {
      kept.told.push([insertions.length, deletions.length, newModifications.length]);
    }
    for (const index of insertions) count(kept.inserted, collection[index]._id);
    const shown = collection.map((note) => JSON.stringify(noteOf(note)));
    if (JSON.stringify(shown) !== JSON.stringify(kept.copy)) kept.mistakes.push({ shown, copy: [...kept.copy] });
  });
  return shown(path);
}

function count(counts, key) {
  counts[key] = (counts[key] ?? 0) + 1;
}

function noteOf(note) {
  return [note._id, note.text ?? note.words, note.rank, [...note.tags]];
}

function plain({ name, code, message }) {
  return { name, code, message };
}

function told(path) {
  return open_.get(path).resets;
}

const realmOf = (path) => open_.get(path).realm;

/**
 * Everything that the realm shows, in the order in which it shows it; but for the notes: the order of objects that nobody has
 * sorted is each tab's own where they have a primary key.
 */
export function shown(path) {
  const realm = realmOf(path);
  const found = { notes: realm.objects("Note").sorted("_id").map(noteOf) };
  const names = realm.schema.map(({ name }) => name);
  if (names.includes("Mark")) {
    found.marks = realm.objects("Mark").map(({ by, number }) => `${by} ${number}`);
    found.boards = realm.objects("Board").map(({ _id, entries, marks, counter, names }) => ({
      _id,
      entries: [...entries],
      marks: marks.map(({ by, number }) => `${by} ${number}`),
      counter: counter.value,
      names: [...names].sort(),
    }));
  }
  return found;
}

/** What listeners and callbacks were told since the realm was opened. */
export function heard(path) {
  const { inserted, mistakes, errors, told, resets, connections, copy } = open_.get(path);
  return { inserted, mistakes, errors, told, resets, connections, copy: copy.length };
}

/** Writes notes in one transaction, and waits until they are on disk. */
export async function write(path, notes) {
  writeAtOnce(path, notes);
  await realmOf(path).waitForDurable();
}

export function writeAtOnce(path, notes) {
  const realm = realmOf(path);
  realm.write(() => {
    for (const note of notes) realm.create("Note", { text: "", ...note }, "modified");
  });
}

/** Writes one note; gives what is thrown, or what waiting for the disk throws. */
export async function attemptToWrite(path, key) {
  return attempt(() => write(path, [{ _id: key }]));
}

export function attemptToOpen(path, options) {
  return attempt(() => open(path, options));
}

export function attemptToDelete(path) {
  return attempt(() => Realm.deleteFile({ path }));
}

export function exists(path) {
  return Realm.exists({ path });
}

async function attempt(action) {
  try {
    await action();
    return undefined;
  } catch (error) {
    return plain(error);
  }
}

/** Creates a note, and in the same turn objects that have no primary key. */
export async function mark(path, who, marks) {
  const realm = realmOf(path);
  realm.write(() => {
    realm.create("Note", { _id: who, text: "" });
    for (let number = 0; number < marks; number++) realm.create("Mark", { by: who, number });
  });
  await realm.waitForDurable();
}

/** Creates the board that everybody writes on. */
export function makeBoard(path) {
  const realm = realmOf(path);
  realm.write(() => realm.create("Board", { _id: "board", counter: 0 }));
}

/** Many transactions, one a turn, each of which does something of every kind. */
export async function hammer(path, who, rounds) {
  const realm = realmOf(path);
  for (let number = 0; number < rounds; number++) {
    realm.write(() => {
      const board = realm.objectForPrimaryKey("Board", "board");
      const mark = realm.create("Mark", { by: who, number });
      board.entries.push(`${who} ${number}`);
      board.marks.push(mark);
      board.counter.increment();
      board.names.add(`${who} ${number}`);
      realm.create("Note", { _id: `${who} ${number}`, text: "new", rank: number });
      const mine = realm.objectForPrimaryKey("Note", `${who} ${number - 2}`);
      if (number % 3 === 2) realm.delete(mine);
      else if (mine) mine.text = "edited";
      realm.create("Note", { _id: "shared", text: `${who} ${number}` }, "modified");
    });
    await new Promise((resolve) => setTimeout(resolve));
  }
  await realm.waitForDurable();
}

/** Writes a transaction every few milliseconds from now on. */
export function beginToWrite(path, who) {
  const kept = open_.get(path);
  kept.isWriting = true;
  kept.writing = (async () => {
    for (let number = 0; kept.isWriting; number++) {
      kept.realm.write(() =>
        kept.realm.create("Note", { _id: `${who} ${number % 50}`, text: `${number}` }, "modified"),
      );
      kept.realm.waitForDurable();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
}

export async function endWriting(path) {
  const kept = open_.get(path);
  kept.isWriting = false;
  await kept.writing;
  await kept.realm.waitForDurable();
}

/** Listens to the notes, for so long whenever they have changed. */
export function listenSlowly(path, ms) {
  realmOf(path)
    .objects("Note")
    .addListener(() => block(ms));
}

export async function close(path) {
  const { realm } = open_.get(path);
  await realm.waitForDurable();
  realm.close();
  open_.delete(path);
}

const dropped = { realms: [], collections: [] };

/** Opens a realm, listens, writes and closes it, so many times, and keeps none of it. */
export async function openAndClose(path, rounds) {
  for (let round = 0; round < rounds; round++) {
    const realm = await Realm.open(configuration(path, {}));
    const notes = realm.objects("Note");
    notes.addListener(() => undefined);
    realm.write(() => realm.create("Note", { _id: `${round}`, text: "" }, "modified"));
    await realm.waitForDurable();
    realm.close();
    dropped.realms.push(new WeakRef(realm));
    dropped.collections.push(new WeakRef(notes));
  }
}

/** How many of those are still there. */
export function left() {
  const count = (refs) => refs.filter((ref) => ref.deref()).length;
  return { realms: count(dropped.realms), collections: count(dropped.collections) };
}

/** Calls a method of the realm's session. */
export function session(path, method, ...args) {
  return realmOf(path).syncSession[method](...args);
}

/** Begins to call a method of the realm's session. */
export function beginSession(path, method, ...args) {
  open_.get(path).begun = session(path, method, ...args);
}

/** Waits for what was begun. */
export async function endSession(path) {
  await open_.get(path).begun;
}

/** How the realm's session is. */
export function sessionState(path) {
  const { syncSession } = realmOf(path);
  const { connectionState, state } = syncSession;
  return { connectionState, state, isConnected: syncSession.isConnected(), leads: syncSession.leads() };
}

/** Begins to look, often, whether this tab leads. */
export function watchLead(path) {
  const kept = open_.get(path);
  kept.led = new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!kept.realm.syncSession.leads()) return;
      clearInterval(timer);
      resolve(Date.now());
    }, 5);
  });
}

/** The moment at which this tab had the lead. */
export function hasLed(path) {
  return open_.get(path).led;
}

/** Many transactions of a synced realm, one a turn. */
export async function scribble(path, who, rounds) {
  const realm = realmOf(path);
  for (let number = 0; number < rounds; number++) {
    realm.write(() => {
      realm.create("Note", { _id: `${who} ${number}`, text: "new", rank: number });
      const shared = realm.objectForPrimaryKey("Note", "shared") ?? realm.create("Note", { _id: "shared", text: "" });
      shared.text = `${who} ${number}`;
      shared.tags.push(`${who} ${number}`);
    });
    await new Promise((resolve) => setTimeout(resolve));
  }
  await realm.waitForDurable();
}

/** Progress of a download or an upload, until it is complete. */
export function progress(path, direction) {
  const reports = [];
  return new Promise((resolve) => {
    realmOf(path).syncSession.addProgressNotification(direction, "forCurrentlyOutstandingWork", (done, all) => {
      reports.push([done, all]);
      if (done >= all) resolve(reports);
    });
  });
}

/** Takes the manual path that a reset asks for. */
export async function resetByHand(server, path) {
  const { realm } = open_.get(path);
  const { path: file } = realm;
  realm.close();
  open_.delete(path);
  const app = new Realm.App({ id: server.appId, baseUrl: server.baseUrl });
  return Realm.App.Sync.initiateClientReset(app, file);
}

/** Keeps the page busy: it hears nothing until then. */
export function block(ms) {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

let ticks = 0;

/** How often a timer has fired that is set again whenever it does; begins to count with the first call. */
export function ticked() {
  const tick = () => {
    ticks += 1;
    setTimeout(tick);
  };
  if (ticks === 0) tick();
  return ticks;
}

export function visibility() {
  return document.visibilityState;
}

let haveStopped = false;

/** Lets timers be stopped that are set from now on. */
export function prepareTimers() {
  const set = globalThis.setTimeout;
  globalThis.setTimeout = (call, ms = 0, ...args) => {
    const isLong = ms >= 100;
    return set(() => (haveStopped && isLong) || call(...args), ms);
  };
}

/** From now on no timer fires but the shortest: what happens is brought about by something else. */
export function stopTimers() {
  haveStopped = true;
}

export function isOnline() {
  return navigator.onLine;
}

/** The page is told that the network is back. */
export function tellOnline() {
  dispatchEvent(new Event("online"));
}
