// Dictionaries: values by key.
import Realm from "/dist/index.js";
import { equal, freshPath, isTrue, throws } from "/tests/suite/support.js";

const Book = {
  name: "Book",
  properties: { ints: "int{}", optional: "int?{}", items: "Item{}", parts: "Part{}", mixed: "mixed{}" },
};
const Item = { name: "Item", primaryKey: "_id", properties: { _id: "int" } };
const Part = { name: "Part", embedded: true, properties: { n: "int" } };

function open() {
  return new Realm({ path: freshPath("dictionaries"), inMemory: true, schema: [Book, Item, Part] });
}

export async function a_dictionary_reads_like_an_object() {
  const realm = open();
  const book = realm.write(() => realm.create("Book", { ints: { b: 2, a: 1 } }));
  const { ints } = book;
  isTrue(ints instanceof Realm.Dictionary && ints instanceof Realm.Collection, "a Realm.Dictionary");
  equal([ints.a, ints.b, ints.zz], [1, 2, undefined]);
  equal(
    [Object.keys(ints), [...ints.keys()], [...ints.values()]],
    [
      ["a", "b"],
      ["a", "b"],
      [1, 2],
    ],
  );
  const pairs = [
    ["a", 1],
    ["b", 2],
  ];
  equal([Object.entries(ints), [...ints.entries()], [...ints]], [pairs, pairs, pairs]);
  equal(["a" in ints, "zz" in ints, Object.hasOwn(ints, "a"), Object.hasOwn(ints, "zz")], [true, false, true, false]);
  equal([{ ...ints }, ints.toJSON(), JSON.stringify(ints)], [{ a: 1, b: 2 }, { a: 1, b: 2 }, '{"a":1,"b":2}']);
  const seen = [];
  for (const key in ints) seen.push(key);
  equal(seen, ["a", "b"]);
  equal(book.toJSON().ints, { a: 1, b: 2 });
  realm.close();
}

export async function a_dictionary_is_written_in_place() {
  const realm = open();
  realm.write(() => {
    const { ints, optional } = realm.create("Book", {});
    ints.a = 1;
    equal(ints.set("b", 2).set({ c: 3, d: 4 }), ints);
    equal({ ...ints }, { a: 1, b: 2, c: 3, d: 4 });
    equal([delete ints.a, delete ints.nothing, { ...ints }], [true, true, { b: 2, c: 3, d: 4 }]);
    equal({ ...ints.remove("b").remove(["c", "nothing"]) }, { d: 4 });
    optional.q = null;
    optional.w = undefined;
    equal({ ...optional }, { q: null, w: null });
    ints[""] = 5;
    equal(ints[""], 5);
  });
  realm.close();
}

export async function a_dictionary_is_assigned_as_a_whole() {
  const realm = open();
  realm.write(() => {
    const book = realm.create("Book", { ints: { a: 1 }, optional: { a: null } });
    book.ints = { b: 2 };
    equal({ ...book.ints }, { b: 2 });
    book.optional = book.ints;
    equal({ ...book.optional }, { b: 2 });
    Object.assign(book, { optional: book.optional });
    equal({ ...book.optional }, { b: 2 });
    const refused = [
      [null, "Expected 'values of ints' to be an object, got null"],
      [5, "Expected 'values of ints' to be an object, got a number"],
      [[1], "Expected 'values of ints' to be an object, got an array"],
      [{ q: "x" }, "Expected 'ints[\"q\"]' to be a number or bigint, got a string"],
      [{ $q: 1 }, "Dictionary::insert: key must not start with '$'"],
      [{ "a.b": 1 }, "Dictionary::insert: key must not contain '.'"],
    ];
    for (const [value, message] of refused) {
      throws(() => {
        book.ints = value;
      }, message);
      throws(() => realm.create("Book", { ints: value }), message);
    }
    equal([{ ...book.ints }, realm.objects("Book").length], [{ b: 2 }, 1]);
  });
  realm.close();
}

export async function a_dictionary_refuses_what_does_not_fit() {
  const realm = open();
  const { ints } = realm.write(() => realm.create("Book", {}));
  realm.write(() => {
    throws(() => {
      ints.a = "x";
    }, "Expected value to be a number or bigint, got a string (Book.ints)");
    throws(() => ints.set("a", null), "Expected value to be a number or bigint, got null");
    throws(() => ints.set({ [Symbol("s")]: 1 }), "Symbols cannot be used as keys of a dictionary");
    throws(() => {
      ints[Symbol("s")] = 1;
    }, "Symbols cannot be used as keys of a dictionary");
    throws(() => ints.set("$a", 1), "key must not start with '$'");
    throws(() => ints.set("a.b", 1), "key must not contain '.'");
  });
  const outside = "Cannot modify managed objects outside of a write transaction.";
  throws(() => ints.set("a", 1), outside);
  throws(() => ints.remove("a"), outside);
  throws(() => {
    ints.a = 1;
  }, outside);
  throws(() => delete ints.a, outside);
  equal(Object.keys(ints), []);
  throws(() => new Realm.Dictionary(), "Illegal constructor: Dictionary objects are read from managed objects only.");
  realm.close();
}

export async function a_dictionary_holds_links_and_embedded_objects() {
  const realm = open();
  realm.write(() => {
    const book = realm.create("Book", { parts: { a: { n: 1 } }, items: { i: { _id: 1 }, n: null } });
    const { items, parts } = book;
    items.j = realm.objectForPrimaryKey("Item", 1);
    items.set({ k: { _id: 2 } });
    equal([items.j._id, items.k._id, items.n], [1, 2, null]);
    throws(() => {
      items.x = 5;
    }, "Expected 'value in items' to be an object, got a number");
    realm.delete(realm.objectForPrimaryKey("Item", 1));
    equal([Object.keys(items), items.i, items.j], [["i", "j", "k", "n"], null, null]);
    const old = parts.a;
    parts.a = { n: 2 };
    parts.b = parts.a;
    equal([old.isValid(), parts.a.n, parts.b.n], [false, 2, 2]);
    parts.a.n = 7;
    equal([parts.b.n, book.toJSON().parts], [2, { a: { n: 7 }, b: { n: 2 } }]);
    throws(() => parts.set("c", {}), "Missing value for property 'n'");
    equal(Object.keys(parts), ["a", "b"]);
    parts.b = null;
    parts.remove("a");
    equal({ ...parts }, { b: null });
  });
  realm.close();
}

export async function a_dictionary_ends_with_its_object() {
  const realm = open();
  const book = realm.write(() => realm.create("Book", { ints: { a: 1 } }));
  const { ints } = book;
  realm.write(() => realm.delete(book));
  equal([ints.isValid(), ints.a], [false, undefined]);
  throws(() => Object.keys(ints), "Dictionary is no longer valid.");
  realm.close();
}
