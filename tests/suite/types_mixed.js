// Mixed: values of any type, and collections within.
import Realm, { BSON } from "/dist/index.js";
import { Calls, equal, freshPath, isTrue, throws } from "/tests/suite/support.js";

const Box = {
  name: "Box",
  primaryKey: "_id",
  properties: { _id: "int", any: "mixed", list: "mixed[]", byName: "mixed{}", e: "Part" },
};
const Part = { name: "Part", embedded: true, properties: { n: "int" } };

function open() {
  return new Realm({ path: freshPath("mixed"), inMemory: true, schema: [Box, Part] });
}

/** One value of each kind, and the type that it has in a mixed. */
export function kinds() {
  const { Decimal128, ObjectId, UUID } = BSON;
  return [
    [null, "null"],
    [true, "bool"],
    [1, "double"],
    [1.5, "double"],
    [7n, "int"],
    ["text", "string"],
    ["", "string"],
    [new Date(86400001), "date"],
    [new Uint8Array([1, 2]).buffer, "data"],
    [new ObjectId("0123456789abcdef01234567"), "objectId"],
    [new UUID("d4a3cc4c-b3eb-44ac-af25-447d25ada313"), "uuid"],
    [Decimal128.fromString("1.50"), "decimal128"],
    [[], "list"],
    [[1, [null, "x"], { a: [2] }], "list"],
    [{}, "dictionary"],
    [{ a: 1, b: { c: [{ d: "deep" }] } }, "dictionary"],
  ];
}

/** A value of a mixed as a text that is equal for equal values. */
export function text(value) {
  if (value instanceof ArrayBuffer) return `bytes ${new Uint8Array(value)}`;
  if (value instanceof Realm.Object) return `object ${value._id}`;
  if (Array.isArray(value) || value instanceof Realm.List) return `[${Array.from(value, text)}]`;
  if (value instanceof Date || value?._bsontype) return `${value.constructor.name} ${value.toJSON?.()} ${value}`;
  if (typeof value !== "object" || value === null)
    return `${typeof value === "bigint" ? "number" : typeof value} ${value}`;
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${key}: ${text(value[key])}`)}}`;
}

export async function a_mixed_holds_a_value_of_any_type() {
  const realm = open();
  const box = realm.write(() => realm.create("Box", { _id: 1 }));
  equal([box.any, box.getPropertyType("any")], [null, "null"]);
  for (const [value, type] of kinds()) {
    realm.write(() => {
      box.any = value;
    });
    equal([text(box.any), box.getPropertyType("any")], [text(value), type]);
  }
  realm.write(() => {
    const other = realm.create("Box", { _id: 2, any: box });
    box.list = [...kinds().map(([value]) => value), other];
    box.byName = Object.fromEntries(kinds().map(([value], index) => [`k${index}`, value]));
    box.byName.link = other;
    box.any = ["a", other, [other, 1], { k: other }];
  });
  equal(Array.from(box.list, text), [...kinds().map(([value]) => text(value)), "object 2"]);
  for (const [index, [value]] of kinds().entries()) equal(text(box.byName[`k${index}`]), text(value));
  const other = box.list.at(-1);
  isTrue(other instanceof Realm.Object && other.any._id === 1, "a link");
  equal(other.getPropertyType("any"), "<Box>");
  equal(
    [box.list.indexOf("text"), box.list.includes(7), box.list.indexOf(other), box.list.indexOf("no")],
    [5, true, 16, -1],
  );
  realm.write(() => realm.delete(other));
  equal([box.list.length, box.list.type, box.list.optional], [kinds().length, "mixed", true], "a link left");
  equal([box.byName.link, JSON.stringify(box.any)], [null, '["a",[1],{"k":null}]'], "links leave lists");
  realm.close();
}

export async function collections_in_a_mixed_are_live() {
  const realm = open();
  realm.write(() => {
    const box = realm.create("Box", { _id: 1, any: { list: [1, { deep: "x" }], n: 1 } });
    const { any } = box;
    isTrue(any instanceof Realm.Dictionary && any.list instanceof Realm.List, "a dictionary with a list");
    equal([any.list[1].deep, any.list.length, Object.keys(any)], ["x", 2, ["list", "n"]]);
    const { list } = any;
    list.push(2, [3]);
    list[1].deep = "y";
    list[1].more = { a: [] };
    list[1].more.a.push(1, 2);
    any.n = [list];
    equal(
      JSON.stringify(box.any),
      '{"list":[1,{"deep":"y","more":{"a":[1,2]}},2,[3]],"n":[[1,{"deep":"y","more":{"a":[1,2]}},2,[3]]]}',
    );
    equal([list.shift(), list.splice(0, 1).length, [...list].length, list[0]], [1, 1, 2, 2]);
  });
  realm.close();
}

export async function collections_in_a_mixed_follow_their_elements() {
  const realm = open();
  const json = JSON.stringify;
  const { box, other } = realm.write(() => ({
    box: realm.create("Box", { _id: 1, any: [[1], { k: [2] }, [3]], list: [[1], { k: 1 }], byName: { x: [[5], [6]] } }),
    other: realm.create("Box", { _id: 2, any: [[1], [2]] }),
  }));
  const { any } = box;
  const [first, second, third] = any;
  const { k } = second;
  const elsewhere = other.any[1];
  realm.write(() => {
    any.unshift("x", "y");
    first.push("a");
    second.z = 1;
    k.push("b");
    elsewhere.push(9);
  });
  equal([json(any), json(other.any)], ['["x","y",[1,"a"],{"k":[2,"b"],"z":1},[3]]', "[[1],[2,9]]"], "put in before");
  realm.write(() => {
    any.splice(1, 2);
    any.move(0, 2);
    third.push("c");
    k.push("d");
  });
  equal([json(any), first.isValid()], ['[{"k":[2,"b","d"],"z":1},[3,"c"],"x"]', false], "taken out and moved");
  throws(() => first.length, "List is no longer valid.");
  const failing = () =>
    realm.write(() => {
      any.unshift(0);
      any.swap(0, 2);
      third.push("lost");
      throw new Error("no luck");
    });
  throws(failing, "no luck");
  realm.write(() => {
    third.push("e");
    k.push("f");
  });
  equal(json(any), '[{"k":[2,"b","d","f"],"z":1},[3,"c","e"],"x"]', "after a rollback");
  const [inList, dictionary] = box.list;
  const [gone, left] = box.byName.x;
  realm.write(() => {
    box.list.unshift(7);
    box.list.move(0, 2);
    inList.push("l");
    dictionary.w = 1;
    box.byName.x.shift();
    left.push("d");
  });
  equal(json([box.list, box.byName, gone.isValid()]), '[[[1,"l"],{"k":1,"w":1},7],{"x":[[6,"d"]]},false]');
  realm.close();
}

export async function lists_in_a_mixed_are_written_in_place() {
  const realm = open();
  realm.write(() => {
    const box = realm.create("Box", { _id: 1, any: [] });
    const list = box.any;
    equal([list.push("a", "b", "c"), list.unshift("z"), [...list]], [3, 4, ["z", "a", "b", "c"]]);
    equal([list.pop(), list.shift(), list.splice(1, 1, 1, 2), [...list]], ["c", "z", ["b"], ["a", 1, 2]]);
    list.move(0, 2);
    list.swap(0, 1);
    list.remove(2);
    list[0] = null;
    equal([[...list], list.type, list.indexOf(1), list.lastIndexOf(null)], [[null, 1], "mixed", 1, 0]);
    throws(() => {
      list[2] = 1;
    }, "Requested index 2 calling set() on list 'Box.any' when max is 1");
    box.list = [[1], { a: 1 }];
    box.list[0].push(2);
    box.list[1].b = [];
    box.list[1].b.push("x");
    box.byName = { l: [] };
    box.byName.l.push({ q: 1 });
    box.byName.l[0].q = 2;
    equal(JSON.stringify([box.list, box.byName]), '[[[1,2],{"a":1,"b":["x"]}],{"l":[{"q":2}]}]');
    const { any } = box;
    box.any = "other";
    equal([any.isValid(), list.isValid()], [false, false]);
    throws(() => any.length, "List is no longer valid.");
    throws(() => any.push(1), "List is no longer valid.");
    box.any = { a: 1 };
    const dictionary = box.any;
    delete dictionary.a;
    equal(Object.keys(dictionary), []);
    box.any = null;
    equal(dictionary.isValid(), false);
  });
  realm.close();
}

export async function a_mixed_refuses_what_it_cannot_hold() {
  const realm = open();
  realm.write(() => {
    const box = realm.create("Box", { _id: 1, any: 1, e: { n: 1 } });
    const loop = [];
    loop.push(loop);
    class Own {}
    for (const [value, message] of [
      [new Set([1]), "Using a Set as a Mixed value is not supported."],
      [box.e, "Using an embedded object (Part) as a Mixed value is not supported."],
      [() => 1, "Can't convert function to Mixed"],
      [Symbol("s"), "Can't convert symbol to Mixed"],
      [new Map(), "Unable to convert an object with ctor 'Map' to a Mixed"],
      [new Own(), "Unable to convert an object with ctor 'Own' to a Mixed"],
      [{ $a: 1 }, "Dictionary::insert: key must not start with '$'"],
      [loop, "may lie at most 100 deep"],
      [2n ** 63n, "to fit in 64 bits"],
      [[1, new Set()], "Using a Set as a Mixed value is not supported."],
    ]) {
      throws(() => {
        box.any = value;
      }, message);
    }
    equal(box.any, 1);
    const elsewhere = open();
    const foreign = elsewhere.write(() => elsewhere.create("Box", { _id: 1 }));
    throws(() => {
      box.any = foreign;
    }, "Realm object is from another Realm");
    elsewhere.close();
  });
  realm.close();
}

export async function mixed_values_sort_and_add_up() {
  const realm = open();
  const box = realm.write(() => realm.create("Box", { _id: 1, list: ["x", 2, null, true, 1.5, [1]] }));
  const sorted = box.list.sorted();
  equal(sorted.slice(0, 5), [null, true, 1.5, 2, "x"]);
  isTrue(sorted[5] instanceof Realm.List, "a list");
  realm.write(() => sorted[5].push(2));
  equal(
    [[...box.list[5]], box.list.sum(), box.list.min(), box.list.max(), box.list.avg()],
    [[1, 2], 3.5, 1.5, 2, 1.75],
  );
  equal([realm.objects("Box").sum("any"), realm.objects("Box").max("any")], [0, undefined]);
  realm.close();
}

export async function a_list_inside_a_mixed_is_sorted_and_reckoned_with() {
  const realm = open();
  const box = realm.write(() => realm.create("Box", { _id: 1, any: { deep: [[3, "b", null, 1, [7]], 2] } }));
  const inner = box.any.deep[0];
  const sorted = inner.sorted();
  equal([...sorted].map(text), ["object null", "number 1", "number 3", "string b", "[number 7]"]);
  equal([...inner.sorted("self", true)].map(text).join(), "[number 7],string b,number 3,number 1,object null");
  equal([inner.min(), inner.max(), inner.sum(), inner.avg()], [1, 3, 4, 2]);
  realm.write(() => sorted[4].push(8));
  equal([...inner[4]], [7, 8], "a list in a sorted list is the list itself");
  const calls = new Calls();
  sorted.addListener(calls.callback);
  await calls.next("the first call");
  realm.write(() => inner.push(2));
  const [, changes] = await calls.next("the change");
  equal([changes.insertions, changes.deletions], [[2], []]);
  throws(() => inner.filtered("n > 1"), "this is a collection of values");
  throws(() => inner.sorted("n"), "Cannot sort on key path 'n': arrays of 'mixed' can only be sorted on 'self'");
  realm.write(() => {
    box.any = 1;
  });
  equal(sorted.length, 0);
  throws(() => inner.sorted(), "List is no longer valid");
  realm.close();
}
