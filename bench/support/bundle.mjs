// A page for each contender, bundled as an application would be, with the files that it loads beside it.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import zlib from "node:zlib";
import { build } from "esbuild";

const BENCH = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const ROOT = path.resolve(BENCH, "..");
const CONTENDERS = path.join(BENCH, "support/page/contenders");
const NODE_ONLY = /^(node:.*|fs|fs\/promises|path|module|crypto|url|worker_threads|child_process)$/;

/** Where the pages lie: `<folder>/<name>/index.html`. */
export const PAGES = path.join(ROOT, "build/bench");

/** Bundles one contender's page; gives the bytes that a browser loads for it, the empty page's own included. */
export async function bundle({ name, assets }, overrides) {
  return bundlePage(name, contenderEntry(name), assets, overrides);
}

/** A page's script that puts a contender into it. */
export function contenderEntry(name) {
  return `
    import contender from "./contenders/${name}.js";
    import { install } from "./page.js";
    install(contender);`;
}

/** Ebbtide from its sources, with all names: for profiles. */
export const READABLE = { minify: false, alias: { ebbtide: path.join(ROOT, "js/src/index.ts") } };

/** Bundles a page that runs `entry`, a module of `support/page/`. */
export async function bundlePage(name, entry, assets, overrides = {}) {
  const folder = path.join(PAGES, name);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
  const options = {
    absWorkingDir: BENCH,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    alias: { ebbtide: path.join(ROOT, "dist/index.js") },
    define: { "process.env.NODE_ENV": '"production"', global: "globalThis" },
    plugins: [withoutNode],
    logLevel: "error",
    ...overrides,
  };
  const stdin = { contents: entry, resolveDir: path.join(BENCH, "support/page"), sourcefile: `${name}.js` };
  await build({ ...options, stdin, outfile: path.join(folder, "main.js") });
  const worker = path.join(CONTENDERS, `${name}.worker.js`);
  if (fs.existsSync(worker))
    await build({ ...options, entryPoints: [worker], outfile: path.join(folder, "worker.js") });
  for (const asset of assets) fs.copyFileSync(path.join(BENCH, asset), path.join(folder, path.basename(asset)));
  const gzipped = fs.readdirSync(folder).map((file) => gzippedSize(path.join(folder, file)));
  fs.writeFileSync(path.join(folder, "index.html"), html(name));
  return gzipped.reduce((sum, bytes) => sum + bytes, 0);
}

const html = (name) =>
  `<!doctype html><meta charset="utf-8"><title>${name}</title><link rel="icon" href="data:,">
<script type="module" src="main.js"></script>`;

function gzippedSize(file) {
  return zlib.gzipSync(fs.readFileSync(file), { level: 9 }).length;
}

/** Packages that also run in node name its modules; no browser comes that way. */
const withoutNode = {
  name: "without-node",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: NODE_ONLY }, ({ path }) => ({ path, namespace: "nothing" }));
    onLoad({ filter: /.*/, namespace: "nothing" }, () => ({ contents: "module.exports = {}", loader: "js" }));
  },
};
