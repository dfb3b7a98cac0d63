// wa-sqlite's synchronous build with OPFSCoopSyncVFS; prepared statements are kept.
import * as SQLite from "@journeyapps/wa-sqlite";
import start from "@journeyapps/wa-sqlite/dist/wa-sqlite.mjs";
import { OPFSCoopSyncVFS } from "@journeyapps/wa-sqlite/src/examples/OPFSCoopSyncVFS.js";
import { PRAGMAS, serve } from "./sql.worker.js";

const statements = new Map();
let sqlite;
let database;

async function prepared(sql) {
  if (!statements.has(sql)) {
    const all = sqlite.statements(database, sql, { unscoped: true })[Symbol.asyncIterator]();
    statements.set(sql, (await all.next()).value);
  }
  return statements.get(sql);
}

serve({
  async open(name) {
    const module = await start({ locateFile: (file) => new URL(file, import.meta.url).href });
    sqlite = SQLite.Factory(module);
    sqlite.vfs_register(await OPFSCoopSyncVFS.create("files", module), true);
    database = await sqlite.open_v2(name);
    for (const pragma of PRAGMAS) await sqlite.exec(database, `PRAGMA ${pragma}`);
  },
  execute: (sql) => sqlite.exec(database, sql),
  async all(sql, bound = []) {
    const statement = await prepared(sql);
    const rows = [];
    if (bound.length > 0) sqlite.bind_collection(statement, bound);
    while ((await sqlite.step(statement)) === SQLite.SQLITE_ROW) rows.push(sqlite.row(statement));
    await sqlite.reset(statement);
    return rows;
  },
  async each(sql, rows) {
    const statement = await prepared(sql);
    for (const row of rows) {
      sqlite.bind_collection(statement, row);
      await sqlite.step(statement);
      await sqlite.reset(statement);
    }
  },
  onUpdate(callback) {
    sqlite.update_hook(database, () => callback());
  },
  async close() {
    for (const statement of statements.values()) await sqlite.finalize(statement);
    await sqlite.close(database);
  },
});
