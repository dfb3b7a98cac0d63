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
      ["bool", 1, "Expected 'bool' to be a boolean, got a number"],
      ["double", "1", "Expected 'double' to be a number, got a string"],
      ["double", null, "Expected 'double' to be a number, got null"],
      ["date", 5, "Expected 'date' to be an instance of Date, got a number"],
      ["date", new Date(Number.NaN), "Expected 'date' to be a valid date"],
      ["data", 5, "Expected 'data' to be an instance of ArrayBuffer, got a number"],
      ["objectId", "zz", "Expected 'objectId' to be an instance of ObjectId, got a string"],
      ["uuid", "zz", "Expected 'uuid' to be an instance of UUID, got a string"],
      ["int", 2n ** 63n, "to fit in 64 bits"],
      ["int", Number.NaN, "NaN"],
      ["link", realm, "Missing value for property"],
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
  const expected = { indexed: false, mapTo: "age", name: "age", optional: false, type: "int", default: 3 };
  equal(dog.properties.age, expected);
  equal(dog.properties._id, { indexed: true, mapTo: "_id", name: "_id", optional: false, type: "int" });
  equal(dog.properties.owner, {
    indexed: false,
    mapTo: "owner",
    name: "owner",
    objectType: "Person",
    optional: true,
    type: "object",
  });
  equal(dog.properties.tags, {
    indexed: false,
    mapTo: "tags",
    name: "tags",
    objectType: "string",
    optional: false,
    type: "list",
  });
  equal(Object.keys(person.properties), ["name", "dogs"]);
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

export async function types_of_a_later_version_are_refused_by_name() {
  const open =
    (properties, rest = {}) =>
    () =>
      new Realm({ path: freshPath("types"), inMemory: true, schema: [{ name: "A", properties, ...rest }] });
  for (const type of ["float", "decimal128", "mixed", "mixed[]", "int<>", "string{}", "counter"]) {
    const error = throws(open({ a: type }), "is not available in this version of Ebbtide");
    equal([error.name, error.code], ["NotAvailableError", "NotAvailable"]);
  }
  throws(open({ a: { type: "int", mapTo: "b" } }), "'mapTo' (property 'a' of 'A') is not available");
  throws(open({ a: { type: "linkingObjects", objectType: "A", property: "b" }, b: "A" }), "'linkingObjects'");
  throws(open({ a: "int" }, { embedded: true }), "The embedded class 'A' is not available");
}
