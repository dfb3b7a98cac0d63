// What a script needs to play on the stage that `cargo xtask test`, `demo --scripted` and `bench` set up: the browser, the
// conductor's commands, and a folder for what it leaves behind. The stage is described by the environment.
import path from "node:path";
import { chromium } from "playwright-core";

/** The conductor's address; it serves the files too. */
export const conductorUrl = required("EBBTIDE_CONDUCTOR");

const run = Date.now().toString(36);

/** A realm's name that no earlier run has used: a server keeps its data. */
export function fresh(name) {
  return `${name}-${run}`;
}

/** Starts the browser that the automation has found. Close it, or end the process. */
export function launch() {
  const args = JSON.parse(required("EBBTIDE_CHROMIUM_ARGS")).filter((flag) => !flag.startsWith("--headless"));
  return chromium.launch({ executablePath: required("EBBTIDE_CHROMIUM"), args, headless: true });
}

/** The addresses of the server, of the proxy before it, and the app's id. */
export async function info() {
  return answer(await fetch(`${conductorUrl}/control/info`));
}

/** Gives a command, such as `control("server/kill")` or `control("proxy/inject", { direction: "down", hex: "ff" })`. */
export async function control(command, body = {}) {
  const init = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  return answer(await fetch(`${conductorUrl}/control/${command}`, init));
}

/** Asks something of the server's operator, such as `query("server/objects", { realm: "s_list", class: "Task" })`. */
export async function query(command, parameters = {}) {
  return answer(await fetch(`${conductorUrl}/control/${command}?${new URLSearchParams(parameters)}`));
}

/** The path of a file that the script leaves behind. */
export function output(name) {
  return path.join(required("EBBTIDE_OUTPUT"), name);
}

async function answer(response) {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

function required(name) {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run this through cargo xtask`);
  return value;
}
