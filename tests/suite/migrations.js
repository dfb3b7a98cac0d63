// Changes of a local realm's schema.
import Realm from "/dist/index.js";
import { equal, freshPath, isTrue, rejects, throws } from "/tests/suite/support.js";

const A = (properties, primaryKey) => ({ name: "A", properties, primaryKey });

/** A closed realm of version 1 with these objects. */
async function stored(properties, objects, more = []) {
  const path = freshPath("migrations");
  const realm = await Realm.open({ path, schemaVersion: 1, schema: [A(properties), ...more] });
  realm.write(() => {
    for (const values of objects) realm.create("A", values);
  });
  await realm.waitForDurable();
  realm.close();
  return path;
}

const plain = (objects) => objects.map((object) => object.toJSON());

export async function a_migration_shows_the_old_realm_and_fills_the_new_one() {
  const path = await stored({ first: "string", last: "string", age: "int" }, [
    { first: "Jo", last: "Doe", age: 7 },
    { first: "Al", last: "Roe", age: 8 },
  ]);
  let kept;
  const config = {
    path,
    schemaVersion: 2,
    schema: [A({ name: "string", age: "int?", nick: "string?" })],
    onMigration(oldRealm, newRealm) {
      kept = [oldRealm, newRealm];
      equal([oldRealm.schemaVersion, newRealm.schemaVersion], [1, 2]);
      equal([oldRealm.isInMigration, newRealm.isInMigration, newRealm.isInTransaction], [false, true, true]);
      equal([oldRealm.isReadOnly, newRealm.isReadOnly, oldRealm.path], [true, false, newRealm.path]);
      equal(Object.keys(oldRealm.schema[0].properties), ["first", "last", "age"]);
      equal(Object.keys(newRealm.schema[0].properties), ["name", "age", "nick"]);
      throws(() => oldRealm.write(() => {}), "read-only");
      throws(() => newRealm.write(() => {}), "The Realm is already in a write transaction");
      throws(() => newRealm.commitTransaction(), "The transaction of a migration ends with the migration.");
      const before = oldRealm.objects("A");
      const after = newRealm.objects("A");
      equal(plain(after), [
        { age: 7, name: "", nick: null },
        { age: 8, name: "", nick: null },
      ]);
      for (const [index, { first, last }] of before.entries()) after[index].name = `${first} ${last}`;
      newRealm.create("A", { name: "new", age: null });
    },
  };
  const realm = await Realm.open(config);
  equal([kept[0].isClosed, kept[1].isClosed, realm.isInMigration, realm.schemaVersion], [true, true, false, 2]);
  const names = [...realm.objects("A")].map(({ name }) => name);
  equal(names, ["Jo Doe", "Al Roe", "new"]);
  realm.close();
  equal(Realm.schemaVersion(path), 2);
  const again = await Realm.open({ ...config, onMigration: () => isTrue(false, "no second migration") });
  equal(again.objects("A").length, 3);
  again.close();
  await Realm.deleteFile({ path });
}

export async function a_migration_that_throws_changes_nothing() {
  const path = await stored({ x: "int" }, [{ x: 1 }, { x: 2 }]);
  const schema = [A({ y: "int" }, "y")];
  const failing = (onMigration) => Realm.open({ path, schemaVersion: 2, schema, onMigration });
  const thrown = failing((_, newRealm) => {
    newRealm.deleteAll();
    throw new Error("no luck");
  });
  await rejects(thrown, "no luck");
  await rejects(
    failing(() => {}),
    "Primary key property 'A.y' has duplicate values after migration.",
  );
  await rejects(
    Realm.open({ path, schemaVersion: 2, schema }),
    "Primary key property 'A.y' has duplicate values after migration.",
  );
  equal(Realm.schemaVersion(path), 1);
  let realm = await Realm.open({ path });
  equal([realm.schemaVersion, plain(realm.objects("A"))], [1, [{ x: 1 }, { x: 2 }]]);
  realm.close();
  let number = 0;
  realm = await failing((_, newRealm) => {
    for (const object of newRealm.objects("A")) object.y = ++number;
    equal(newRealm.objectForPrimaryKey("A", 2).y, 2);
  });
  equal(realm.objectForPrimaryKey("A", 1).y, 1);
  realm.close();
  await Realm.deleteFile({ path });
}

export async function a_migration_may_change_primary_keys() {
  const path = freshPath("migrations");
  const schema = [A({ id: "int", name: "string" }, "id")];
  const open = (schemaVersion, onMigration) => Realm.open({ path, schema, schemaVersion, onMigration });
  let realm = await open(0);
  realm.write(() => {
    for (let id = 0; id < 3; id++) realm.create("A", { id, name: `a${id}` });
  });
  throws(() => realm.write(() => Object.assign(realm.objects("A")[0], { id: 9 })), "primary key");
  realm.close();
  realm = await open(1, (_, newRealm) => {
    for (const object of newRealm.objects("A")) object.id += 1;
  });
  equal(
    [0, 1, 2, 3].map((id) => realm.objectForPrimaryKey("A", id)?.name),
    [undefined, "a0", "a1", "a2"],
  );
  realm.close();
  await Realm.deleteFile({ path });
}

export async function what_takes_a_migration_is_named() {
  const path = await stored({ x: "int", y: "string?", z: "double" }, []);
  const open = (schemaVersion, properties, primaryKey) =>
    Realm.open({ path, schemaVersion, schema: [A(properties, primaryKey)] });
  await rejects(
    open(1, { x: "string", y: "string", n: "int[]" }, "x"),
    [
      "Migration is required due to the following errors:",
      "- Property 'A.x' has been changed from 'int' to 'string'.",
      "- Property 'A.y' has been made required.",
      "- Property 'A.z' has been removed.",
      "- Property 'A.n' has been added.",
      "- Primary Key for class 'A' has been added.",
    ].join("\n"),
  );
  await rejects(open(0, { x: "int" }), "Provided schema version 0 is less than last set version 1.");
  await rejects(
    Realm.open({ path, schemaVersion: 2, readOnly: true, schema: [A({ x: "int" })] }),
    "Provided schema version 2 does not equal last set version 1.",
  );
  const indexed = { x: { type: "int", indexed: true }, y: "string?", z: "double" };
  const realm = await Realm.open({
    path,
    schemaVersion: 1,
    schema: [A(indexed), { name: "B", properties: { b: "int" } }],
  });
  equal(
    realm.schema.map(({ name }) => name),
    ["A", "B"],
  );
  realm.close();
  const rest = await Realm.open({ path, schemaVersion: 1, schema: [{ name: "B", properties: { b: "int" } }] });
  rest.close();
  const all = await Realm.open({ path });
  equal(
    all.schema.map(({ name, properties }) => [name, Object.keys(properties)]),
    [
      ["A", ["x", "y", "z"]],
      ["B", ["b"]],
    ],
  );
  isTrue(all.schema[0].properties.x.indexed, "an index");
  all.close();
  await Realm.deleteFile({ path });
}

export async function values_are_kept_where_they_fit() {
  const other = { name: "B", properties: { b: "int" } };
  const path = await stored(
    { keep: "int", opt: "string?", req: "string", type: "int", list: "int?[]", b: "B" },
    [{ keep: 1, opt: null, req: "r", type: 3, list: [1, null], b: { b: 5 } }],
    [other],
  );
  const properties = {
    keep: "int",
    opt: "string",
    req: "string?",
    type: "string",
    list: "int[]",
    b: "B",
    more: "date?",
  };
  const realm = await Realm.open({ path, schemaVersion: 2, schema: [A(properties), other] });
  const [object] = realm.objects("A");
  equal(
    [object.keep, object.opt, object.req, object.type, [...object.list], object.b.b, object.more],
    [1, "", "r", "", [1, 0], 5, null],
  );
  realm.close();
  await Realm.deleteFile({ path });
}

export async function a_realm_may_start_over_instead() {
  const path = await stored({ x: "int" }, [{ x: 1 }]);
  const open = (schemaVersion, properties) =>
    Realm.open({ path, schemaVersion, schema: [A(properties)], deleteRealmIfMigrationNeeded: true });
  for (const [version, properties, length] of [
    [1, { x: "int" }, 1],
    [1, { x: "string" }, 0],
    [0, { x: "string" }, 0],
    [5, { x: "string" }, 0],
  ]) {
    const realm = await open(version, properties);
    equal([realm.objects("A").length, realm.schemaVersion], [length, version]);
    realm.close();
  }
  await Realm.deleteFile({ path });
}

export async function a_class_is_deleted_with_its_objects() {
  const schema = [A({ x: "int" }), { name: "B", properties: { a: "A" } }, { name: "C", properties: { c: "int" } }];
  const path = freshPath("migrations");
  let realm = await Realm.open({ path, schema, schemaVersion: 4 });
  const other = await Realm.open({ path });
  const heard = [];
  other.addListener("schema", (_, name, classes) => heard.push([name, classes.map((declared) => declared.name)]));
  realm.write(() => {
    realm.create("B", { a: { x: 1 } });
    realm.create("C", { c: 1 });
  });
  throws(() => realm.deleteModel("B"), "Can only delete objects within a transaction.");
  realm.beginTransaction();
  throws(() => realm.deleteModel("A"), "Cannot remove class_A that is target of outside links");
  realm.deleteModel("B");
  equal([realm.schemaVersion, realm.schema.length, other.schema.length], [5, 2, 2]);
  throws(() => realm.objects("B"), "not found in schema");
  realm.cancelTransaction();
  equal([realm.schemaVersion, realm.objects("B").length, other.objects("B")[0].a.x], [4, 1, 1]);
  realm.write(() => realm.deleteModel("B"));
  realm.write(() => realm.deleteModel("A"));
  equal([realm.schemaVersion, other.schemaVersion, realm.objects("C").length], [6, 6, 1]);
  equal(heard[0], ["schema", ["A", "C"]]);
  equal(heard.at(-1), ["schema", ["C"]]);
  realm.close();
  other.close();
  realm = await Realm.open({ path, schema, schemaVersion: 6 });
  equal([realm.objects("A").length, realm.objects("B").length, realm.objects("C").length], [0, 0, 1]);
  realm.write(() => realm.create("B", { a: { x: 2 } }));
  realm.close();
  realm = await Realm.open({
    path,
    schema: [schema[2]],
    schemaVersion: 7,
    onMigration: (_, newRealm) => {
      newRealm.deleteModel("B");
      newRealm.deleteModel("C");
    },
  });
  equal([realm.schemaVersion, realm.objects("C").length], [7, 0]);
  realm.close();
  realm = await Realm.open({ path });
  equal(realm.schema.map(({ name }) => name).sort(), ["A", "C"]);
  realm.close();
  await Realm.deleteFile({ path });
}

export async function a_schema_grows_inside_a_transaction() {
  class Animal extends Realm.Object {
    static schema = { name: "A", properties: { x: "int" } };
    double() {
      return 2 * this.x;
    }
  }
  const path = freshPath("migrations");
  let realm = await Realm.open({ path, schema: [Animal] });
  const other = await Realm.open({ path, schema: [Animal] });
  const heard = [];
  realm.addListener("schema", (_, name, classes) => heard.push([name, classes.map((declared) => declared.name)]));
  const B = { name: "B", primaryKey: "_id", properties: { _id: "int", a: "A", on: { type: "bool", default: true } } };
  throws(() => realm._updateSchema([...realm.schema, B]), "Can only create object schema within a transaction.");
  realm.write(() => {
    throws(() => realm._updateSchema([...realm.schema, { name: "C" }]), "Expected 'properties' on 'C' to be an object");
    throws(
      () => realm._updateSchema([{ name: "A", properties: { x: "string" } }]),
      "Property 'A.x' has been changed from",
    );
    throws(() => realm._updateSchema([{ name: "A", properties: { y: "int" } }]), "Property 'A.x' has been removed.");
  });
  equal([realm.schemaVersion, heard], [0, []]);
  realm.beginTransaction();
  realm._updateSchema([...realm.schema, B]);
  equal(realm.create("B", { _id: 1 }).on, true);
  realm.cancelTransaction();
  throws(() => realm.objects("B"), "Object type 'B' not found in schema.");
  equal([realm.schemaVersion, realm.schema.length, heard.length], [0, 1, 2]);
  const results = realm.objects("A");
  realm.write(() => {
    const before = realm.create("A", { x: 2 });
    realm._updateSchema([...realm.schema, B]);
    realm.create("B", { _id: 1, a: before });
    const [A] = realm.schema;
    realm._updateSchema([{ ...A, properties: { ...A.properties, name: "string?", bs: "B[]" } }, realm.schema[1]]);
    realm.create("A", { x: 3, name: "new", bs: [realm.objectForPrimaryKey("B", 1)] });
  });
  equal([realm.schemaVersion, heard.at(-1)], [2, ["schema", ["A", "B"]]]);
  const said = (realm) => [realm.objects("A").map((a) => [a.double(), a.name]), realm.objectForPrimaryKey("B", 1).a.x];
  for (const instance of [realm, other])
    equal(said(instance), [
      [
        [4, null],
        [6, "new"],
      ],
      2,
    ]);
  equal([results.length, results.filtered("ANY bs.on == true").length], [2, 1]);
  realm.close();
  other.close();
  realm = await Realm.open({ path });
  equal([realm.schemaVersion, realm.schema.map(({ name }) => name)], [2, ["A", "B"]]);
  equal(
    realm.objects("A").map(({ x, name }) => [x, name]),
    [
      [2, null],
      [3, "new"],
    ],
  );
  realm.close();
  await Realm.deleteFile({ path });
}

export async function objects_of_class_models_migrate() {
  class Person extends Realm.Object {
    static schema = { name: "Person", properties: { name: "string" } };
    greet() {
      return `I am ${this.name}`;
    }
  }
  const path = freshPath("migrations");
  let realm = await Realm.open({ path, schema: [{ name: "Person", properties: { called: "string" } }] });
  realm.write(() => realm.create("Person", { called: "Jo" }));
  realm.close();
  realm = await Realm.open({
    path,
    schema: [Person],
    schemaVersion: 1,
    onMigration(oldRealm, newRealm) {
      const [before] = oldRealm.objects(Person);
      const [after] = newRealm.objects(Person);
      isTrue(after instanceof Person, "a Person");
      after.name = before.called;
    },
  });
  equal(realm.objects(Person)[0].greet(), "I am Jo");
  realm.close();
  await Realm.deleteFile({ path });
}

export async function objects_are_embedded_if_each_has_one_owner() {
  const home = (embedded) => ({ name: "Home", embedded, properties: { city: "string" } });
  const owner = A({ home: "Home?", homes: "Home[]" });
  const path = freshPath("migrations");
  let realm = await Realm.open({ path, schema: [owner, home(false)] });
  realm.write(() => {
    const shared = realm.create("Home", { city: "shared" });
    realm.create("Home", { city: "lost" });
    realm.create("A", { home: shared, homes: [shared] });
    realm.create("A", { home: shared });
  });
  realm.close();
  const config = { path, schema: [owner, home(true)], schemaVersion: 1 };
  await rejects(Realm.open(config), "Cannot convert 'Home' to embedded: at least one object has");
  realm = await Realm.open({ ...config, migrationOptions: { resolveEmbeddedConstraints: true } });
  const [one, two] = realm.objects("A");
  equal([one.home.city, one.homes[0].city, two.home.city], ["shared", "shared", "shared"]);
  realm.write(() => {
    one.home.city = "own";
  });
  equal([one.homes[0].city, two.home.city], ["shared", "shared"]);
  realm.close();
  await Realm.deleteFile({ path });
}
