// Who is measured, and on what terms.

/**
 * `kind`: `ours`; a `product`; the `reference`, which is no product; `memory`, which keeps nothing; `empty`, a page without a
 * database. `runs` and `objects` are limits for those who are too slow for the whole. `assets` lie beside the page.
 */
export const CONTENDERS = [
  { name: "empty", label: "empty page", kind: "empty", assets: [] },
  { name: "ebbtide", label: "Ebbtide", kind: "ours", assets: ["../dist/ebbtide_bg.wasm"] },
  { name: "packed", label: "packed chunks (reference)", kind: "reference", assets: [] },
  { name: "dexie", label: "Dexie", kind: "product", assets: [], runs: 2 },
  { name: "rxdb", label: "RxDB (Dexie storage)", kind: "product", assets: [], runs: 2, objects: 10_000 },
  { name: "pouchdb", label: "PouchDB", kind: "product", assets: [], runs: 2, objects: 10_000 },
  { name: "tinybase", label: "TinyBase", kind: "product", assets: [] },
  { name: "lokijs", label: "LokiJS", kind: "product", assets: [] },
  { name: "yjs", label: "Yjs (y-indexeddb)", kind: "product", assets: [] },
  {
    name: "sqlite",
    label: "SQLite-wasm (OPFS)",
    kind: "product",
    assets: ["node_modules/@sqlite.org/sqlite-wasm/dist/sqlite3.wasm"],
  },
  {
    name: "wa-sqlite",
    label: "wa-sqlite (OPFS)",
    kind: "product",
    assets: ["node_modules/@journeyapps/wa-sqlite/dist/wa-sqlite.wasm"],
  },
  {
    name: "pglite",
    label: "PGlite (OPFS)",
    kind: "product",
    runs: 2,
    assets: ["pglite.wasm", "pglite.data", "initdb.wasm"].map(
      (file) => `node_modules/@electric-sql/pglite/dist/${file}`,
    ),
  },
  {
    name: "realm",
    label: "Realm 12 (memory only)",
    kind: "memory",
    assets: ["node_modules/realm/dist/realm-js-wasm.wasm"],
  },
];

export function contender(name) {
  const found = CONTENDERS.find((contender) => contender.name === name);
  if (!found)
    throw new Error(`there is no contender ${name}: they are ${CONTENDERS.map(({ name }) => name).join(", ")}`);
  return found;
}
