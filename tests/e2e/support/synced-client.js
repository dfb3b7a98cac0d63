// Synced realms that stay open in the page between two calls, for the scripts about storage and the network.
import Realm from "/dist/index.js";
import { appOf, configOf, contents } from "./client.js";

const realms = new Map();

/** Opens a realm, by default with what is on disk. */
export async function open(server, partition, behavior = { type: "openImmediately" }) {
  const told = [];
  const error = ({ config }, { name, code, wireCode, message, isFatal }) => {
    told.push({ partition: config.partitionValue, name, code, wireCode, message, isFatal });
  };
  const config = await configOf(server, partition, { sync: { newRealmFileBehavior: behavior, error } });
  const connections = [];
  const realm = await Realm.open(config);
  realm.syncSession.addConnectionNotification((now) => connections.push(now));
  realms.set(partition, { realm, told, connections });
  return contents(realm);
}

/** Writes notes, one transaction each. */
export function write(partition, notes) {
  const { realm } = realms.get(partition);
  for (const note of notes) realm.write(() => realm.create("Note", note, "modified"));
}

/** Adds a tag to a note: an addition that was made twice would be seen. */
export function tag(partition, key, text) {
  const { realm } = realms.get(partition);
  realm.write(() => realm.objectForPrimaryKey("Note", key).tags.push(text));
}

export function read(partition) {
  return contents(realms.get(partition).realm);
}

export function uploaded(partition, timeoutMs = 20000) {
  return realms.get(partition).realm.syncSession.uploadAllLocalChanges(timeoutMs);
}

export function downloaded(partition, timeoutMs = 20000) {
  return realms.get(partition).realm.syncSession.downloadAllServerChanges(timeoutMs);
}

export function durable(partition) {
  return realms.get(partition).realm.waitForDurable();
}

export function pause(partition) {
  realms.get(partition).realm.syncSession.pause();
}

export function resume(partition) {
  realms.get(partition).realm.syncSession.resume();
}

export function reconnect(partition) {
  realms.get(partition).realm.syncSession.reconnect();
}

/** The states of the connection, the present one last. */
export function connections(partition) {
  const { realm, connections: past } = realms.get(partition);
  return { now: realm.syncSession.connectionState, past };
}

export function sessionState(partition) {
  return realms.get(partition).realm.syncSession.state;
}

/** The errors that the app has been told of. */
export function told(partition) {
  return realms.get(partition).told;
}

/** The name that the server knows this store by. */
export function identity(partition) {
  return String(realms.get(partition).realm.syncSession.fileIdent);
}

export async function close(partition) {
  const { realm } = realms.get(partition);
  await realm.waitForDurable();
  realm.close();
  realms.delete(partition);
}

/** Runs one of the other functions; gives what it throws. */
export async function attempt(name, ...args) {
  try {
    await ACTIONS[name](...args);
    return undefined;
  } catch ({ name: errorName, code, message }) {
    return { name: errorName, code, message };
  }
}

/** Logs in as a new user. */
export async function logIn(server) {
  return (await appOf(server).logIn(Realm.Credentials.anonymous(false))).id;
}

const ACTIONS = { open, uploaded, downloaded, logIn };
