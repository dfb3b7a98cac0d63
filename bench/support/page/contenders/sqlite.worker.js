// SQLite's own build with its pool of synchronous file handles; prepared statements are kept.
import start from "@sqlite.org/sqlite-wasm";
import { PRAGMAS, serve } from "./sql.worker.js";

globalThis.sqlite3ApiConfig = { disable: { vfs: { opfs: true, "opfs-wl": true } } };

const statements = new Map();
let sqlite;
let database;

function prepared(sql) {
  if (!statements.has(sql)) statements.set(sql, database.prepare(sql));
  return statements.get(sql);
}

serve({
  async open(name) {
    sqlite = await start({ print() {}, printErr() {} });
    const pool = await sqlite.installOpfsSAHPoolVfs({ name: "pool", initialCapacity: 12 });
    database = new pool.OpfsSAHPoolDb(`/${name}.db`);
    for (const pragma of [...PRAGMAS, "journal_mode=WAL"]) database.exec(`PRAGMA ${pragma}`);
  },
  execute: (sql) => database.exec(sql),
  all(sql, bound = []) {
    const statement = prepared(sql);
    const rows = [];
    try {
      if (bound.length > 0) statement.bind(bound);
      while (statement.step()) rows.push(statement.get([]));
    } finally {
      statement.reset();
    }
    return rows;
  },
  each(sql, rows) {
    const statement = prepared(sql);
    for (const row of rows) {
      statement.bind(row);
      statement.step();
      statement.reset();
    }
  },
  onUpdate(callback) {
    sqlite.capi.sqlite3_update_hook(database, () => callback(), 0);
  },
  close() {
    for (const statement of statements.values()) statement.finalize();
    database.close();
  },
});
