// PGlite on the origin's private files, in its own worker.
import { live } from "@electric-sql/pglite/live";
import { PGliteWorker } from "@electric-sql/pglite/worker";
import { LIVE } from "../../dogs.js";

const BATCH = 10_000;
const JSON_TYPE = 114;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS dogs
    (_id int PRIMARY KEY, name text, breed text, age int, weight float8, notes text, "ownerId" int);
  CREATE INDEX IF NOT EXISTS by_breed_and_age ON dogs (breed, age)`;
const INSERT_MANY = `
  INSERT INTO dogs SELECT * FROM json_to_recordset($1::json)
    AS new (_id int, name text, breed text, age int, weight float8, notes text, "ownerId" int)`;

let database;
const rows = async (sql, values) => (await database.query(sql, values)).rows;

async function answer(condition, values) {
  const [{ count }] = await rows(`SELECT count(*)::int AS count FROM dogs WHERE ${condition}`, values);
  const first = await rows(`SELECT * FROM dogs WHERE ${condition} ORDER BY name COLLATE "C" LIMIT 50`, values);
  return { count, first };
}

export default {
  async open(name) {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    database = await PGliteWorker.create(worker, { dataDir: `opfs-ahp://${name}`, extensions: { live } });
    await database.exec(SCHEMA);
  },
  insertMany: (dogs) =>
    database.transaction(async (transaction) => {
      for (let at = 0; at < dogs.length; at += BATCH) {
        const batch = JSON.stringify(dogs.slice(at, at + BATCH));
        await transaction.query(INSERT_MANY, [batch], { serializers: { [JSON_TYPE]: (text) => text } });
      }
    }),
  commit: ({ _id, name, breed, age, weight, notes, ownerId }) =>
    rows("INSERT INTO dogs VALUES ($1, $2, $3, $4, $5, $6, $7)", [_id, name, breed, age, weight, notes, ownerId]),
  get: async (id) => (await rows("SELECT * FROM dogs WHERE _id = $1", [id]))[0],
  question: (age, breed) => answer("breed = $1 AND age > $2", [breed, age]),
  contains: (needle) => answer("strpos(notes, $1) > 0", [needle]),
  async live(listener) {
    const query = "SELECT * FROM dogs WHERE breed = $1 AND age >= $2";
    const { unsubscribe } = await database.live.query(query, [LIVE.breed, LIVE.age], (found) =>
      listener(found.rows.length),
    );
    return () => unsubscribe();
  },
  setAge: (id, age) => rows("UPDATE dogs SET age = $1 WHERE _id = $2", [age, id]),
  setWeights: (ids, weights) =>
    rows("UPDATE dogs SET weight = new.w FROM unnest($1::int[], $2::float8[]) AS new (id, w) WHERE _id = new.id", [
      ids,
      weights,
    ]),
  deleteMany: (ids) => rows("DELETE FROM dogs WHERE _id = ANY($1::int[])", [ids]),
  close: () => database.close(),
};
