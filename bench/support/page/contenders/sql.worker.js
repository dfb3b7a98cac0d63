// The worker's half of the two SQLites. They have no live queries: the query is run again after each change, and its whole
// result is sent.
import { LIVE } from "../../dogs.js";

const FIELDS = ["_id", "name", "breed", "age", "weight", "notes", "ownerId"];
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS dogs
    (_id INTEGER PRIMARY KEY, name TEXT, breed TEXT, age INTEGER, weight REAL, notes TEXT, ownerId INTEGER);
  CREATE INDEX IF NOT EXISTS by_breed_and_age ON dogs (breed, age)`;
const INSERT = `INSERT INTO dogs VALUES (${FIELDS.map(() => "?").join()})`;
const SELECT = `SELECT ${FIELDS.join()} FROM dogs`;
const COUNT = "SELECT count(*) FROM dogs";

/** What both are told, besides: to write through to the disk before a commit is reported. */
export const PRAGMAS = ["locking_mode=exclusive", "cache_size=-32000", "temp_store=memory", "synchronous=FULL"];

const values = (dog) => FIELDS.map((field) => dog[field]);
const dogOf = (row) => Object.fromEntries(FIELDS.map((field, at) => [field, row[at]]));

/** A driver opens and closes, executes SQL, gives all rows of a query, and runs a statement for many rows. */
export function serve(driver) {
  let isLive = false;
  let isDirty = false;
  const dogs = async (sql, bound) => (await driver.all(sql, bound)).map(dogOf);
  const transaction = async (sql, rows) => {
    await driver.all("BEGIN IMMEDIATE");
    await driver.each(sql, rows);
    await driver.all("COMMIT");
  };
  const answer = async (condition, bound) => {
    const [[count]] = await driver.all(`${COUNT} WHERE ${condition}`, bound);
    return { count, first: await dogs(`${SELECT} WHERE ${condition} ORDER BY name LIMIT 50`, bound) };
  };
  const tell = async () => {
    if (!isLive || !isDirty) return;
    isDirty = false;
    postMessage({ live: await dogs(`${SELECT} WHERE breed = ? AND age >= ?`, [LIVE.breed, LIVE.age]) });
  };
  const operations = {
    async open(name) {
      await driver.open(name);
      await driver.execute(SCHEMA);
    },
    insertMany: (all) => transaction(INSERT, all.map(values)),
    commit: (dog) => driver.all(INSERT, values(dog)),
    get: async (id) => (await dogs(`${SELECT} WHERE _id = ?`, [id]))[0],
    question: (age, breed) => answer("breed = ? AND age > ?", [breed, age]),
    contains: (needle) => answer("instr(notes, ?) > 0", [needle]),
    async live() {
      isLive = true;
      isDirty = true;
      driver.onUpdate(() => {
        isDirty = true;
      });
      await tell();
    },
    unlive() {
      isLive = false;
    },
    async setAge(id, age) {
      await driver.all("UPDATE dogs SET age = ? WHERE _id = ?", [age, id]);
      await tell();
    },
    setWeights: (ids, weights) =>
      transaction(
        "UPDATE dogs SET weight = ? WHERE _id = ?",
        ids.map((id, at) => [weights[at], id]),
      ),
    deleteMany: (ids) =>
      transaction(
        "DELETE FROM dogs WHERE _id = ?",
        ids.map((id) => [id]),
      ),
    close: () => driver.close(),
  };
  let queue = Promise.resolve();
  globalThis.onmessage = ({ data: { number, name, args } }) => {
    queue = queue.then(async () => {
      try {
        postMessage({ number, answer: await operations[name](...args) });
      } catch (error) {
        postMessage({ number, error: String(error?.stack ?? error) });
      }
    });
  };
  postMessage({ isStarted: true });
}
