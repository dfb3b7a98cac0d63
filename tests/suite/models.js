// The classes that the local suites use.
import Realm from "/dist/index.js";

export class Dog extends Realm.Object {
  static schema = {
    name: "Dog",
    primaryKey: "_id",
    properties: {
      _id: "int",
      name: "string",
      age: { type: "int", default: 3 },
      owner: "Person",
      friends: "Dog[]",
      tags: "string[]",
      nick: "string?",
    },
  };

  bark() {
    return `${this.name} barks`;
  }
}

export const Person = { name: "Person", properties: { name: "string", dogs: "Dog[]" } };

export const Everything = {
  name: "Everything",
  primaryKey: "_id",
  properties: {
    _id: "objectId",
    bool: "bool",
    int: "int",
    double: "double",
    string: "string",
    data: "data",
    date: "date",
    objectId: "objectId",
    uuid: "uuid",
    optBool: "bool?",
    optInt: "int?",
    optDouble: "double?",
    optString: "string?",
    optData: "data?",
    optDate: "date?",
    optObjectId: "objectId?",
    optUuid: "uuid?",
    link: "Everything",
    bools: "bool[]",
    ints: "int[]",
    doubles: "double[]",
    strings: "string[]",
    datas: "data[]",
    dates: "date[]",
    objectIds: "objectId[]",
    uuids: "uuid[]",
    optInts: "int?[]",
    optStrings: "string?[]",
    links: "Everything[]",
  },
};

/** Values for every property of Everything. */
export function everything() {
  const { ObjectId, UUID } = Realm.BSON;
  return {
    _id: new ObjectId("0123456789abcdef01234567"),
    bool: true,
    int: -7,
    double: 1.5,
    string: "Grüße 👋 \u0000 end",
    data: new Uint8Array([0, 1, 255]).buffer,
    date: new Date("2024-02-29T12:34:56.789Z"),
    objectId: new ObjectId("ffeeddccbbaa998877665544"),
    uuid: new UUID("d4a3cc4c-b3eb-44ac-af25-447d25ada313"),
    optBool: null,
    optInt: 9007199254740993n,
    optDouble: -0.25,
    optString: "",
    optData: new Uint8Array([]).buffer,
    optDate: new Date(-1),
    optObjectId: null,
    optUuid: null,
    bools: [true, false],
    ints: [1, -1, 9223372036854775807n],
    doubles: [0, Number.MAX_VALUE, 5e-324],
    strings: ["", "a", "ü"],
    datas: [new Uint8Array([7]).buffer],
    dates: [new Date(0)],
    objectIds: [new ObjectId("0123456789abcdef01234567")],
    uuids: [new UUID("d4a3cc4c-b3eb-44ac-af25-447d25ada313")],
    optInts: [1, null, 3],
    optStrings: [null, "x"],
  };
}

/** A realm in memory with the classes of these suites. */
export function memoryRealm(path, schema = [Dog, Person, Everything]) {
  return new Realm({ path, inMemory: true, schema });
}
