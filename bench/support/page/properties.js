// Reads of one property through live objects, type by type, with Ebbtide or with Realm: the API is the same.
import { median } from "../figures.mjs";

const OBJECTS = 1000;
const WARM_UP_PASSES = 20;
const LEAST_MS = 100;

const Owner = { name: "Owner", primaryKey: "_id", properties: { _id: "int", name: "string" } };
const Thing = {
  name: "Thing",
  primaryKey: "_id",
  properties: {
    _id: "int",
    bool: "bool",
    int: "int",
    double: "double",
    string: "string",
    longString: "string",
    date: "date",
    data: "data",
    objectId: "objectId",
    uuid: "uuid",
    nothing: "int?",
    link: "Owner",
    list: "int[]",
  },
};

/** How a property is read, and what must come out of the first object. */
const READS = {
  bool: { read: "object.bool", right: "true" },
  int: { read: "object.int", right: "7" },
  double: { read: "object.double", right: "0.5" },
  "string of 12": { read: "object.string", right: "Bacadefogihu" },
  "string of 100": { read: "object.longString", right: "x".repeat(100) },
  date: { read: "object.date", right: String(new Date(86_400_000)) },
  "data of 16 bytes": { read: "object.data", right: "[object ArrayBuffer]" },
  objectId: { read: "object.objectId", right: "0123456789abcdef01234567" },
  uuid: { read: "object.uuid", right: "00112233-4455-6677-8899-aabbccddeeff" },
  "int?, null": { read: "object.nothing", right: "null" },
  link: { read: "object.link", right: "[object Owner]" },
  "link and its string": { read: "object.link.name", right: "Ada" },
  "list and its length": { read: "object.list.length", right: "3" },
  "list and its first int": { read: "object.list[0]", right: "10" },
};

export function install(Realm) {
  globalThis.bench = { run: () => measure(Realm) };
}

async function measure(Realm) {
  const { ObjectId, UUID } = Realm.BSON;
  const realm = await Realm.open({ path: "properties", schema: [Owner, Thing] });
  realm.write(() => {
    const link = realm.create("Owner", { _id: 1, name: "Ada" });
    for (let at = 0; at < OBJECTS; at++) {
      realm.create("Thing", {
        _id: at,
        bool: at % 2 === 0,
        int: at + 7,
        double: at + 0.5,
        string: "Bacadefogihu",
        longString: "x".repeat(100),
        date: new Date(86_400_000 + at),
        data: new ArrayBuffer(16),
        objectId: new ObjectId("0123456789abcdef01234567"),
        uuid: new UUID("00112233-4455-6677-8899-aabbccddeeff"),
        nothing: null,
        link,
        list: [10, 20, 30],
      });
    }
  });
  const objects = [...realm.objects("Thing").sorted("_id")];
  const found = {};
  for (const [name, { read, right }] of Object.entries(READS)) {
    const [one, all] = readers(read);
    const value = one(objects[0]);
    const is = name === "link" ? `[object ${value.objectSchema().name}]` : String(value);
    if (is !== right) throw new Error(`WRONG ANSWER: ${name} is ${is}, not ${right}`);
    found[name] = nanoseconds(() => all(objects));
  }
  return found;
}

/** A loop of its own for each property, as an application has it: one in common would be slow for everybody. */
function readers(read) {
  const loop = `let last; for (const object of objects) last = ${read}; return last;`;
  return [new Function("object", `return ${read};`), new Function("objects", loop)];
}

/** Each read, in the median pass: other work on the machine falls into few of them. */
function nanoseconds(pass) {
  for (let times = 0; times < WARM_UP_PASSES; times++) pass();
  const times = [];
  const end = performance.now() + LEAST_MS;
  do {
    const start = performance.now();
    pass();
    times.push(performance.now() - start);
  } while (performance.now() < end);
  return (median(times) * 1e6) / OBJECTS;
}
