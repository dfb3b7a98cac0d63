// Filtering and sorting.
import Realm from "/dist/index.js";
import { Dog, memoryRealm, Person } from "/tests/suite/models.js";
import { equal, freshPath, isTrue, throws } from "/tests/suite/support.js";

function withDogs(test) {
  const realm = memoryRealm(freshPath("queries"), [Dog, Person]);
  realm.write(() => {
    const jo = realm.create("Person", { name: "Jo" });
    const dogs = [
      { _id: 1, name: "Rex", age: 3, nick: "Rexy", tags: ["good", "big"], owner: jo },
      { _id: 2, name: "Ada", age: 7, nick: null, tags: [] },
      { _id: 3, name: "ära", age: 5, nick: "", tags: ["small"] },
      { _id: 4, name: "rexona", age: 3, tags: ["big"], owner: jo },
    ];
    jo.dogs = dogs.map((dog) => realm.create("Dog", dog));
  });
  try {
    const dogs = realm.objects("Dog");
    test(realm, dogs, (...query) => dogs.filtered(...query).map((dog) => dog._id));
  } finally {
    realm.close();
  }
}

export async function comparisons_and_logic_filter() {
  withDogs((_realm, _dogs, find) => {
    equal(find("age == 3"), [1, 4]);
    equal(find("age != 3"), [2, 3]);
    equal(find("age > 3 AND age <= 5"), [3]);
    equal(find("age < 4 && name == 'Rex'"), [1]);
    equal(find("age >= 7 OR _id == 1"), [1, 2]);
    equal(find("NOT (age == 3 || age == 5)"), [2]);
    equal(find("!(age == 3)"), [2, 3]);
    equal(find("TRUEPREDICATE").length, 4);
    equal(find("FALSEPREDICATE"), []);
  });
}

export async function string_operators_filter() {
  withDogs((_realm, _dogs, find) => {
    equal(find("name BEGINSWITH 'Rex'"), [1]);
    equal(find("name BEGINSWITH[c] 'rex'"), [1, 4]);
    equal(find("name ENDSWITH 'a'"), [2, 3, 4]);
    equal(find("name CONTAINS 'ex'"), [1, 4]);
    equal(find("name LIKE 'R*'"), [1]);
    equal(find("name LIKE[c] '?ex*'"), [1, 4]);
    equal(find("name ==[c] 'REX'"), [1]);
  });
}

export async function nulls_and_links_filter() {
  withDogs((realm, _dogs, find) => {
    equal(find("nick == null"), [2, 4]);
    equal(find("nick != nil"), [1, 3]);
    equal(find("nick == ''"), [3]);
    equal(find("owner.name == 'Jo'"), [1, 4]);
    equal(find("owner == null"), [2, 3]);
    equal(find("owner == $0", realm.objects("Person")[0]), [1, 4]);
  });
}

export async function arguments_take_every_form() {
  withDogs((_realm, _dogs, find) => {
    equal(find("age == $0", 3), [1, 4]);
    equal(find("age == $1 AND name == $0", "Rex", 3), [1]);
    equal(find("name == $0", "Ada"), [2]);
    equal(find("nick == $0", null), [2, 4]);
    equal(find("age == $0", 3n), [1, 4]);
  });
}

export async function lists_of_objects_are_filtered_in_their_order() {
  withDogs((realm) => {
    const { dogs } = realm.objects("Person")[0];
    equal(
      dogs.filtered("age == 3").map((dog) => dog._id),
      [1, 4],
    );
    equal(dogs.sorted("name", true).map((dog) => dog._id).length, 4);
  });
}

export async function sorting_takes_all_forms() {
  withDogs((_realm, dogs) => {
    const ids = (results) => results.map((dog) => dog._id);
    equal(ids(dogs.sorted("age")), [1, 4, 3, 2]);
    equal(ids(dogs.sorted("age", true)), [2, 3, 1, 4]);
    equal(ids(dogs.sorted([["age", true], "_id"])), [2, 3, 1, 4]);
    equal(
      ids(
        dogs.sorted([
          ["age", false],
          ["_id", true],
        ]),
      ),
      [4, 1, 3, 2],
    );
    equal(ids(dogs.filtered("age < 7").sorted("_id", true)), [4, 3, 1]);
    equal(ids(dogs.sorted("_id", true).filtered("age == 3")), [4, 1]);
    throws(() => dogs.sorted("zork"), "'Dog.zork' does not exist");
    throws(
      () => dogs.sorted(["age", true]),
      "Expected 'descriptor[1]' to be string or array with two elements [string, boolean], got a boolean",
    );
    throws(() => dogs.sorted(5), "to be property name and optional bool or an array of descriptors");
  });
}

export async function results_stay_live() {
  withDogs((realm, dogs) => {
    const young = dogs.filtered("age < 5").sorted("_id", true);
    equal(
      young.map((dog) => dog._id),
      [4, 1],
    );
    realm.write(() => {
      realm.objectForPrimaryKey("Dog", 2).age = 1;
      realm.delete(realm.objectForPrimaryKey("Dog", 4));
      realm.create("Dog", { _id: 9, name: "new", age: 0 });
      equal(
        young.map((dog) => dog._id),
        [9, 2, 1],
        "inside of the transaction",
      );
    });
    equal(
      young.map((dog) => dog._id),
      [9, 2, 1],
    );
    equal([young.length, young[0].name], [3, "new"]);
  });
}

export async function malformed_queries_are_refused() {
  withDogs((_realm, dogs) => {
    throws(() => dogs.filtered("age =="), "Invalid predicate");
    throws(() => dogs.filtered("zork == 1"), "'Dog' has no property 'zork'");
    throws(() => dogs.filtered("age == $0"), "Request for argument at index 0 but no arguments are provided");
    throws(() => dogs.filtered("age == $1", 1), "Request for argument at index 1 but only 1 argument is provided");
    throws(() => dogs.filtered("age == $0", "x"), "Cannot compare argument $0 with value");
    throws(() => dogs.filtered(5), "Expected 'query' to be a string, got a number");
    throws(() => dogs.filtered("age == $0", { a: 1 }), "Unable to convert an object with ctor 'Object' to a Mixed");
    throws(() => dogs.filtered("age == $0", () => 1), "Can't convert function to Mixed");
    equal(dogs.length, 4);
  });
}

export async function a_query_describes_itself() {
  withDogs((_realm, dogs) => {
    equal(dogs.filtered("age > $0", 3).sorted("name", true).description(), "age > 3 SORT(name DESC)");
    isTrue(dogs.description().startsWith("TRUEPREDICATE"), "a description of everything");
  });
}

export async function lists_of_values_sort_and_find() {
  const schema = { name: "N", properties: { ints: "int[]", dates: "date[]", ids: "objectId[]" } };
  const realm = new Realm({ path: freshPath("queries"), inMemory: true, schema: [schema] });
  const { ObjectId } = Realm.BSON;
  const id = new ObjectId();
  const object = realm.write(() => realm.create("N", { ints: [3, 1, 2], dates: [new Date(7)], ids: [id] }));
  equal([...object.ints.sorted()], [1, 2, 3]);
  equal([...object.ints.sorted(true)], [3, 2, 1]);
  equal([object.ints.min(), object.ints.max(), object.ints.sum(), object.ints.avg()], [1, 3, 6, 2]);
  equal([object.dates.indexOf(new Date(7)), object.ids.includes(new ObjectId(id.toHexString()))], [0, true]);
  equal(object.dates.max().getTime(), 7);
  realm.close();
}
