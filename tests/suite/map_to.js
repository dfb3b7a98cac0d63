// Properties that have another name in the store.
import Realm from "/dist/index.js";
import { equal, freshPath, throws } from "/tests/suite/support.js";

const Task = {
  name: "Task",
  primaryKey: "id",
  properties: {
    id: { type: "int", mapTo: "_id" },
    title: { type: "string", mapTo: "task_title" },
    next: { type: "object", objectType: "Task", mapTo: "next_task" },
    tags: { type: "list", objectType: "string", mapTo: "task_tags" },
    before: { type: "linkingObjects", objectType: "Task", property: "next" },
  },
};

export async function the_public_name_is_used_everywhere() {
  const realm = new Realm({ path: freshPath("map-to"), inMemory: true, schema: [Task] });
  const task = realm.write(() => realm.create("Task", { id: 1, title: "a", next: { id: 2, title: "b" }, tags: ["x"] }));
  equal(Object.keys(task), ["id", "title", "next", "tags", "before"]);
  equal([task.title, task.task_title, task.next.title, task.next.before[0].id], ["a", undefined, "b", 1]);
  equal(realm.objectForPrimaryKey("Task", 2).title, "b");
  equal([realm.objects("Task").max("id"), task.getPropertyType("title"), task.linkingObjectsCount()], [2, "string", 0]);
  const { title, id } = realm.schema[0].properties;
  const none = { default: undefined, presentation: undefined };
  equal(title, { ...none, name: "title", mapTo: "task_title", type: "string", indexed: false, optional: false });
  equal([id.mapTo, realm.schema[0].primaryKey], ["_id", "id"]);
  realm.write(() => {
    realm.create("Task", { id: 1, title: "c" }, "modified");
    equal(task.title, "c");
    realm.objects("Task").update("title", "d");
    throws(() => realm.create("Task", { id: 3, task_title: "x" }), "Missing value for property 'title'");
  });
  equal(
    [...realm.objects("Task")].map((each) => each.title),
    ["d", "d"],
  );
  throws(() => realm.objects("Task").min("_id"), "Property '_id' does not exist on 'Task' objects");
  realm.close();
}

export async function queries_know_both_names() {
  const realm = new Realm({ path: freshPath("map-to"), inMemory: true, schema: [Task] });
  realm.write(() => realm.create("Task", { id: 1, title: "a", next: { id: 2, title: "b" } }));
  const ids = (query) => [...realm.objects("Task").filtered(query)].map(({ id }) => id);
  equal([ids("title == 'b'"), ids("task_title == 'b'"), ids("next.title == 'b'")], [[2], [2], [1]]);
  equal([ids("before.@count == 1"), ids("before.id == 1")], [[2], [2]]);
  equal(
    [...realm.objects("Task").sorted("title", true)].map(({ id }) => id),
    [2, 1],
  );
  realm.close();
}

export async function the_store_has_the_other_name() {
  const path = freshPath("map-to");
  let realm = await Realm.open({ path, schema: [Task] });
  realm.write(() => realm.create("Task", { id: 1, title: "a", tags: ["x", "y"] }));
  realm.close();
  realm = await Realm.open({ path });
  const [task] = realm.objects("Task");
  equal(
    [Object.keys(task), task.task_title, [...task.task_tags]],
    [["_id", "task_title", "next_task", "task_tags"], "a", ["x", "y"]],
  );
  realm.close();
  realm = await Realm.open({ path, schema: [Task] });
  equal([realm.objects("Task")[0].title, [...realm.objects("Task")[0].tags]], ["a", ["x", "y"]]);
  realm.close();
  await Realm.deleteFile({ path });
}

export async function names_that_clash_are_refused() {
  const open = (properties) => () =>
    new Realm({ path: freshPath("map-to"), inMemory: true, schema: [{ name: "A", properties }] });
  const p = (mapTo) => ({ type: "int", mapTo });
  throws(open({ a: p("z"), b: p("z") }), "Property 'z' appears more than once in the schema for type 'A'.");
  throws(open({ a: p("b"), b: "int" }), "Property 'b' appears more than once in the schema for type 'A'.");
  throws(
    open({ p: p("q"), q: p("p") }),
    "Property 'A.q' has an alias 'p' that conflicts with a property of the same name.",
  );
}
