// A browser profile on disk that outlives its pages and its browser, so that either can be killed and come back.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";
import { until } from "./promises.mjs";
import { conductorUrl } from "./stage.mjs";

const FLAGS = JSON.parse(process.env.EBBTIDE_CHROMIUM_ARGS).filter((flag) => !flag.startsWith("--headless"));

/** A page with nothing in it. */
export const BLANK = "/tests/e2e/support/blank.html";

const live = new Set();

// A script that fails half way leaves no browser behind.
process.on("exit", () => {
  for (const profile of live) profile.removeFiles();
});

export class Profile {
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), "ebbtide-e2e-"));
  #context;

  /** A new profile with its browser running. */
  static async create() {
    const profile = new Profile();
    live.add(profile);
    await profile.start();
    return profile;
  }

  /** Starts the browser, again if it was ended. */
  async start() {
    this.#context = await chromium.launchPersistentContext(this.#folder, {
      executablePath: process.env.EBBTIDE_CHROMIUM,
      args: FLAGS,
      headless: true,
      handleSIGINT: false,
    });
    this.#context.setDefaultTimeout(20000);
  }

  /** Closes the browser and starts it again. */
  async restart() {
    await this.#context.close();
    await this.start();
  }

  /** A page of the conductor's origin with nothing in it; `hook(argument)` runs in it before anything else. */
  async page({ hook, argument, address = BLANK } = {}) {
    const page = await this.#context.newPage();
    page.complaints = [];
    page.devtools = await this.#context.newCDPSession(page);
    page.on("pageerror", (error) => page.complaints.push(`uncaught: ${error}`));
    page.on("console", (message) => {
      if (message.type() === "error") page.complaints.push(`console: ${message.text()}`);
    });
    if (hook) await page.addInitScript(hook, argument);
    await page.goto(address.startsWith("http") ? address : `${conductorUrl}${address}`);
    return page;
  }

  /** Takes the network away from all pages, or gives it back; they hear of it. */
  setOffline(isOffline) {
    return this.#context.setOffline(isOffline);
  }

  /** Kills a page's process, whatever the page is doing. */
  async crash(page) {
    const crashed = page.waitForEvent("crash");
    page.devtools.send("Page.crash").catch(() => undefined);
    await crashed;
    await page.close();
  }

  /** Kills the whole browser, and waits until nothing of it runs. */
  async kill() {
    const closed = new Promise((resolve) => this.#context.once("close", resolve));
    for (const pid of this.#processes()) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself since it was listed.
      }
    }
    await closed;
    await until("the end of the browser's processes", () => this.#processes().length === 0);
    for (const name of fs.readdirSync(this.#folder).filter((name) => name.startsWith("Singleton"))) {
      fs.rmSync(path.join(this.#folder, name), { force: true });
    }
  }

  /** Closes the browser and forgets the profile. */
  async end() {
    await this.#context.close();
    this.removeFiles();
  }

  removeFiles() {
    live.delete(this);
    fs.rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The browser processes of this profile: they name its folder, or descend from one that does. */
  #processes() {
    const rows = new Map();
    for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      try {
        const words = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8");
        const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
        const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        if (state !== "Z") rows.set(Number(pid), { parent: Number(parent), isOurs: words.includes(this.#folder) });
      } catch {
        // It has ended since the folder was listed.
      }
    }
    const isOurs = (pid) => {
      const row = rows.get(pid);
      return row !== undefined && (row.isOurs || isOurs(row.parent));
    };
    return [...rows.keys()].filter((pid) => pid !== process.pid && isOurs(pid));
  }
}

/** A profile for as long as it is used. */
export async function inProfile(use) {
  const profile = await Profile.create();
  try {
    return await use(profile);
  } finally {
    await profile.end();
  }
}

/** Calls an exported function of a module in the page, with arguments and an answer that JSON can carry. */
export function call(page, module, name, ...args) {
  return page.evaluate(
    async ([address, name, args]) => {
      const module = await import(address);
      try {
        return await module[name](...args);
      } catch (error) {
        throw new Error(`${error?.name} [${error?.code}]: ${error?.message}\n${error?.stack}`);
      }
    },
    [module, name, args],
  );
}
