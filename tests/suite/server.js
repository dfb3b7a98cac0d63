// The real server that the sync suites run against, through the conductor; clients of it in this page and in others.
import Realm from "/dist/index.js";
import { freshPath } from "/tests/suite/support.js";

export const Task = {
  name: "Task",
  primaryKey: "_id",
  properties: {
    _id: "int",
    title: "string",
    done: { type: "bool", default: false },
    notes: "string[]",
    parent: "Task",
  },
};

/** Gives the conductor a command, such as `control("server/kill")`. */
export async function control(command, body = {}) {
  const response = await fetch(`${globalThis.EBBTIDE_CONDUCTOR}/control/${command}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${command}: the conductor answered ${response.status}: ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

let known;

/** The addresses of the server and of the proxy before it, and the app's id. */
export async function info() {
  known ??= await (await fetch(`${globalThis.EBBTIDE_CONDUCTOR}/control/info`)).json();
  return known;
}

/** Makes sure that the server runs and the proxy lets everything pass. */
export async function ready() {
  await control("server/start");
  await control("proxy/pass").catch(() => undefined);
  return await info();
}

/** A partition that no other test uses. */
export function freshPartition() {
  return freshPath("p");
}

/** Logs a new user in, through the proxy if asked. */
export async function logIn({ module = { default: Realm }, viaProxy = false } = {}) {
  const { serverUrl, proxyUrl, appId } = await ready();
  const { App, Credentials } = module.default;
  const app = new App({ id: appId, baseUrl: viaProxy ? proxyUrl : serverUrl });
  return await app.logIn(Credentials.anonymous(false));
}

/** The configuration of a synced realm with tasks. */
export function syncConfig(user, partitionValue, sync = {}, rest = {}) {
  const clientReset = { mode: "discardLocal" };
  return {
    schema: [Task],
    sync: { user, partitionValue, clientReset, _sessionStopPolicy: "immediately", ...sync },
    ...rest,
  };
}

/** Opens a synced realm as a new user: one more client of the partition. */
export async function openClient(partitionValue, sync = {}, options = {}) {
  const user = await logIn(options);
  return await (options.module?.default ?? Realm).open(syncConfig(user, partitionValue, sync));
}

/** Uploads what one has, and downloads it to the others. */
export async function settle(from, ...others) {
  await from.syncSession.uploadAllLocalChanges(20000);
  for (const realm of others) await realm.syncSession.downloadAllServerChanges(20000);
}

export function addTask(realm, _id, title, rest = {}) {
  return realm.write(() => realm.create("Task", { _id, title, ...rest }));
}

/** The tasks of a realm as text, in the order of their ids. */
export function tasks(realm) {
  return realm
    .objects("Task")
    .sorted("_id")
    .map(({ _id, title }) => `${_id} ${title}`);
}

/**
 * Another page with an engine of its own: an iframe. `kill()` ends it as closing a tab does, without a chance to put
 * anything in order.
 */
export async function openPage() {
  const frame = document.createElement("iframe");
  document.body.append(frame);
  const page = frame.contentWindow;
  const script = page.document.createElement("script");
  script.type = "module";
  script.src = "/tests/suite/page.js";
  await new Promise((resolve, reject) => {
    page.tellReady = resolve;
    script.onerror = () => reject(new Error("the page could not load the package"));
    page.document.body.append(script);
  });
  return { module: page.ebbtide, kill: () => frame.remove() };
}
