// Collections read like arrays: indexes, methods, messages, orders and snapshots.
import { Dog, memoryRealm, Person } from "/tests/suite/models.js";
import { equal, freshPath, isTrue, throws } from "/tests/suite/support.js";

async function withDogs(test) {
  const realm = memoryRealm(freshPath("collections"), [Dog, Person]);
  realm.write(() => {
    for (let _id = 0; _id < 4; _id++) realm.create("Dog", { _id, name: `dog ${_id}`, age: 10 - _id });
    realm.objectForPrimaryKey("Dog", 0).tags.push("b", "a", "c", "a");
    realm.objectForPrimaryKey("Dog", 0).friends.push(...realm.objects("Dog").slice(1));
  });
  try {
    await test(realm, realm.objects("Dog"), realm.objectForPrimaryKey("Dog", 0));
  } finally {
    realm.close();
  }
}

const ids = (collection) => Array.from(collection, (dog) => dog?._id ?? null);

export async function positions_are_read_as_realm_reads_them() {
  await withDogs(async (_realm, dogs, dog) => {
    for (const [collection, second] of [
      [dogs, (element) => element._id === 1],
      [dog.friends, (element) => element._id === 2],
      [dog.tags, (element) => element === "a"],
    ]) {
      for (const name of ["1", 1, "01", "1.5"]) isTrue(second(collection[name]), `the second element by ${name}`);
      for (const name of ["-1", "99", "foo", "length2"]) equal(collection[name], undefined);
      isTrue(second(collection.at(1)), "the second element by at(1)");
      equal(collection.at(-99), undefined);
      equal(collection.at(collection.length), undefined);
      isTrue(collection.at(-1) !== undefined, "the last element by at(-1)");
      equal(Object.keys(collection), [...collection.keys()].map(String));
      equal(collection.entries().next().value[0], 0);
      equal(Array.isArray(collection), false);
      equal(JSON.stringify(collection), JSON.stringify(collection.toJSON()));
    }
  });
}

export async function array_methods_work_on_every_collection() {
  await withDogs(async (_realm, dogs, dog) => {
    for (const collection of [dogs, dog.friends, dog.tags, dogs.sorted("age"), dogs.snapshot()]) {
      const array = [...collection];
      const same = (a, b, what) => equal(a.length ?? a, b.length ?? b, what);
      same(collection.slice(1, -1), array.slice(1, -1), "slice");
      same(collection.concat([1], 2), array.concat([1], 2), "concat");
      equal(collection.join("-"), array.join("-"), "join");
      equal(collection.toString(), array.toString(), "toString");
      equal(collection.toLocaleString(), array.toLocaleString(), "toLocaleString");
      equal(
        collection.map((_, index) => index),
        array.map((_, index) => index),
        "map",
      );
      same(
        collection.filter((_, index) => index > 1),
        array.filter((_, index) => index > 1),
        "filter",
      );
      equal(
        collection.reduce((sum) => sum + 1, 0),
        array.length,
        "reduce",
      );
      equal(
        collection.reduceRight((order, _, index) => order + index, ""),
        [...array.keys()].reverse().join(""),
      );
      equal(
        collection.findIndex((_, index) => index === 2),
        2,
        "findIndex",
      );
      isTrue(collection.find((_, index) => index === 2) !== undefined, "find");
      equal([collection.every(() => true), collection.some(() => false)], [true, false]);
      same(
        collection.flatMap((element) => [element, element]),
        array.flatMap((element) => [element, element]),
        "flatMap",
      );
      const seen = [];
      collection.forEach(
        function (_, index, all) {
          seen.push([this.tag, index, Array.isArray(all)]);
        },
        { tag: "this" },
      );
      equal(seen[1], ["this", 1, true], "forEach");
      equal([...collection.values()].length, collection.length);
      throws(() => collection.flat(), "Method not implemented.");
      for (const name of ["reverse", "sort", "fill", "copyWithin"]) equal(collection[name], undefined);
    }
    equal(dogs.push, undefined);
    equal(
      dog.tags.reduce((a, b) => a + b),
      "baca",
    );
  });
}

export async function elements_are_found_by_what_they_are() {
  await withDogs(async (realm, dogs, dog) => {
    const second = realm.objectForPrimaryKey("Dog", 1);
    equal([dogs.indexOf(second), dog.friends.indexOf(second), dogs.includes(second)], [1, 0, true]);
    equal([dog.tags.indexOf("a"), dog.tags.lastIndexOf("a"), dog.tags.includes("z")], [1, 3, false]);
    equal(dogs.lastIndexOf(second), 1);
    throws(() => dogs.indexOf(second, 1), "The second fromIndex argument is not yet supported");
    throws(() => dog.tags.includes("a", 1), "The second fromIndex argument is not yet supported");
    throws(() => dogs.indexOf("x"), "Expected value to be an instance of Realm.Object, got a string");
    throws(() => dogs.indexOf(null), "Expected value to be an instance of Realm.Object, got null");
    equal(dog.tags.indexOf(5), -1);
  });
}

export async function what_cannot_be_assigned_says_so() {
  await withDogs(async (realm, dogs, dog) => {
    const { tags } = dog;
    realm.write(() => {
      throws(() => {
        tags.length = 0;
      }, "Cannot assign to read only property 'length'");
      throws(() => {
        dogs[0] = dogs[1];
      }, "Modifying a Results collection is not supported.");
      throws(() => {
        dogs[-1] = dogs[1];
      }, "Modifying a Results collection is not supported.");
      throws(() => {
        tags[tags.length] = "x";
      }, "Requested index 4 calling set() on list 'Dog.tags' when max is 3");
      throws(() => {
        tags[4] = 5;
      }, "Expected value to be a string, got a number (Dog.tags)");
      throws(() => {
        tags[-1] = "x";
      }, "Cannot set item at negative index -1.");
      tags[1] = "x";
      equal([...tags], ["b", "x", "c", "a"]);
      realm.objectForPrimaryKey("Dog", 1).tags.push();
    });
    throws(() => {
      tags[0] = "y";
    }, "Cannot modify managed objects outside of a write transaction.");
    for (const call of [() => tags.push("x"), () => tags.pop(), () => tags.splice(0), () => tags.remove(0)]) {
      throws(call, "Cannot modify managed objects outside of a write transaction.");
    }
  });
}

export async function splice_has_the_corners_of_an_array() {
  await withDogs(async (realm, _dogs, dog) => {
    const { tags } = dog;
    for (const args of [[1], [1, 1], [-1], [-9], [-9, 1], [9, 1, "x"], [1, 0, "x", "y"], [1, -1], [1.5, 1], [0, 99]]) {
      const array = ["b", "a", "c", "a"];
      const removed = array.splice(...args);
      realm.beginTransaction();
      equal([tags.splice(...args), [...tags]], [removed, array], `splice(${args})`);
      realm.cancelTransaction();
    }
    realm.write(() => {
      throws(() => tags.splice(), "Expected 'start' to be a number, got undefined");
      throws(() => tags.splice("1"), "Expected 'start' to be a number, got a string");
      throws(() => tags.push("x", 5), "to be a string, got a number");
      equal([...tags], ["b", "a", "c", "a"], "after what failed");
      throws(() => tags.remove(-1), "Index cannot be smaller than 0");
      throws(() => tags.remove(9), "Index cannot be greater than the size of the list");
      throws(() => tags.move(0, 9), "Indexes cannot be greater than the size of the list");
      throws(() => tags.swap("0", 1), "Expected 'index1' to be a number, got a string");
    });
  });
}

export async function orders_are_checked() {
  await withDogs(async (_realm, dogs, dog) => {
    equal(ids(dogs.sorted("age")), [3, 2, 1, 0]);
    equal(ids(dogs.sorted("age", true)), [0, 1, 2, 3]);
    equal(
      ids(
        dogs.sorted([
          ["age", false],
          ["name", true],
        ]),
      ),
      [3, 2, 1, 0],
    );
    equal(ids(dogs.sorted([])), [0, 1, 2, 3]);
    equal([...dog.tags.sorted()], ["a", "a", "b", "c"]);
    equal([...dog.tags.sorted(true)], ["c", "b", "a", "a"]);
    equal([...dog.tags.sorted([])], ["b", "a", "c", "a"]);
    const kinds = "property name and optional bool or an array of descriptors";
    throws(() => dogs.sorted(5), `Expected 'argument' to be ${kinds}, got a number`);
    throws(() => dogs.sorted(null), `Expected 'argument' to be ${kinds}, got null`);
    const pair = "string or array with two elements [string, boolean]";
    throws(() => dogs.sorted([5]), `Expected 'descriptor[0]' to be ${pair}, got a number`);
    throws(() => dogs.sorted([["age"]]), "Expected 'direction' to be a boolean, got undefined");
    throws(() => dogs.sorted([["age", 1]]), "Expected 'direction' to be a boolean, got a number");
    throws(() => dogs.sorted(["age"], true), "Expected second 'argument' to be undefined, got a boolean");
    throws(() => dogs.sorted("nope"), "Cannot sort on key path 'nope': property 'Dog.nope' does not exist.");
    throws(
      () => dog.tags.sorted("name"),
      "Cannot sort on key path 'name': arrays of 'string' can only be sorted on 'self'",
    );
    throws(() => dog.tags.sorted(["self", "self"]), "Cannot sort array of 'string' on more than one key path");
  });
}

export async function iterating_is_not_disturbed_by_what_happens_meanwhile() {
  await withDogs(async (realm, dogs, dog) => {
    const seen = [];
    realm.write(() => {
      for (const each of dogs) {
        seen.push(each?._id ?? null);
        if (seen.length === 1) realm.delete(realm.objectForPrimaryKey("Dog", 2));
        if (seen.length === 2) realm.create("Dog", { _id: 9, name: "late" });
      }
      equal(seen, [0, 1, null, 3]);
      const tags = [];
      for (const tag of dog.tags) {
        tags.push(tag);
        dog.tags.push(`${tag}${tag}`);
      }
      equal(tags, ["b", "a", "c", "a"]);
    });
    const snapshot = dogs.snapshot();
    realm.write(() => realm.delete(realm.objectForPrimaryKey("Dog", 1)));
    equal(
      [ids(snapshot), ids(dogs)],
      [
        [0, null, 3, 9],
        [0, 3, 9],
      ],
    );
    equal([snapshot[1], snapshot.length, snapshot.isValid()], [null, 4, true]);
    throws(() => snapshot.addListener(() => {}), "Cannot create asynchronous query for snapshotted Results.");
  });
}

export async function collections_say_what_they_are() {
  await withDogs(async (_realm, dogs, dog) => {
    equal([dogs.type, dogs.optional, dogs.isEmpty()], ["object", false, false]);
    equal([dog.tags.type, dog.tags.optional], ["string", false]);
    equal([dog.friends.type, dog.friends.optional], ["object", false]);
    equal(dogs.filtered("age > 99").isEmpty(), true);
    equal(dogs.filtered("age > 3").sorted("name").description(), "age > 3 SORT(name ASC)");
  });
}

export async function what_is_left_of_the_links_of_a_deleted_object_is_empty() {
  const schema = [{ name: "N", properties: { n: "int?", list: "N[]", set: "N<>", numbers: "int[]" } }];
  const realm = memoryRealm(freshPath("collections"), schema);
  const [owner, other] = realm.write(() => [
    realm.create("N", { list: [{ n: 1 }], set: [{ n: 2 }], numbers: [3] }),
    realm.create("N", {}),
  ]);
  const { list, set, numbers } = owner;
  realm.write(() => realm.delete(owner));
  for (const links of [list, set]) {
    equal([links.isValid(), links.isEmpty(), links.type], [false, true, "object"]);
    equal([[...links], links.map(() => 1), links.slice(), links.toJSON(), Object.keys(links)], [[], [], [], [], []]);
    equal(
      [links.at(0), links.find(() => true), links.indexOf(other), links.min("n")],
      [undefined, undefined, -1, undefined],
    );
    equal([links.filtered("n == 1").length, links.sorted("n", true).length, links.snapshot().length], [0, 0, 0]);
    throws(() => links.filtered("nope == 1"), "has no property 'nope'");
    links.addListener(() => {
      throw new Error("nothing changes any more");
    });
  }
  equal([set.size, set.has(other)], [0, false]);
  throws(() => list.length, "List is no longer valid");
  throws(() => list[0], "List is no longer valid");
  throws(() => [...numbers], "List is no longer valid");
  realm.write(() => {
    throws(() => list.push(other), "List is no longer valid");
    throws(() => set.add(other), "Set is no longer valid");
  });
  realm.close();
}
