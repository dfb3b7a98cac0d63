// Local realms, for the scripts about tabs and storage. Realms stay open in the page between two calls.
import Realm from "/dist/index.js";
import { Note } from "./client.js";

const realms = new Map();
const complaints = new Map();

/** Opens a realm and gives its contents. */
export async function open(path) {
  return opened(path, await Realm.open(configurationOf(path)));
}

/** Opens a realm without waiting and gives its contents. */
export function openAtOnce(path) {
  return opened(path, new Realm(configurationOf(path)));
}

/** Tries to open a realm without waiting; gives what is thrown. */
export function attemptToOpenAtOnce(path) {
  return attempt(() => openAtOnce(path));
}

/** Creates or updates notes, and waits until they are on disk. */
export async function write(path, notes) {
  const realm = realms.get(path);
  realm.write(() => {
    for (const note of notes) realm.create("Note", note, "modified");
  });
  await realm.waitForDurable();
}

/** Writes a note of a size; gives how the attempt ended. */
export function attemptToWrite(path, key, bytes) {
  return attempt(() => write(path, [{ _id: key, text: "x".repeat(bytes) }]));
}

/** What a realm that is open shows. */
export function read(path) {
  return notesOf(realms.get(path));
}

/** The storage errors that the app has been told of. */
export function told(path) {
  return complaints.get(path);
}

/** Closes a realm; resolves when its store is closed too. */
export async function close(path) {
  realms.get(path).close();
  realms.delete(path);
}

/** Tries to open a realm; gives what is thrown. */
export function attemptToOpen(path) {
  return attempt(() => open(path));
}

/** Tries to delete a realm; gives what is thrown. */
export function attemptToDelete(path) {
  return attempt(() => Realm.deleteFile({ path }));
}

export function exists(path) {
  return Realm.exists({ path });
}

function configurationOf(path) {
  const told = [];
  complaints.set(path, told);
  const onStorageError = ({ name, code, message }) => told.push({ name, code, message });
  return { path, schema: [Note], onStorageError };
}

function opened(path, realm) {
  realms.set(path, realm);
  return notesOf(realm);
}

function notesOf(realm) {
  return [...realm.objects("Note")].map((note) => [note._id, note.text.length < 100 ? note.text : note.text.length]);
}

async function attempt(action) {
  try {
    await action();
    return undefined;
  } catch ({ name, code, message }) {
    return { name, code, message };
  }
}
