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
  #events = [];
  #rest = "";

  /** Pages in the background run as fast as those in front unless other flags are given. */
  constructor(flagsOfTheTest = ["--disable-background-timer-throttling"]) {
    const flags = [...FLAGS, "--remote-debugging-pipe", `--user-data-dir=${this.#folder}`];
    flags.push(...flagsOfTheTest, "about:blank");
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
    const page = new Page(this, sessionId, targetId);
    await page.isAt(url);
    return page;
  }

  /** What a session has told of under this name. */
  events(method, sessionId) {
    const told = this.#events.filter((event) => event.method === method && event.sessionId === sessionId);
    return told.map(({ params }) => params);
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
    for (const message of messages.map((message) => JSON.parse(message))) {
      const { id, result, error } = message;
      const waiting = this.#waiting.get(id);
      if (!waiting) {
        if (message.method) this.#events.push(message);
        continue;
      }
      this.#waiting.delete(id);
      if (error) waiting.reject(new Error(`${waiting.method}: ${error.message}`));
      else waiting.resolve(result);
    }
  }
}

class Page {
  #browser;
  #session;
  #target;

  constructor(browser, session, target) {
    this.#browser = browser;
    this.#session = session;
    this.#target = target;
  }

  send(method, params) {
    return this.#browser.send(method, params, this.#session);
  }

  /** Waits until the page is loaded from there. */
  isAt(url) {
    return until(`a page from ${url}`, async () => {
      return (await this.evaluate("document.readyState + location")) === `complete${url}`;
    });
  }

  async evaluate(expression) {
    return (await this.send("Runtime.evaluate", { expression, returnByValue: true })).result.value;
  }

  close() {
    return this.#browser.send("Target.closeTarget", { targetId: this.#target });
  }

  /** Brings the page to the front, which hides the one that was there. */
  show() {
    return this.send("Page.bringToFront");
  }

  /** Freezes the page, or wakes it up. */
  become(state) {
    return this.send("Page.setWebLifecycleState", { state });
  }

  /** Goes to another page, from which a way leads back, and has the browser collect what is garbage by then. */
  async leave() {
    await this.send("Page.enable");
    await this.evaluate("globalThis.wasLeft = true");
    const url = `${conductorUrl}${BLANK}?elsewhere`;
    await this.send("Page.navigate", { url });
    await this.isAt(url);
    await this.send("HeapProfiler.collectGarbage");
  }

  /** Goes back; gives why the page that was left was not kept, which is nothing if it was. */
  async back() {
    const { entries, currentIndex } = await this.send("Page.getNavigationHistory");
    const { id, url } = entries[currentIndex - 1];
    await this.send("Page.navigateToHistoryEntry", { entryId: id });
    await this.isAt(url);
    if (await this.evaluate("globalThis.wasLeft")) return [];
    const event = "Page.backForwardCacheNotUsed";
    const told = await until("the reasons", () => this.#browser.events(event, this.#session).at(-1));
    return told.notRestoredExplanations.map(({ reason }) => reason);
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
