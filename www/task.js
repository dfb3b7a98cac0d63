// What the two clients share.
import Realm from "/ebbtide/index.js";

export class Task extends Realm.Object {
  static schema = {
    name: "Task",
    primaryKey: "_id",
    properties: {
      _id: "objectId",
      title: "string",
      done: { type: "bool", default: false },
      points: { type: "int", default: 0 },
      owner: "string",
      created: "date",
    },
  };
}

/** The property that the demo's breaking schema change drops. */
export const FRAGILE = { property: "points", type: "int" };

/** The properties that are shown and compared. */
export const FIELDS = ["title", "done", "points", "owner"];

const FIRST_TITLES = ["Check the mooring lines", "Log the tide at noon", "Refill the water tanks", "Order new charts"];

export function addTask(realm, title, owner) {
  return realm.write(() => realm.create(Task, { _id: new Realm.BSON.ObjectId(), title, owner, created: new Date() }));
}

/** Something to look at on the first visit. */
export function addFirstTasks(realm, owner) {
  const now = Date.now();
  realm.write(() => {
    FIRST_TITLES.forEach((title, index) => {
      const created = new Date(now + index);
      realm.create(Task, { _id: new Realm.BSON.ObjectId(), title, owner, created, points: index + 1 });
    });
  });
}

/** All tasks of a realm as they are now, by id. A realm of an older schema may lack properties. */
export function tasksOf(realm) {
  const tasks = new Map();
  for (const task of realm.objects("Task"))
    tasks.set(
      task._id.toHexString(),
      valuesOf((field) => task[field]),
    );
  return tasks;
}

/** The same from the server's JSON. */
export function tasksOfServer(objects) {
  return new Map(objects.map((object) => [object._id.$oid, valuesOf((field) => object[field])]));
}

function valuesOf(read) {
  return Object.fromEntries(FIELDS.map((field) => [field, normal(read(field))]));
}

function normal(value) {
  return typeof value === "bigint" ? Number(value) : value;
}

/** One property's value in words. */
export function fieldInWords(field, value) {
  if (value === undefined) return `no ${field}`;
  if (field === "done") return value ? "done" : "open";
  if (field === "points") return `${value} ${value === 1 ? "point" : "points"}`;
  return String(value);
}
