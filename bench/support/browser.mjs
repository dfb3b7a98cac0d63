// A headless Chromium with a profile of its own, set up for measuring.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

const FLAGS = [
  ...JSON.parse(process.env.EBBTIDE_CHROMIUM_ARGS).filter((flag) => !flag.startsWith("--headless")),
  "--enable-blink-features=ForceEagerMeasureMemory",
  "--js-flags=--expose-gc",
  "--enable-precise-memory-info",
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
];
const LOAD_MS = 30_000;
/** Where a browser keeps what pages store. */
const STORAGE = ["Default/IndexedDB", "Default/File System"];

export class Browser {
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), "ebbtide-bench-"));
  #context;

  /** Starts it with a fresh profile. */
  static async start() {
    const browser = new Browser();
    await browser.restart();
    return browser;
  }

  /** Closes it and starts it again with the same profile. */
  async restart() {
    await this.close();
    this.#context = await chromium.launchPersistentContext(this.#folder, {
      executablePath: process.env.EBBTIDE_CHROMIUM,
      args: FLAGS,
      headless: true,
      handleSIGINT: false,
    });
  }

  /** A page at an address, once its script has run. */
  async page(address) {
    const page = await this.#context.newPage();
    page.on("pageerror", (error) => console.log(`    the page: ${String(error).slice(0, 300)}`));
    await page.goto(address);
    await page.waitForFunction(() => globalThis.bench !== undefined, undefined, { timeout: LOAD_MS });
    return page;
  }

  /** The bytes of what pages have stored. The browser should be closed: it cleans up when it ends. */
  stored() {
    return STORAGE.reduce((sum, folder) => sum + sizeOf(path.join(this.#folder, folder)), 0);
  }

  async close() {
    await this.#context?.close();
    this.#context = undefined;
  }

  /** Closes it and forgets the profile. */
  async end() {
    await this.close().catch(() => undefined);
    fs.rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

function sizeOf(folder) {
  if (!fs.existsSync(folder)) return 0;
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + fs.statSync(path.join(parentPath, name)).size, 0);
}

export class TookTooLong extends Error {
  constructor(what, milliseconds) {
    super(`${what} took longer than ${milliseconds / 1000} s`);
  }
}

/** What a step in a page gives, or an error if it takes too long. */
export async function within(milliseconds, what, work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new TookTooLong(what, milliseconds)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs one of the page's steps. */
export function run(page, step, ...args) {
  return page.evaluate(([step, args]) => globalThis.bench.run(step, ...args), [step, args]);
}
