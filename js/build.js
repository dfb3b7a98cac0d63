// Builds dist/: one ES module with everything in it, the wasm file beside it, and declarations that stand alone.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const dist = path.join(root, "dist");
const pkg = path.join(root, "pkg");
const require = createRequire(import.meta.url);

if (!existsSync(path.join(pkg, "ebbtide.js"))) {
  console.error("pkg/ebbtide.js is missing: build the wasm first (wasm-pack build --target web).");
  process.exit(1);
}

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);

/** bson sets 17 MB aside when it is loaded. `serialize`, which needs them, sets them aside itself if they are not there. */
const bsonWithoutBuffer = {
  name: "bson-without-buffer",
  setup(build) {
    build.onLoad({ filter: /[\\/]bson[\\/]lib[\\/]bson\.mjs$/ }, ({ path }) => {
      const parts = readFileSync(path, "utf8").split("let buffer = ByteUtils.allocate(MAXSIZE);");
      if (parts.length !== 2) throw new Error(`${path} sets its buffer aside in another way than it did`);
      return { contents: parts.join("let buffer = ByteUtils.allocate(0);"), loader: "js" };
    });
  },
};

await build({
  absWorkingDir: root,
  entryPoints: ["js/src/index.ts"],
  inject: ["js/src/finalization.ts"],
  outfile: "dist/index.js",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  keepNames: true,
  sourcemap: true,
  legalComments: "linked",
  plugins: [bsonWithoutBuffer],
  logLevel: "warning",
});
copyFileSync(path.join(pkg, "ebbtide_bg.wasm"), path.join(dist, "ebbtide_bg.wasm"));

const typescript = path.dirname(require.resolve("typescript/package.json"));
execFileSync(process.execPath, [path.join(typescript, "bin/tsc"), "-p", "js/tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});

// The declarations name bson; its own declarations travel with them, so that a user needs no second package.
copyFileSync(path.join(root, "node_modules/bson/bson.d.ts"), path.join(dist, "bson.lib.d.ts"));
copyFileSync(path.join(root, "node_modules/bson/LICENSE.md"), path.join(dist, "bson.LICENSE.md"));
for (const name of readdirSync(dist).filter((name) => name.endsWith(".d.ts"))) {
  const file = path.join(dist, name);
  const text = readFileSync(file, "utf8");
  const standalone = text.replaceAll(/from "bson"/g, 'from "./bson.lib.js"');
  if (standalone !== text) writeFileSync(file, standalone);
}
