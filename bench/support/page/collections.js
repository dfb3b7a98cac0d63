// What grows with the length of a collection: edits of lists, sets and dictionaries in loops, links, deletions, listeners.

const SCHEMA = [
  {
    name: "Thing",
    primaryKey: "_id",
    properties: { _id: "int", n: "int", text: "string", owner: "Owner" },
  },
  {
    name: "Owner",
    primaryKey: "_id",
    properties: {
      _id: "int",
      ints: "int[]",
      things: "Thing[]",
      parts: "Part[]",
      partsByName: "Part{}",
      set: "int<>",
      thingSet: "Thing<>",
      dict: "int{}",
      any: "mixed",
      back: { type: "linkingObjects", objectType: "Thing", property: "owner" },
    },
  },
  { name: "Part", embedded: true, properties: { n: "int" } },
];

const count = (n, make = (index) => index) => Array.from({ length: n }, (_, index) => make(index));
/** Numbers below `n` in an order of their own. */
const shuffled = (n) => count(n, (index) => (index * 7919) % n);

function fill({ realm, n }) {
  for (const index of shuffled(n)) realm.create("Thing", { _id: index, n: index, text: `t${index}` });
}

function fillList(scene) {
  fill(scene);
  scene.owner.things = [...scene.realm.objects("Thing")];
}

function fillOwners(scene) {
  fill(scene);
  scene.realm.objects("Thing").update("owner", scene.owner);
}

const ints = ({ owner, n }) => {
  owner.ints = count(n);
};
const parts = ({ owner, n }) => {
  owner.parts = count(n, (index) => ({ n: index }));
};
const set = ({ owner, n }) => {
  owner.set = count(n);
};
const dictionary = ({ owner, n }) => {
  owner.dict = Object.fromEntries(count(n, (index) => [`k${index}`, index]));
};
const repeat = (n, step) => {
  for (let index = 0; index < n; index++) step(index);
};

/** What is written first, and what is measured then; both in one transaction each. */
const WRITES = {
  "list: push": [undefined, ({ owner, n }) => repeat(n, (index) => owner.ints.push(index))],
  "list: unshift": [undefined, ({ owner, n }) => repeat(n, (index) => owner.ints.unshift(index))],
  "list: set each": [
    ints,
    ({ owner, n }) =>
      repeat(n, (index) => {
        owner.ints[index] = 1;
      }),
  ],
  "list: shift": [ints, ({ owner, n }) => repeat(n, () => owner.ints.shift())],
  "list: move to the end": [ints, ({ owner, n }) => repeat(n, () => owner.ints.move(0, n - 1))],
  "embedded: push": [undefined, ({ owner, n }) => repeat(n, (index) => owner.parts.push({ n: index }))],
  "embedded: set a property of each": [
    parts,
    ({ owner, n }) =>
      repeat(n, (index) => {
        owner.parts[index].n = 1;
      }),
  ],
  "embedded: delete each": [parts, ({ realm, owner, n }) => repeat(n, () => realm.delete(owner.parts[0]))],
  "embedded by key: set": [
    undefined,
    ({ owner, n }) =>
      repeat(n, (index) => {
        owner.partsByName[`k${index}`] = { n: index };
      }),
  ],
  "set: add in no order": [
    undefined,
    ({ owner, n }) =>
      shuffled(n).forEach((value) => {
        owner.set.add(value);
      }),
  ],
  "set: has": [set, ({ owner, n }) => repeat(n, (index) => owner.set.has(index))],
  "set: delete": [set, ({ owner, n }) => repeat(n, (index) => owner.set.delete(index))],
  "set of objects: has": [
    (scene) => {
      fill(scene);
      scene.owner.thingSet = [...scene.realm.objects("Thing")];
    },
    ({ realm, owner }) =>
      realm.objects("Thing").forEach((thing) => {
        owner.thingSet.has(thing);
      }),
  ],
  "dictionary: set": [
    undefined,
    ({ owner, n }) =>
      repeat(n, (index) => {
        owner.dict[`k${index}`] = index;
      }),
  ],
  "dictionary: get": [dictionary, ({ owner, n }) => repeat(n, (index) => owner.dict[`k${index}`])],
  "dictionary: remove": [dictionary, ({ owner, n }) => repeat(n, (index) => owner.dict.remove(`k${index}`))],
  "list in a mixed: push": [
    ({ owner }) => {
      owner.any = [];
    },
    ({ owner, n }) => repeat(n, (index) => owner.any.push(index)),
  ],
  "dictionary in a mixed: set": [
    ({ owner }) => {
      owner.any = {};
    },
    ({ owner, n }) =>
      repeat(n, (index) => {
        owner.any[`k${index}`] = index;
      }),
  ],
  "delete the objects of a list": [fillList, ({ realm }) => realm.delete(realm.objects("Thing"))],
  "delete each by primary key": [
    fill,
    ({ realm, n }) => repeat(n, (index) => realm.delete(realm.objectForPrimaryKey("Thing", index))),
  ],
  "links the other way round: take each away": [
    fillOwners,
    ({ realm }) =>
      realm.objects("Thing").forEach((thing) => {
        thing.owner = null;
      }),
  ],
  "results: set by position": [
    fill,
    ({ realm, n }) => {
      const things = realm.objects("Thing");
      repeat(n, (index) => {
        things[index].n = 1;
      });
    },
  ],
  "results: sorted, distinct": [
    fill,
    ({ realm }) => realm.objects("Thing").filtered("n >= 0 SORT(text ASC) DISTINCT(text)").length,
  ],
  "results: one of n / 10 values": [
    fill,
    ({ realm, n }) => realm.objects("Thing").filtered("n IN $0", count(n / 10)).length,
  ],
};

/** What happens after the first state is known, with a listener that is told of it. */
const TOLD = {
  "listener of a list: one change": [ints, ({ owner }) => owner.ints, ({ owner }) => owner.ints.push(1)],
  "listener of a list of objects: all in another order": [
    fillList,
    ({ owner }) => owner.things,
    ({ owner }) => {
      owner.things = [...owner.things].sort((a, b) => a.n - b.n);
    },
  ],
  "listener of sorted results: all change": [
    fill,
    ({ realm }) => realm.objects("Thing").sorted("n"),
    ({ realm, n }) =>
      realm.objects("Thing").forEach((thing) => {
        thing.n = (thing.n * 31 + 7) % n;
      }),
  ],
};

export function install(Realm) {
  globalThis.bench = { run: (_name, n) => measure(Realm, n) };
}

async function measure(Realm, n) {
  const found = {};
  for (const [name, [prepare, write]] of Object.entries(WRITES)) {
    const scene = open(Realm, n, prepare);
    const start = performance.now();
    scene.realm.write(() => write(scene));
    found[name] = performance.now() - start;
    scene.realm.close();
  }
  for (const [name, [prepare, collection, write]] of Object.entries(TOLD)) {
    const scene = open(Realm, n, prepare);
    let tell;
    const told = () =>
      new Promise((resolve) => {
        tell = resolve;
      });
    const first = told();
    collection(scene).addListener(() => tell());
    await first;
    const next = told();
    const start = performance.now();
    scene.realm.write(() => write(scene));
    await next;
    found[name] = performance.now() - start;
    scene.realm.close();
  }
  return found;
}

let opened = 0;

function open(Realm, n, prepare = () => {}) {
  opened += 1;
  const realm = new Realm({ path: `collections-${opened}`, inMemory: true, schema: SCHEMA });
  const owner = realm.write(() => realm.create("Owner", { _id: 1 }));
  const scene = { realm, owner, n };
  realm.write(() => prepare(scene));
  return scene;
}
