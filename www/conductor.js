// The demo's way to the server's operator: the conductor that `cargo xtask demo` runs, on this page's own origin.

/** Where the server is, and the app's id. */
export function info() {
  return ask("GET", "info");
}

/** Whether the server process runs. */
export function processState() {
  return ask("POST", "server/state");
}

export function startServer() {
  return ask("POST", "server/start");
}

export function killServer() {
  return ask("POST", "server/kill");
}

/** What the server knows of a realm, or undefined if it has none of that name yet. */
export async function realmState(realm) {
  try {
    const { connections, realms } = await ask("GET", `server/state?realm=${encodeURIComponent(realm)}`);
    return { connections, ...realms[0] };
  } catch (error) {
    if (error.message.includes("there is no realm")) return undefined;
    throw error;
  }
}

/** The objects of a class as the server has them. */
export async function serverObjects(realm, className) {
  const query = new URLSearchParams({ realm, class: className });
  return (await ask("GET", `server/objects?${query}`)).objects;
}

export async function listBackups() {
  return (await ask("GET", "server/backups")).backups;
}

export function takeBackup(name) {
  return ask("POST", "server/backup", { name });
}

export function restoreBackup(name) {
  return ask("POST", "server/restore", { name });
}

export function terminateSync(realm) {
  return ask("POST", "server/terminate-sync", { realm });
}

export function trimHistory(realm) {
  return ask("POST", "server/trim-history", { realm, keep: 0 });
}

export function changeSchema(realm, change) {
  return ask("POST", "server/schema", { realm, change });
}

/** Puts bytes that mean nothing between two frames of every connection through the proxy. */
export function sendGarbage() {
  return ask("POST", "proxy/inject", { direction: "down", hex: "ffdeadbeef00" });
}

async function ask(method, command, body) {
  const init = { method };
  if (method === "POST") {
    init.headers = { "Content-Type": "application/json" };
    init.body = JSON.stringify(body ?? {});
  }
  const response = await fetch(`/control/${command}`, init);
  const text = await response.text();
  const answer = parse(text);
  if (!response.ok) throw new Error(answer?.error ?? `${command} answered ${response.status}`);
  return answer;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
