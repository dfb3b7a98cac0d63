// Key paths: which changes a listener asks to be told of.
import { Dog, memoryRealm, Person } from "/tests/suite/models.js";
import { Calls, changes, equal, freshPath, throws, turn } from "/tests/suite/support.js";

const Node = {
  name: "Node",
  primaryKey: "_id",
  properties: {
    _id: "int",
    value: "int?",
    text: { type: "string", optional: true },
    next: "Node",
    list: "Node[]",
    numbers: "int[]",
  },
};

/** A realm with a chain of nodes, 0 to 7, each of which leads to the following one by `next` and by `list`. */
async function withNodes(test) {
  const realm = memoryRealm(freshPath("key-paths"), [Node]);
  realm.write(() => {
    let next = null;
    for (let _id = 7; _id >= 0; _id--) next = realm.create("Node", { _id, next, list: next ? [next] : [] });
  });
  const node = (id) => realm.objectForPrimaryKey("Node", id);
  try {
    await test(realm, node);
  } finally {
    realm.close();
  }
}

/** Calls `write` and gives the change sets that listeners, by their names, were told of. */
async function told(realm, listeners, write) {
  for (const calls of Object.values(listeners)) calls.all.length = 0;
  realm.write(write);
  await turn();
  await turn();
  return Object.keys(listeners)
    .filter((name) => listeners[name].count > 0)
    .join(" ");
}

async function listening(subjects) {
  const listeners = {};
  for (const [name, [subject, keyPaths]] of Object.entries(subjects)) {
    listeners[name] = new Calls();
    subject.addListener(listeners[name].callback, keyPaths);
  }
  for (const calls of Object.values(listeners)) await calls.next("a first call");
  return listeners;
}

export async function a_collection_listener_with_key_paths_hears_of_these_only() {
  await withNodes(async (realm, node) => {
    const first = () => realm.objects("Node").filtered("_id == 0");
    const listeners = await listening({
      any: [first()],
      value: [first(), "value"],
      list: [first(), ["text", "list"]],
      far: [first(), "next.value"],
      through: [first(), "list.list.value"],
      none: [first(), []],
      star: [first(), "*"],
      stars: [first(), "*.*"],
      starred: [first(), "*.value"],
    });
    const after = (write) => told(realm, listeners, write);
    equal(await after(() => (node(0).value = 1)), "any value star stars");
    equal(await after(() => (node(0).text = "x")), "any list star stars");
    equal(await after(() => node(0).numbers.push(1)), "any star stars");
    equal(await after(() => (node(1).value = 1)), "any far stars starred");
    equal(await after(() => (node(2).value = 1)), "any through");
    equal(await after(() => (node(3).value = 1)), "any");
    equal(await after(() => (node(4).value = 1)), "", "four links away");
    equal(await after(() => (node(0).next = node(2))), "any far star stars starred");
    equal(await after(() => node(0).list.push(node(3))), "any list through star stars starred");
    equal(await after(() => realm.delete(node(0))), "any value list far through none star stars starred");
    equal(listeners.none.all[0][1], changes({ deletions: [0] }));
  });
}

export async function an_object_listener_with_key_paths_hears_of_linked_objects_too() {
  await withNodes(async (realm, node) => {
    const listeners = await listening({
      any: [node(0)],
      value: [node(0), "value"],
      far: [node(0), "next.value"],
      through: [node(0), ["list.list.value", "text"]],
      none: [node(0), []],
      deep: [node(0), "next.next.next.next.next.next.value"],
    });
    const after = (write) => told(realm, listeners, write);
    equal(await after(() => (node(0).value = 1)), "any value");
    equal(await after(() => (node(1).value = 1)), "far", "no change inside a linked object without a key path");
    equal(listeners.far.all[0][1], { changedProperties: ["next"], deleted: false });
    equal(await after(() => (node(2).value = 1)), "through");
    equal(listeners.through.all[0][1], { changedProperties: ["list"], deleted: false });
    equal(await after(() => (node(6).value = 1)), "deep", "farther than listeners without key paths hear");
    equal(await after(() => realm.delete(node(0))), "any value far through none deep");
    equal(listeners.none.all[0][1], { changedProperties: [], deleted: true });
  });
}

export async function a_list_listener_with_key_paths_always_hears_of_the_list_itself() {
  await withNodes(async (realm, node) => {
    const { list } = node(0);
    const listeners = await listening({ value: [list, "value"], any: [node(0).list] });
    const after = (write) => told(realm, listeners, write);
    equal(await after(() => (node(1).value = 1)), "value any");
    equal(listeners.value.all[0][1], changes({ oldModifications: [0], newModifications: [0] }));
    equal(await after(() => (node(1).text = "x")), "any");
    equal(await after(() => list.push(node(5))), "value any");
    equal(await after(() => (list[0] = node(6))), "value any");
  });
}

export async function the_listeners_of_one_object_or_collection_share_their_key_paths() {
  await withNodes(async (realm, node) => {
    const [subject, collection] = [node(0), realm.objects("Node").filtered("_id == 0")];
    const listeners = await listening({ a: [subject, "value"], b: [collection, "value"] });
    const [text, alike] = [new Calls(), new Calls()];
    subject.addListener(text.callback, "text");
    collection.addListener(alike.callback, "text");
    await text.next();
    await alike.next();
    equal(await told(realm, listeners, () => (node(0).text = "x")), "a b");
    equal(listeners.a.all[0][1].changedProperties, ["text"]);
    equal(await told(realm, listeners, () => node(0).numbers.push(1)), "");
    subject.removeListener(text.callback);
    collection.removeListener(alike.callback);
    equal(await told(realm, listeners, () => (node(0).text = "y")), "");
    subject.addListener(text.callback);
    await text.next();
    equal(await told(realm, listeners, () => node(0).numbers.push(2)), "a");
    equal(listeners.a.all[0][1].changedProperties, ["numbers"]);
  });
}

export async function wrong_key_paths_are_refused_and_nothing_listens() {
  await withNodes(async (realm, node) => {
    const calls = new Calls();
    const refused = (keyPaths, message) => {
      for (const subject of [realm.objects("Node"), node(0), node(0).list]) {
        throws(() => subject.addListener(calls.callback, keyPaths), message);
      }
    };
    refused("nope", "Property 'nope' in KeyPath 'nope' is not a valid property in Node.");
    refused("", "Property '' in KeyPath '' is not a valid property in Node.");
    refused(["value", "next.nope"], "Property 'nope' in KeyPath 'next.nope' is not a valid property in Node.");
    refused("val*", "Property 'val*' in KeyPath 'val*' is not a valid property in Node.");
    const inner =
      "is not a collection of objects or an object reference, so it cannot be used as an intermediate keypath element.";
    refused("value.x", `Property 'value' in KeyPath 'value.x' ${inner}`);
    refused("numbers.x", `Property 'numbers' in KeyPath 'numbers.x' ${inner}`);
    refused(5, "Expected 'keyPaths' to be a string or an array of strings, got a number");
    refused([5], "Expected 'key path' to be a string, got a number");
    throws(() => node(0).numbers.addListener(calls.callback, "value"), "Key paths lead from objects");
    const listeners = await listening({ odd: [realm.objects("Node"), "*.nope"], none: [realm.objects("Node"), null] });
    equal(await told(realm, listeners, () => (node(0).value = 5)), "none", "after a wildcard nothing has to be there");
    equal(calls.count, 0);
  });
}

export async function classes_listen_by_key_paths_as_schemas_do() {
  const realm = memoryRealm(freshPath("key-paths"), [Dog, Person]);
  const owner = realm.write(() => realm.create("Person", { name: "Ann" }));
  realm.write(() => realm.create(Dog, { _id: 1, name: "Rex", owner }));
  const calls = new Calls();
  realm.objects(Dog).addListener(calls.callback, ["owner.name"]);
  await calls.next();
  realm.write(() => {
    owner.name = "Jo";
  });
  equal((await calls.next())[1], changes({ oldModifications: [0], newModifications: [0] }));
  realm.close();
}
