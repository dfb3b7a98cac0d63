// A browser that is spoken to in its own protocol and nothing else: Playwright keeps all pages visible, and a page that is
// visible is never frozen.
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { until } from "./promises.mjs";
import { conductorUrl } from "./stage.mjs";

const FLAGS = JSON.parse(process.env.EBBTIDE_CHROMIUM_ARGS);
const BLANK = "/tests/e2e/support/blank.html";

export class Browser {
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), "ebbtide-e2e-"));
  #process;
  #last = 0;
  #waiting = new Map();
  #rest = "";

  constructor() {
    const flags = [...FLAGS, "--remote-debugging-pipe", `--user-data-dir=${this.#folder}`];
    // Pages in the background run as fast as those in front: what is waited for is not their timers.
    flags.push("--disable-background-timer-throttling", "about:blank");
    this.#process = spawn(process.env.EBBTIDE_CHROMIUM, flags, {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    });
    this.#process.stdio[4].on("data", (data) => this.#hear(data.toString()));
  }

  /** Calls a method, of a page's session if one is given. */
  send(method, params = {}, sessionId = undefined) {
    this.#last += 1;
    const id = this.#last;
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { method, resolve, reject }));
    this.#process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return answer;
  }

  /** A page of the conductor's origin with nothing in it. */
  async page() {
    const url = `${conductorUrl}${BLANK}`;
    const { targetId } = await this.send("Target.createTarget", { url });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId);
    await until("the page to be loaded", async () => {
      const { result } = await page.send("Runtime.evaluate", { expression: "document.readyState + location" });
      return result.value === `complete${url}`;
    });
    return page;
  }

  async end() {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    await this.send("Browser.close");
    await ended;
    fs.rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #hear(text) {
    const messages = (this.#rest + text).split("\0");
    this.#rest = messages.pop();
    for (const { id, result, error } of messages.map((message) => JSON.parse(message))) {
      const waiting = this.#waiting.get(id);
      if (!waiting) continue;
      this.#waiting.delete(id);
      if (error) waiting.reject(new Error(`${waiting.method}: ${error.message}`));
      else waiting.resolve(result);
    }
  }
}

class Page {
  #browser;
  #session;

  constructor(browser, session) {
    this.#browser = browser;
    this.#session = session;
  }

  send(method, params) {
    return this.#browser.send(method, params, this.#session);
  }

  /** Calls an exported function of a module in the page, with arguments and an answer that JSON can carry. */
  async call(module, name, ...args) {
    const expression = `import(${JSON.stringify(new URL(module, conductorUrl))})
      .then((module) => module[${JSON.stringify(name)}](...${JSON.stringify(args)}))`;
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", options);
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }
}
