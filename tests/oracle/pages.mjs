// Two pages of one headless browser: Ebbtide's package in the one, the oracle in the other.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const here = path.dirname(fileURLToPath(import.meta.url));
const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** Opens both pages; `oracleFolder` is where npm has put the oracle. */
export async function openPages(oracleFolder) {
  const dist = path.join(oracleFolder, "node_modules/realm/dist");
  const bundle = await bundled(path.join(dist, "bundle.browser.mjs"));
  const server = await serve(async (url) => {
    if (url.startsWith("/ebbtide/")) return readFile(path.join(here, "../../dist", url.slice("/ebbtide/".length)));
    if (url === "/oracle/index.mjs") return bundle;
    if (url.startsWith("/oracle/")) return readFile(path.join(dist, url.slice("/oracle/".length)));
    if (url === "/player.js") return readFile(path.join(here, "player.js"));
    return "<!doctype html><title>oracle</title>";
  });
  const origin = `http://localhost:${server.address().port}`;
  const args = JSON.parse(process.env.EBBTIDE_CHROMIUM_ARGS).filter((flag) => !flag.startsWith("--headless"));
  const browser = await chromium.launch({ executablePath: process.env.EBBTIDE_CHROMIUM, args, headless: true });
  const pages = [
    await Page.open(browser, origin, "Ebbtide", "/ebbtide/index.js"),
    await Page.open(browser, origin, "the oracle", "/oracle/index.mjs"),
  ];
  const close = async () => {
    await browser.close();
    server.close();
  };
  return { pages, close };
}

/** A page that plays programs. */
class Page {
  #page;
  #module;

  constructor(page, name, module) {
    this.#page = page;
    this.name = name;
    this.#module = module;
  }

  static async open(browser, origin, name, module) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    const opened = new Page(page, name, module);
    await opened.#load();
    return opened;
  }

  opens(schema) {
    return this.#page.evaluate((given) => window.player.opens(window.RealmUnderTest, given), schema);
  }

  /** The lines of a program, or one line that says how the page ended. */
  async play(program) {
    try {
      return await this.#page.evaluate((given) => window.player.play(window.RealmUnderTest, given), program);
    } catch (error) {
      // A module that has aborted answers nothing any more.
      await this.#page.reload();
      await this.#load();
      return [{ own: true, step: "page", text: `error ${error.message.split("\n")[0]}` }];
    }
  }

  #load() {
    return this.#page.evaluate(async (module) => {
      const loaded = await import(module);
      await loaded.init?.();
      window.RealmUnderTest = loaded.default ?? loaded.Realm;
      window.player = await import("/player.js");
    }, this.#module);
  }
}

/** The oracle's module with what it imports in it, but for its WebAssembly. */
async function bundled(entry) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    external: ["./realm-js-wasm.mjs"],
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "error",
  });
  return outputFiles[0].text;
}

async function serve(answer) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    try {
      const body = await answer(pathname);
      response.writeHead(200, { "Content-Type": TYPES[path.extname(pathname)] ?? "text/html" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}
