// Sets: what they hold, what they refuse, and how they read.
import Realm, { BSON } from "/dist/index.js";
import { equal, freshPath, isTrue, throws } from "/tests/suite/support.js";

const Bag = {
  name: "Bag",
  properties: {
    ints: "int<>",
    optional: "int?<>",
    strings: "string<>",
    dates: "date<>",
    doubles: "double<>",
    decimals: "decimal128<>",
    ids: "objectId<>",
    data: "data<>",
    mixed: "mixed<>",
    items: "Item<>",
  },
};
const Item = { name: "Item", primaryKey: "_id", properties: { _id: "int", n: "int?" } };

function open() {
  return new Realm({ path: freshPath("sets"), inMemory: true, schema: [Bag, Item] });
}

export async function a_set_holds_each_value_once_in_order() {
  const realm = open();
  const bag = realm.write(() =>
    realm.create("Bag", {
      ints: [3, 1, 2, 3],
      strings: ["b", "a", "b"],
      dates: [new Date(5), new Date(1)],
      doubles: [0.5, -1],
      decimals: ["2.50", "2.5", "1"].map((text) => BSON.Decimal128.fromString(text)),
      ids: ["1123456789abcdef01234567", "0123456789abcdef01234567"].map((text) => new BSON.ObjectId(text)),
      data: [new Uint8Array([2]), new Uint8Array([1, 1])],
      mixed: [1, "x", null, true, 2, "1", 1],
    }),
  );
  equal(
    [[...bag.ints], [...bag.strings], [...bag.doubles]],
    [
      [1, 2, 3],
      ["a", "b"],
      [-1, 0.5],
    ],
  );
  equal(
    [...bag.dates].map((date) => date.getTime()),
    [1, 5],
  );
  equal([...bag.decimals].map(String), ["1", "2.50"]);
  equal([...bag.ids].map(String), ["0123456789abcdef01234567", "1123456789abcdef01234567"]);
  equal(
    [...bag.data].map((buffer) => [...new Uint8Array(buffer)]),
    [[1, 1], [2]],
  );
  equal([...bag.mixed], [null, true, 1, 2, "1", "x"]);
  isTrue(bag.ints instanceof Realm.Set && bag.ints instanceof Realm.OrderedCollection, "a Realm.Set");
  equal([bag.ints.size, bag.ints.length, bag.ints.type, bag.ints.optional], [3, 3, "int", false]);
  equal([bag.optional.optional, bag.items.type, bag.mixed.optional], [true, "object", true]);
  equal(JSON.stringify(bag.ints), "[1,2,3]");
  realm.close();
}

export async function a_set_is_written_in_place() {
  const realm = open();
  realm.write(() => {
    const { ints, optional } = realm.create("Bag", {});
    equal(ints.add(2).add(1).add(2).size, 2);
    equal([ints.delete(2), ints.delete(9), [...ints]], [true, false, [1]]);
    equal([...optional.add(null).add(undefined)], [null]);
    equal(
      [ints.has(1), ints.has(9), ints.has("x"), ints.has(null), ints.includes(1)],
      [true, false, false, false, true],
    );
    ints.clear();
    equal([ints.size, ints.isEmpty()], [0, true]);
  });
  realm.close();
}

export async function a_set_reads_like_a_collection() {
  const realm = open();
  const bag = realm.write(() => realm.create("Bag", { ints: [3, 1, 2] }));
  const { ints } = bag;
  equal([ints[0], ints[2], ints[9], ints[-1]], [1, 3, undefined, undefined]);
  equal(
    [[...ints.keys()], [...ints.values()], [...ints.entries()]],
    [
      [0, 1, 2],
      [1, 2, 3],
      [
        [1, 1],
        [2, 2],
        [3, 3],
      ],
    ],
  );
  equal([Object.keys(ints), ints.indexOf(3), ints.indexOf(7)], [["0", "1", "2"], 2, -1]);
  equal([ints.min(), ints.max(), ints.sum(), ints.avg()], [1, 3, 6, 2]);
  equal([bag.optional.min(), bag.optional.sum(), bag.optional.avg()], [undefined, 0, undefined]);
  equal(
    [[...ints.sorted(true)], [...ints.snapshot()], ints.map((value) => value * 2)],
    [
      [3, 2, 1],
      [1, 2, 3],
      [2, 4, 6],
    ],
  );
  throws(() => bag.strings.min(), "Operation 'min' not supported for string set 'Bag.strings'");
  throws(() => bag.dates.sum(), "Operation 'sum' not supported for date set 'Bag.dates'");
  realm.write(() => {
    ints[0] = 9;
    equal([...ints], [1, 2, 3]);
    throws(() => {
      ints.length = 0;
    }, "Cannot assign to read only property 'length'");
  });
  realm.close();
}

export async function a_set_takes_arrays_and_refuses_the_rest() {
  const realm = open();
  realm.write(() => {
    const bag = realm.create("Bag", { ints: [1] });
    bag.ints = [...bag.ints, 8, 8];
    equal([...bag.ints], [1, 8]);
    const refused = [
      [new Set([1]), "Expected 'values' to be an array, got an instance of Set"],
      [null, "Expected 'values' to be an array, got null"],
      [bag.ints, "Expected 'values' to be an array, got an instance of RealmSet"],
      [[1, "x"], "Expected value to be a number or bigint, got a string"],
      [[1, null], "Expected value to be a number or bigint, got null"],
    ];
    for (const [value, message] of refused) {
      throws(() => {
        bag.ints = value;
      }, message);
    }
    equal([...bag.ints], [1, 8]);
    throws(() => bag.ints.add("x"), "Expected value to be a number or bigint, got a string (Bag.ints)");
    throws(() => bag.ints.delete("x"), "Expected value to be a number or bigint, got a string");
    throws(() => bag.mixed.add([1]), "Lists within a Set are not supported.");
    throws(() => bag.mixed.add({ a: 1 }), "Dictionaries within a Set are not supported.");
    throws(() => realm.create("Bag", { ints: null }), "Expected 'values' to be an array, got null");
    throws(() => new Realm.Set(), "Illegal constructor: Set objects are read from managed objects only.");
  });
  const bag = realm.objects("Bag")[0];
  const outside = "Cannot modify managed objects outside of a write transaction.";
  throws(() => bag.ints.add(1), outside);
  throws(() => bag.ints.delete(1), outside);
  throws(() => bag.ints.clear(), outside);
  realm.close();
}

export async function a_set_of_objects_holds_links() {
  const realm = open();
  realm.write(() => {
    const [one, two] = [1, 2].map((_id) => realm.create("Item", { _id, n: _id }));
    const { items } = realm.create("Bag", {});
    items.add(two).add(one).add(two).add({ _id: 3 });
    equal(
      [...items].map(({ _id }) => _id),
      [1, 2, 3],
    );
    equal([items.has(one), items.indexOf(realm.objectForPrimaryKey("Item", 3)), items.max("n")], [true, 2, 2]);
    equal(
      [...items.filtered("n > 1")].map(({ _id }) => _id),
      [2],
    );
    equal(
      [...items.sorted("_id", true)].map(({ _id }) => _id),
      [3, 2, 1],
    );
    throws(() => items.add(null), "Expected 'value in items' to be an object, got null");
    throws(() => items.add(5), "Expected 'value in items' to be an object, got a number");
    throws(() => items.has({ _id: 1 }), "Expected value to be an instance of Realm.Object, got an object");
    equal([items.delete(one), items.delete(one), items.size], [true, false, 2]);
    realm.delete(two);
    equal(items.size, 1);
    items.clear();
    equal([items.size, realm.objects("Item").length], [0, 2]);
    items.add({ _id: 7 });
    realm.delete(items);
    equal([items.size, realm.objects("Item").length], [0, 2]);
  });
  realm.close();
}

export async function a_set_ends_with_its_object() {
  const realm = open();
  const bag = realm.write(() => realm.create("Bag", { ints: [1] }));
  const { ints } = bag;
  realm.write(() => realm.delete(bag));
  equal(ints.isValid(), false);
  throws(() => ints.size, "is no longer valid");
  realm.close();
}
