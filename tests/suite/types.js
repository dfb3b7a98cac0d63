// Every type, as it goes in and as it comes out; schemas.
import Realm, { BSON } from "/dist/index.js";
import { Dog, Everything, everything, memoryRealm, Person } from "/tests/suite/models.js";
import { equal, freshPath, isTrue, throws } from "/tests/suite/support.js";

/** What is equal for objects with equal values, whatever realm they are in. */
export function plain(object) {
  const result = {};
  for (const [name, value] of Object.entries(object)) {
    if (value instanceof Realm.List)
      result[name] = Array.from(value, (item) => (item?.objectSchema ? String(item._id) : item));
    else result[name] = value?.objectSchema ? String(value._id) : value;
  }
  return result;
}

export async function documents_become_bson_and_are_themselves_again() {
  const small = { _id: new BSON.ObjectId(), list: [1.5, "a"] };
  for (const document of [small, { ...small, text: "é".repeat(1 << 20) }, small]) {
    equal(BSON.deserialize(BSON.serialize(document)), document);
  }
}

export async function every_type_reads_back_as_it_was_written() {
  const realm = memoryRealm(freshPath("types"));
  const values = everything();
  const object = realm.write(() => realm.create("Everything", values));
  equal(plain(object), { ...values, link: null, links: [] });
  isTrue(object.data instanceof ArrayBuffer && object.optData.byteLength === 0, "data as ArrayBuffer");
  isTrue(object._id instanceof BSON.ObjectId && object.uuid instanceof BSON.UUID, "the BSON classes");
  isTrue(object.date instanceof Date && object.dates[0] instanceof Date, "dates as Date");
  equal([typeof object.int, typeof object.optInt], ["number", "bigint"], "an int outside of the safe range");
  equal(realm.objectForPrimaryKey("Everything", values._id).string, values.string);
  realm.write(() => {
    object.link = object;
    object.links = [object, object];
    object.data = new Uint8Array([9, 8]).subarray(1);
    object.int = -9007199254740991;
    object.double = Number.NEGATIVE_INFINITY;
    object.optUuid = values.uuid;
    object.optInt = undefined;
  });
  equal([object.link._id.equals(object._id), object.links.length], [true, 2]);
  equal(
    [object.data, object.int, object.double, object.optInt],
    [new Uint8Array([8]).buffer, -9007199254740991, Number.NEGATIVE_INFINITY, null],
  );
  equal(object.optUuid.toString(), values.uuid.toString());
  realm.close();
}

export async function values_of_a_wrong_type_are_refused() {
  const realm = memoryRealm(freshPath("types"));
  realm.write(() => {
    const object = realm.create("Everything", everything());
    const cases = [
      ["bool", 1, "Expected value to be a boolean, got a number (Everything.bool)"],
      ["double", "1", "Expected value to be a number, got a string (Everything.double)"],
      ["double", null, "Expected value to be a number, got null (Everything.double)"],
      ["date", 5, "Expected value to be an instance of Date, got a number (Everything.date)"],
      ["date", new Date(Number.NaN), "Expected value to be a valid date, got an instance of Date (Everything.date)"],
      ["data", 5, "Expected value to be an instance of ArrayBuffer, got a number (Everything.data)"],
      ["objectId", "zz", "Expected value to be an instance of ObjectId, got a string (Everything.objectId)"],
      ["uuid", "zz", "Expected value to be an instance of UUID, got a string (Everything.uuid)"],
      ["int", 2n ** 63n, "to fit in 64 bits"],
      ["int", Number.NaN, "NaN"],
      ["link", realm, "Expected value to be an instance of ObjectId, got undefined (Everything._id)"],
      ["ints", [1, null], "Expected 'ints[1]' to be a number or bigint, got null"],
      ["links", [null], "Expected 'links[0]' to be an object, got null"],
    ];
    const before = [...object.ints];
    for (const [name, value, message] of cases) {
      throws(() => {
        object[name] = value;
      }, message);
    }
    equal([...object.ints], before);
  });
  realm.close();
}

export async function defaults_are_values_or_functions() {
  let count = 0;
  const schema = {
    name: "Note",
    primaryKey: "_id",
    properties: {
      _id: {
        type: "int",
        default: () => {
          count += 1;
          return count;
        },
      },
      text: { type: "string", default: "empty" },
      tags: { type: "list", objectType: "string", default: ["new"] },
      at: { type: "date", default: () => new Date(5) },
      next: { type: "object", objectType: "Note" },
    },
  };
  const realm = new Realm({ path: freshPath("types"), inMemory: true, schema: [schema] });
  const [one, two] = realm.write(() => [realm.create("Note", {}), realm.create("Note", { text: "mine", next: {} })]);
  equal([one._id, one.text, [...one.tags], one.at.getTime()], [1, "empty", ["new"], 5]);
  equal([two.text, two.next.text, realm.objects("Note").length], ["mine", "empty", 3]);
  equal(Realm.createTemplateObject(schema).text, "empty");
  realm.close();
}

export async function the_schema_reads_back_in_full() {
  const realm = memoryRealm(freshPath("types"), [Dog, Person]);
  const [dog, person] = realm.schema;
  equal([dog.name, dog.primaryKey, dog.embedded, dog.asymmetric, dog.ctor === Dog], ["Dog", "_id", false, false, true]);
  const none = { default: undefined, presentation: undefined };
  const age = { ...none, indexed: false, mapTo: "age", name: "age", optional: false, type: "int", default: 3 };
  equal(dog.properties.age, age);
  equal(dog.properties._id, { ...none, indexed: true, mapTo: "_id", name: "_id", optional: false, type: "int" });
  equal(dog.properties.owner, {
    ...none,
    indexed: false,
    mapTo: "owner",
    name: "owner",
    objectType: "Person",
    optional: true,
    type: "object",
  });
  equal(dog.properties.tags, {
    ...none,
    indexed: false,
    mapTo: "tags",
    name: "tags",
    objectType: "string",
    optional: false,
    type: "list",
  });
  equal(Object.keys(person.properties), ["name", "dogs"]);
  const ofObject = realm.write(() => realm.create(Dog, { _id: 1, name: "Rex" })).objectSchema();
  equal([ofObject, ofObject.ctor === Dog], [dog, true]);
  equal(realm.schemaVersion, 0);
  realm.close();
}

export async function malformed_schemas_are_refused_by_name() {
  const open = (schema) => () => new Realm({ path: freshPath("types"), inMemory: true, schema });
  const one = (properties, rest = {}) => open([{ name: "A", properties, ...rest }]);
  const property = (message) => `Invalid type declaration for property 'a' on 'A': ${message}`;
  throws(open({}), "Expected 'realm schema' to be an array, got an object");
  throws(open([5]), "Invalid schema for unnamed object: Expected 'object schema' to be an object, got a number");
  throws(open([{ properties: {} }]), "Expected 'name' on object schema to be a string, got undefined");
  throws(one(5), "Invalid schema for object 'A': Expected 'properties' on 'A' to be an object, got a number");
  throws(one({ a: "int" }, { zork: 1 }), "Unexpected field(s) found on the schema for object 'A': 'zork'.");
  throws(
    one({ a: "int" }, { primaryKey: "z" }),
    "'z' is set as the primary key field but was not found in 'properties'.",
  );
  throws(one({ a: "" }), property("The type must be specified."));
  throws(one({ a: "int?[]?" }), property("Collections cannot be optional."));
  throws(one({ a: "A?[]" }), property("User-defined types in lists and sets are always non-optional"));
  throws(
    one({ a: { type: "int", zork: 1 } }),
    property("Unexpected field(s) found on the schema for property 'a' on 'A': 'zork'."),
  );
  throws(one({ a: { type: "int?" } }), property("Cannot use shorthand '?' in 'type' or 'objectType'"));
  throws(one({ a: { type: "object" } }), property("A user-defined type must be specified through 'objectType'."));
  throws(one({ a: { type: "list" } }), property("A list must contain only primitive or user-defined types"));
  throws(one({ a: { type: 5 } }), property("Expected 'a.type' on 'A' to be a string, got a number"));
  throws(one({ a: "B" }), "- Property 'A.a' of type 'object' has unknown object type 'B'");
  throws(
    one({ a: "double" }, { primaryKey: "a" }),
    "- Property 'A.a' of type 'double' cannot be made the primary key.",
  );
  throws(open([Person, Person]), "has unknown object type 'Dog'");
  throws(open([Everything, Everything]), "- Type 'Everything' appears more than once in the schema.");
  class Plain {
    static schema = { name: "Plain", properties: {} };
  }
  throws(open([Plain]), "Class 'Plain' must extend Realm.Object");
}

export async function schemas_that_contradict_themselves_are_refused() {
  const open =
    (...schema) =>
    () =>
      new Realm({ path: freshPath("types"), inMemory: true, schema });
  const A = (properties, rest = {}) => ({ name: "A", properties, ...rest });
  const E = (properties = { x: "int" }, rest = {}) => ({ name: "E", embedded: true, properties, ...rest });
  const indexed = (type, indexed = true) => A({ p: { type, indexed } });
  for (const [schema, message] of [
    [[indexed("float")], "Property 'A.p' of type 'float' cannot be indexed."],
    [[indexed("decimal128")], "Property 'A.p' of type 'decimal' cannot be indexed."],
    [[indexed("int", "full-text")], "Property 'A.p' of type 'int' cannot have a full-text index: only a string can."],
    [[indexed("int", "x")], "Expected 'p.indexed' on 'A' to be a boolean or 'full-text'."],
    [
      [A({ p: { type: "list", objectType: "int", indexed: true } })],
      "Property 'A.p' of type 'array' cannot be indexed.",
    ],
    [[E({ x: "int" }, { primaryKey: "x" })], "Embedded object type 'E' cannot have a primary key."],
    [[A({ e: "E<>" }), E()], "Set property 'A.e' cannot contain embedded object type 'E'."],
    [[E({ e: "E[]" })], "Cycles containing embedded objects are not currently supported: 'E.e'"],
    [[A({ p: "int" }, { asymmetric: true })], "Asymmetric table 'A' not allowed in a local Realm"],
    [[A({ p: "B" }), { name: "B", asymmetric: true, properties: {} }], "cannot be a link to an asymmetric object."],
    [
      [A({ p: "X", q: "Y[]", r: "Z<>", s: "W{}" })],
      "- Property 'A.s' of type 'dictionary' has unknown object type 'W'",
    ],
    [[A({ p: "mixed" }, { primaryKey: "p" })], "Property 'A.p' of type 'mixed' cannot be made the primary key."],
    [[A({ ["p".repeat(64)]: "int" })], "Name too long: ppp"],
    [[{ name: "N".repeat(58), properties: {} }], "Name too long: class_NNN"],
    [
      [A({ p: { type: "mixed", optional: false } })],
      "'mixed' types are always optional and cannot be made non-optional.",
    ],
  ]) {
    throws(open(...schema), message);
  }
  const tags = open(A({ p: { type: "list", objectType: "string", indexed: true } }))();
  isTrue(tags.schema[0].properties.p.indexed, "an index on a list of strings");
  tags.close();
}

export async function a_schema_reads_back_in_the_order_of_realm_and_opens_a_realm_again() {
  const A = { name: "A", properties: { b: "B", x: "int" } };
  const B = {
    name: "B",
    properties: { y: "int", as: { type: "linkingObjects", objectType: "A", property: "b" } },
  };
  const realm = new Realm({ path: freshPath("types"), inMemory: true, schema: [B, A] });
  const names = ({ name, properties }) => [name, Object.keys(properties)];
  const expected = [
    ["A", ["b", "x"]],
    ["B", ["as", "y"]],
  ];
  equal(realm.schema.map(names), expected);
  const again = new Realm({ path: freshPath("types"), inMemory: true, schema: realm.schema });
  equal(again.schema.map(names), expected);
  realm.close();
  again.close();
}

export async function every_type_has_its_canonical_form() {
  const properties = {
    _id: "int",
    e: "E",
    le: "E[]",
    de: "E{}",
    f: "float?",
    s: "int?<>",
    d: "mixed{}",
    c: "counter?",
  };
  const text = { type: "string", indexed: "full-text" };
  const schema = [
    { name: "A", primaryKey: "_id", properties: { ...properties, text, m: "mixed" } },
    { name: "E", embedded: true, properties: { x: "decimal128" } },
  ];
  const realm = new Realm({ path: freshPath("types"), inMemory: true, schema });
  const [a, e] = realm.schema;
  const none = { default: undefined, presentation: undefined };
  const form = (name, type, optional, rest = {}) => ({
    ...none,
    name,
    mapTo: name,
    type,
    optional,
    indexed: false,
    ...rest,
  });
  equal(a.properties, {
    _id: form("_id", "int", false, { indexed: true }),
    e: form("e", "object", true, { objectType: "E" }),
    le: form("le", "list", false, { objectType: "E" }),
    de: form("de", "dictionary", true, { objectType: "E" }),
    f: form("f", "float", true),
    s: form("s", "set", true, { objectType: "int" }),
    d: form("d", "dictionary", true, { objectType: "mixed" }),
    c: form("c", "int", true, { presentation: "counter" }),
    text: form("text", "string", false, { indexed: "full-text" }),
    m: form("m", "mixed", true),
  });
  equal([e.embedded, e.properties.x], [true, form("x", "decimal128", false)]);
  realm.close();
}

export async function what_is_no_number_is_left_out_of_aggregates() {
  const properties = { _id: "int", d: "double", f: "float?", list: "double[]", others: "N[]" };
  const realm = new Realm({
    path: freshPath("types"),
    inMemory: true,
    schema: [{ name: "N", primaryKey: "_id", properties }],
  });
  realm.write(() => {
    const one = realm.create("N", { _id: 1, d: 1, f: 1, list: [Number.NaN, 2, 4] });
    const two = realm.create("N", { _id: 2, d: Number.NaN, f: Number.NaN });
    realm.create("N", { _id: 3, d: 3, others: [one, two] });
  });
  const all = realm.objects("N");
  const reckoned = (found, name) => [found.sum(name), found.avg(name), found.min(name), found.max(name)];
  equal(reckoned(all, "d"), [4, 2, 1, 3]);
  equal(reckoned(all[2].others, "f"), [1, 1, 1, 1]);
  equal(reckoned(all[0].list), [6, 3, 2, 4]);
  equal(reckoned(all.filtered("_id == 2"), "d"), [0, undefined, undefined, undefined]);
  equal([all.filtered("list.@sum == 6").length, all.filtered("others.@avg.d == 1").length], [1, 1]);
  realm.close();
}

export async function numbers_keep_their_precision() {
  const properties = { f: "float", d: "double", dec: "decimal128", i: "int", fs: "float[]", decs: "decimal128?[]" };
  const realm = new Realm({ path: freshPath("types"), inMemory: true, schema: [{ name: "N", properties }] });
  const { Decimal128 } = BSON;
  const decimal = (text) => Decimal128.fromString(text);
  const values = {
    f: 1.1,
    d: 1.1,
    dec: decimal("1.50"),
    i: -(2n ** 63n),
    fs: [1e39, -0.5],
    decs: [decimal("0.1"), null],
  };
  const object = realm.write(() => realm.create("N", values));
  equal([object.f, object.d, String(object.dec), object.i], [Math.fround(1.1), 1.1, "1.50", -(2n ** 63n)]);
  equal(
    [[...object.fs], object.decs.map(String)],
    [
      [Number.POSITIVE_INFINITY, -0.5],
      ["0.1", "null"],
    ],
  );
  isTrue(object.dec instanceof Decimal128, "a Decimal128");
  equal(JSON.parse(JSON.stringify(object)).i, Number(-(2n ** 63n)));
  realm.write(() => {
    object.decs = [decimal("0.1"), decimal("0.2"), null];
    object.fs = [0.5, 1.5];
    for (const [value, message] of [
      [1, "Expected value to be an instance of Decimal128, got a number (N.dec)"],
      ["1", "Expected value to be an instance of Decimal128, got a string (N.dec)"],
    ]) {
      throws(() => {
        object.dec = value;
      }, message);
    }
    throws(() => {
      object.i = 1.5;
    }, "cannot be converted to a BigInt because it is not an integer");
  });
  equal([object.decs.sum(), object.decs.avg(), object.decs.min(), object.decs.max()].map(String), [
    "0.3",
    "0.15",
    "0.1",
    "0.2",
  ]);
  equal([object.fs.sum(), object.fs.avg(), object.fs.min(), object.fs.max()], [2, 1, 0.5, 1.5]);
  equal([object.decs.indexOf(decimal("0.2")), object.decs.includes(null), object.fs.indexOf(9)], [1, true, -1]);
  equal(
    ["0.20", "2E-1", "0.21"].map((text) => object.decs.indexOf(decimal(text))),
    [1, 1, -1],
  );
  const all = realm.objects("N");
  equal([String(all.sum("dec")), all.min("f"), String(all.max("dec"))], ["1.50", Math.fround(1.1), "1.50"]);
  realm.close();
}

export async function a_value_is_found_as_the_collection_keeps_it() {
  const decimal = (text) => Realm.BSON.Decimal128.fromString(text);
  const properties = { f: "float[]", fs: "float<>", dates: "date[]", data: "data[]", any: "mixed[]" };
  const realm = new Realm({ path: freshPath("types"), inMemory: true, schema: [{ name: "N", properties }] });
  const any = [1.5, decimal("2.50"), new Uint8Array([1]), "AQ==", 10n];
  const object = realm.write(() =>
    realm.create("N", { f: [1, 1.1], fs: [1.1], dates: [new Date(5)], data: [new Uint8Array([1, 2])], any }),
  );
  equal([object.f.indexOf(1.1), object.f.includes(1.2), object.fs.has(1.1)], [1, false, true]);
  equal([object.dates.indexOf(new Date(5).toISOString()), object.dates.indexOf(5)], [0, -1]);
  equal(
    [object.data.indexOf("AQI="), object.data.indexOf("?"), object.data.indexOf(new Uint8Array([1, 2]))],
    [0, -1, 0],
  );
  const found = [decimal("1.5"), 2.5, decimal("25E-1"), "AQ==", new Uint8Array([1]), decimal("1E+1"), 11n];
  equal(
    found.map((value) => object.any.indexOf(value)),
    [0, 1, 1, 3, 2, 4, -1],
  );
  realm.close();
}
