// Creating, reading, updating and deleting objects; transactions.
import Realm from "/dist/index.js";
import { Dog, memoryRealm, Person } from "/tests/suite/models.js";
import { equal, freshPath, isTrue, throws } from "/tests/suite/support.js";

function withRealm(test) {
  const realm = memoryRealm(freshPath("crud"));
  try {
    return test(realm);
  } finally {
    realm.close();
  }
}

export async function a_created_object_reads_back() {
  withRealm((realm) => {
    const dog = realm.write(() => realm.create("Dog", { _id: 1, name: "Rex", tags: ["a", "b"] }));
    equal(dog.name, "Rex");
    equal(dog.age, 3, "the default");
    equal(dog.nick, null);
    equal(dog.owner, null);
    equal([...dog.tags], ["a", "b"]);
    equal(realm.objects("Dog").length, 1);
    equal(realm.objectForPrimaryKey("Dog", 1).name, "Rex");
    equal(realm.objectForPrimaryKey("Dog", 2), null);
  });
}

export async function class_models_have_their_methods() {
  withRealm((realm) => {
    const dog = realm.write(() => realm.create(Dog, { _id: 1, name: "Rex" }));
    isTrue(dog instanceof Dog && dog instanceof Realm.Object, "an instance of its class");
    equal(dog.bark(), "Rex barks");
    const other = realm.write(() => new Dog(realm, { _id: 2, name: "Ada" }));
    equal(other.bark(), "Ada barks");
    equal(realm.objects(Dog).length, 2);
    equal(realm.objectForPrimaryKey(Dog, 2).name, "Ada");
  });
}

export async function objects_look_like_objects() {
  withRealm((realm) => {
    const dog = realm.write(() => realm.create("Dog", { _id: 1, name: "Rex" }));
    const names = ["_id", "name", "age", "owner", "friends", "tags", "nick"];
    equal(Object.keys(dog), names);
    equal(dog.keys(), names);
    equal(Object.keys({ ...dog }), names);
    equal(dog.entries()[1], ["name", "Rex"]);
    isTrue("name" in dog && "bark" in dog && !("nope" in dog), "`in` to know the properties");
    equal({ ...dog }.name, "Rex");
    const seen = [];
    for (const name in dog) seen.push(name);
    equal(seen.slice(0, names.length), names);
    equal(dog.objectSchema().name, "Dog");
    equal(dog.getPropertyType("tags"), "list<string>");
    equal(dog.getPropertyType("owner"), "<Person>");
  });
}

export async function to_json_goes_round_in_cycles() {
  withRealm((realm) => {
    const dog = realm.write(() => {
      const rex = realm.create("Dog", { _id: 1, name: "Rex", owner: { name: "Jo" } });
      rex.owner.dogs.push(rex);
      rex.friends.push(rex);
      return rex;
    });
    const json = dog.toJSON();
    equal(json.name, "Rex");
    isTrue(json.owner.dogs[0] === json && json.friends[0] === json, "the cycle to lead back");
    equal(realm.objects("Person").toJSON()[0].name, "Jo");
  });
}

export async function create_makes_linked_objects() {
  withRealm((realm) => {
    realm.write(() =>
      realm.create("Person", {
        name: "Jo",
        dogs: [
          { _id: 1, name: "a" },
          { _id: 2, name: "b", owner: { name: "Al" } },
        ],
      }),
    );
    equal(realm.objects("Person").length, 2);
    equal(
      realm.objects("Dog").map((dog) => dog.name),
      ["a", "b"],
    );
    equal(realm.objects("Dog")[1].owner.name, "Al");
  });
}

export async function update_modes_do_what_they_say() {
  withRealm((realm) => {
    realm.write(() => realm.create("Dog", { _id: 1, name: "Rex", nick: "R" }));
    const existing = "Attempting to create an object of type 'Dog' with an existing primary key value '1'.";
    throws(() => realm.write(() => realm.create("Dog", { _id: 1, name: "x" })), existing);
    throws(() => realm.write(() => realm.create("Dog", { _id: 1, name: "x" }, "never")), existing);
    const dog = realm.objectForPrimaryKey("Dog", 1);
    equal(dog.name, "Rex");
    realm.write(() => realm.create("Dog", { _id: 1, name: "Max" }, "modified"));
    equal([dog.name, dog.nick], ["Max", "R"]);
    realm.write(() => realm.create("Dog", { _id: 1, nick: null }, "all"));
    equal([dog.name, dog.nick], ["Max", null]);
    realm.write(() => realm.create("Dog", { _id: 1, age: 9 }, true));
    equal(dog.age, 9);
    throws(() => realm.write(() => realm.create("Dog", { _id: 1 }, "sometimes")), "Unsupported 'updateMode'");
    equal(realm.objects("Dog").length, 1);
  });
}

export async function a_value_that_does_not_fit_leaves_nothing_half_written() {
  withRealm((realm) => {
    realm.write(() => {
      throws(() => realm.create("Dog", { _id: 1, name: 5 }), "Expected value to be a string, got a number (Dog.name)");
      throws(() => realm.create("Dog", { _id: 2 }), "Missing value for property 'name'");
      throws(() => realm.create("Dog", { _id: 3, name: "x", tags: [1] }), "Expected 'tags[0]' to be a string");
      throws(() => realm.create("Person", { name: "Jo", dogs: [{ _id: 4, name: "ok" }, { _id: 5 }] }), "Missing value");
      throws(
        () =>
          realm.create("Person", {
            name: "Jo",
            dogs: [
              { _id: 6, name: "a" },
              { _id: 6, name: "b" },
            ],
          }),
        "existing",
      );
      const dog = realm.create("Dog", { _id: 7, name: "ok", tags: ["keep"] });
      throws(() => realm.create("Dog", { _id: 7, name: "changed", tags: [5] }, "all"), "tags[0]");
      throws(() => dog.tags.push("x", 5), "Expected value to be a string, got a number (Dog.tags)");
      equal([dog.name, ...dog.tags], ["ok", "keep"]);
    });
    equal(realm.objects("Dog").length, 1);
    equal(realm.objects("Person").length, 0);
  });
}

export async function wrong_types_are_named() {
  withRealm((realm) => {
    realm.write(() => {
      const dog = realm.create("Dog", { _id: 1, name: "Rex" });
      const cases = [
        ["name", 5, "Expected value to be a string, got a number (Dog.name)"],
        ["name", null, "Expected value to be a string, got null (Dog.name)"],
        ["age", "x", "Expected value to be a number or bigint, got a string (Dog.age)"],
        ["age", 1.5, "1.5"],
        ["owner", 5, "Expected 'owner' to be an object, got a number"],
        ["tags", 5, "Expected value to be an object, got a number (Dog.tags)"],
        ["tags", [null], "Expected 'tags[0]' to be a string, got null"],
        ["nick", 5, "Expected value to be a string, got a number (Dog.nick)"],
        ["_id", 9, "Cannot change value of primary key outside migration function"],
      ];
      for (const [name, value, message] of cases) {
        throws(() => {
          dog[name] = value;
        }, message);
      }
      throws(() => realm.create("Nope", {}), "Object type 'Nope' not found in schema.");
      throws(() => realm.create("Dog", [1]), "Array values on object creation is no longer supported");
      throws(() => realm.create("Dog", null), "Expected 'values' to be an object, got null");
      throws(() => realm.create(5, {}), "Expected an object schema name, object instance or class");
      equal(dog.toJSON().name, "Rex");
    });
    throws(() => realm.objectForPrimaryKey("Dog", "x"), "to be a number or bigint, got a string");
    throws(() => realm.objectForPrimaryKey("Person", 1), "Expected a primary key on 'Person'");
  });
}

export async function a_thrown_error_rolls_the_write_back() {
  withRealm((realm) => {
    realm.write(() => realm.create("Dog", { _id: 1, name: "Rex", tags: ["a"] }));
    const dogs = realm.objects("Dog");
    const error = throws(
      () =>
        realm.write(() => {
          dogs[0].name = "Max";
          dogs[0].tags.push("b");
          realm.create("Dog", { _id: 2, name: "new" });
          throw new Error("on purpose");
        }),
      "on purpose",
    );
    equal(error.message, "on purpose");
    equal([dogs.length, dogs[0].name, dogs[0].tags.length], [1, "Rex", 1]);
    isTrue(!realm.isInTransaction, "no transaction to be left");
  });
}

export async function transactions_can_be_made_by_hand() {
  withRealm((realm) => {
    equal(
      realm.write(() => 42),
      42,
      "what the callback returned",
    );
    realm.beginTransaction();
    isTrue(realm.isInTransaction, "a transaction");
    throws(() => realm.beginTransaction(), "The Realm is already in a write transaction");
    throws(() => realm.write(() => {}), "The Realm is already in a write transaction");
    realm.create("Dog", { _id: 1, name: "Rex" });
    realm.cancelTransaction();
    isTrue(realm.isEmpty, "an empty realm");
    realm.beginTransaction();
    realm.create("Dog", { _id: 1, name: "Rex" });
    realm.commitTransaction();
    equal(realm.objects("Dog").length, 1);
    throws(() => realm.commitTransaction(), "Can't commit a non-existing write transaction");
    throws(() => realm.cancelTransaction(), "Can't cancel a non-existing write transaction");
    const ended = "Can't commit a non-existing write transaction";
    throws(() => realm.write(() => realm.cancelTransaction()), ended);
    throws(
      () =>
        realm.write(() => {
          realm.create("Dog", { _id: 2, name: "Max" });
          realm.commitTransaction();
        }),
      ended,
    );
    isTrue(!realm.isInTransaction, "no transaction to be left");
    equal(realm.objects("Dog").length, 2, "what the callback itself had committed");
  });
}

export async function writing_takes_a_transaction() {
  withRealm((realm) => {
    const dog = realm.write(() => realm.create("Dog", { _id: 1, name: "Rex", tags: ["a"] }));
    const outside = "Cannot modify managed objects outside of a write transaction.";
    throws(() => {
      dog.name = "Max";
    }, outside);
    throws(() => realm.create("Dog", { _id: 2, name: "x" }), outside);
    throws(() => dog.tags.push("b"), outside);
    throws(() => dog.tags.remove(0), outside);
    throws(() => {
      dog.tags[0] = "b";
    }, outside);
    throws(() => realm.delete(dog), "Can only delete objects within a transaction.");
    throws(() => realm.deleteAll(), "Can only delete objects within a transaction.");
    equal([dog.name, ...dog.tags], ["Rex", "a"]);
  });
}

export async function delete_takes_objects_and_collections() {
  withRealm((realm) => {
    const make = () => realm.write(() => [1, 2, 3, 4].map((_id) => realm.create("Dog", { _id, name: `${_id}` })));
    const remove = (subject) => realm.write(() => realm.delete(subject));
    const [first, second] = make();
    remove(first);
    isTrue(!first.isValid() && second.isValid(), "only the first to be gone");
    remove(realm.objects("Dog").filtered("_id == 2"));
    isTrue(!second.isValid(), "the second to be gone");
    remove([...realm.objects("Dog")]);
    isTrue(realm.isEmpty, "an empty realm");
    remove(new Set(make()));
    const dogs = make();
    const jo = realm.write(() => realm.create("Person", { name: "Jo", dogs }));
    remove(jo.dogs);
    equal([jo.dogs.length, realm.objects("Dog").length], [0, 0]);
    make();
    realm.write(() => realm.deleteAll());
    isTrue(realm.isEmpty, "an empty realm");
    realm.write(() => {
      throws(() => realm.delete(null), "Expected 'subject' to be an object, got null");
      throws(() => realm.delete({}), "Can only delete objects, lists and results.");
      throws(() => realm.delete(jo), "Object is invalid.");
    });
  });
}

export async function a_deleted_object_says_so() {
  withRealm((realm) => {
    const dog = realm.write(() => realm.create("Dog", { _id: 1, name: "Rex" }));
    const { tags } = dog;
    const jo = realm.write(() => realm.create("Person", { name: "Jo", dogs: [dog] }));
    const max = realm.write(() => realm.create("Dog", { _id: 2, name: "Max", owner: jo }));
    realm.write(() => realm.delete(dog));
    isTrue(!dog.isValid() && !tags.isValid(), "neither to be valid");
    throws(() => dog.name, "Accessing object which has been invalidated or deleted");
    throws(() => tags.length, "List is no longer valid");
    throws(() => dog.tags, "List is no longer valid");
    equal(Object.keys(dog).length, 7);
    equal(jo.dogs.length, 0, "the list that linked to it");
    realm.write(() => realm.delete(jo));
    equal(max.owner, null, "the link to it");
    realm.write(() =>
      throws(() => {
        dog.name = "x";
      }, "Accessing object which has been invalidated or deleted"),
    );
  });
}

export async function lists_are_written_in_place() {
  withRealm((realm) => {
    const dog = realm.write(() => realm.create("Dog", { _id: 1, name: "Rex", tags: ["a", "b", "c"] }));
    const { tags } = dog;
    const write = (action) => realm.write(action);
    equal(
      write(() => tags.push("d", "e")),
      5,
    );
    equal(
      write(() => tags.pop()),
      "e",
    );
    equal(
      write(() => tags.shift()),
      "a",
    );
    equal(
      write(() => tags.unshift("x", "y")),
      5,
    );
    equal([...tags], ["x", "y", "b", "c", "d"]);
    equal(
      write(() => tags.splice(1, 2, "p", "q", "r")),
      ["y", "b"],
    );
    equal([...tags], ["x", "p", "q", "r", "c", "d"]);
    equal(
      write(() => tags.splice(-1)),
      ["d"],
    );
    write(() => tags.swap(0, 4));
    equal([...tags], ["c", "p", "q", "r", "x"]);
    write(() => tags.move(0, 2));
    equal([...tags], ["p", "q", "c", "r", "x"]);
    write(() => tags.remove(2));
    write(() => {
      tags[0] = "first";
    });
    equal([...tags], ["first", "q", "r", "x"]);
    write(() => {
      const itself = dog.tags;
      dog.tags = itself;
    });
    equal(tags.length, 4);
    write(() => {
      dog.tags = [];
    });
    equal([tags.length, write(() => tags.pop()), write(() => tags.shift())], [0, undefined, undefined]);
    write(() => {
      throws(() => tags.remove(0), "Index cannot be greater than the size of the list");
      throws(() => {
        tags[3] = "x";
      }, "Requested index 3 calling set() on list 'Dog.tags' when empty");
      throws(() => {
        tags[-1] = "x";
      }, "Cannot set item at negative index -1.");
      throws(() => {
        tags.length = 0;
      }, "Cannot assign to read only property 'length'");
    });
  });
}

export async function collections_read_like_arrays() {
  withRealm((realm) => {
    const dog = realm.write(() => realm.create("Dog", { _id: 1, name: "Rex", tags: ["a", "b", "c"] }));
    const { tags } = dog;
    equal([tags.length, tags[0], tags[2], tags[3], tags[-1], tags.at(-1)], [3, "a", "c", undefined, undefined, "c"]);
    equal(Object.keys(tags), ["0", "1", "2"]);
    equal([...tags.keys()], [0, 1, 2]);
    equal(
      [...tags.entries()],
      [
        [0, "a"],
        [1, "b"],
        [2, "c"],
      ],
    );
    equal(
      tags.map((tag, index) => tag + index),
      ["a0", "b1", "c2"],
    );
    equal([tags.indexOf("b"), tags.includes("c"), tags.includes("z")], [1, true, false]);
    equal([tags.join("-"), tags.slice(1), tags.concat(["z"]).length], ["a-b-c", ["b", "c"], 4]);
    equal([tags.find((tag) => tag > "a"), tags.findIndex((tag) => tag > "a")], ["b", 1]);
    equal([tags.every((tag) => tag < "z"), tags.some((tag) => tag === "z")], [true, false]);
    equal(
      [tags.filter((tag) => tag !== "b"), tags.reduce((all, tag) => all + tag), tags.flatMap((t) => [t, t]).length],
      [["a", "c"], "abc", 6],
    );
    equal([tags.type, tags.optional, tags.isEmpty()], ["string", false, false]);
    throws(() => tags.flat(), "Method not implemented.");
    throws(() => tags.indexOf("a", 1), "The second fromIndex argument is not yet supported");
    const dogs = realm.objects("Dog");
    equal([dogs.type, dogs.indexOf(dog), dogs.includes(dog)], ["object", 0, true]);
    isTrue(
      dogs instanceof Realm.Results && dogs instanceof Realm.Collection && tags instanceof Realm.List,
      "the classes",
    );
    throws(() => {
      dogs[0] = dog;
    }, "Modifying a Results collection is not supported.");
    throws(() => new Realm.Results(), "Illegal constructor");
  });
}

export async function iteration_and_snapshots_are_not_disturbed() {
  withRealm((realm) => {
    realm.write(() => [1, 2, 3].map((_id) => realm.create("Dog", { _id, name: `${_id}` })));
    const dogs = realm.objects("Dog");
    const snapshot = dogs.snapshot();
    realm.write(() => {
      for (const dog of dogs) realm.delete(dog);
    });
    equal([dogs.length, snapshot.length, [...snapshot]], [0, 3, [null, null, null]]);
    throws(() => snapshot.addListener(() => {}), "Cannot create asynchronous query for snapshotted Results.");
  });
}

export async function instances_of_one_path_share_everything() {
  const path = freshPath("crud");
  const one = memoryRealm(path, [Dog, Person]);
  const two = memoryRealm(path, [Dog, Person]);
  const dog = one.write(() => one.create("Dog", { _id: 1, name: "Rex" }));
  equal(two.objectForPrimaryKey("Dog", 1).name, "Rex");
  two.write(() => {
    two.objects("Dog")[0].name = "Max";
  });
  equal(dog.name, "Max");
  one.close();
  isTrue(one.isClosed && two.isClosed && !dog.isValid(), "all of a path to be closed together");
  const three = memoryRealm(path, [Dog, Person]);
  isTrue(three.isEmpty, "a realm in memory to end with its last instance");
  three.close();
}

export async function closing_an_instance_ends_its_transaction() {
  const path = freshPath("crud");
  const one = memoryRealm(path, [Dog, Person]);
  const two = memoryRealm(path, [Dog, Person]);
  const closing = () => {
    one.create("Dog", { _id: 1, name: "Rex" });
    one.close();
  };
  throws(() => one.write(closing), "Cannot access realm that has been closed.");
  isTrue(two.isClosed, "the other instance to be closed as well");
  const three = memoryRealm(path, [Dog, Person]);
  equal([three.isInTransaction, three.isEmpty], [false, true]);
  const four = memoryRealm(path, [Dog, Person]);
  three.beginTransaction();
  three.create("Dog", { _id: 2, name: "Max" });
  four.close();
  throws(() => three.commitTransaction(), "Cannot access realm that has been closed.");
  const five = memoryRealm(path, [Dog, Person]);
  isTrue(five.isEmpty, "what was not committed to be gone");
  five.close();
}

export async function a_closed_realm_says_so() {
  const realm = memoryRealm(freshPath("crud"));
  const dog = realm.write(() => realm.create("Dog", { _id: 1, name: "Rex", tags: ["a"] }));
  const dogs = realm.objects("Dog");
  realm.close();
  realm.close();
  const closed = "Cannot access realm that has been closed.";
  throws(() => realm.objects("Dog"), closed);
  throws(() => realm.write(() => {}), closed);
  throws(() => realm.isEmpty, closed);
  throws(() => realm.addListener("change", () => {}), closed);
  throws(() => dog.name, "Accessing object which has been invalidated or deleted");
  throws(() => dogs.length, "Access to invalidated Results objects");
  isTrue(!dogs.isValid() && !dog.isValid() && !realm.isInTransaction, "nothing to be valid");
}

export async function results_update_every_object() {
  withRealm((realm) => {
    realm.write(() => [1, 2].map((_id) => realm.create("Dog", { _id, name: `${_id}` })));
    realm.write(() => realm.objects("Dog").update("age", 8));
    equal(
      realm.objects("Dog").map((dog) => dog.age),
      [8, 8],
    );
    realm.write(() =>
      throws(() => realm.objects("Dog").update("zork", 1), "Property 'zork' does not exist on 'Dog' objects"),
    );
  });
}

export async function aggregates_reckon() {
  withRealm((realm) => {
    const dogs = realm.objects("Dog");
    equal([dogs.min("age"), dogs.max("age"), dogs.sum("age"), dogs.avg("age")], [undefined, undefined, 0, undefined]);
    realm.write(() => [1, 2, 6].map((age) => realm.create("Dog", { _id: age, name: "x", age })));
    equal([dogs.min("age"), dogs.max("age"), dogs.sum("age"), dogs.avg("age")], [1, 6, 9, 3]);
    throws(() => dogs.min("name"), "Operation 'min' not supported for string property 'Dog.name'");
    throws(() => dogs.sum("zork"), "Property 'zork' does not exist on 'Dog' objects");
  });
}

export async function a_value_over_the_limit_is_refused_and_leaves_nothing() {
  withRealm((realm) => {
    const long = "x".repeat(20 * 1024 * 1024);
    realm.write(() => {
      const error = throws(() => realm.create("Dog", { _id: 1, name: "Rex", nick: long }), "exceeds the limit");
      equal(error.code, "LimitExceeded");
      equal(realm.objects("Dog").length, 0);
      const dog = realm.create("Dog", { _id: 1, name: "Rex", age: 5, tags: ["a", "b"] });
      const update = { _id: 1, name: "Max", age: 6, tags: ["c"], nick: long };
      throws(() => realm.create("Dog", update, "all"), "exceeds the limit");
      throws(() => {
        dog.tags = ["c", long];
      }, "exceeds the limit");
      throws(() => dog.tags.push("c", long), "exceeds the limit");
      throws(() => dog.tags.splice(0, 2, "c", long), "exceeds the limit");
      equal([dog.name, dog.age, dog.nick, ...dog.tags], ["Rex", 5, null, "a", "b"]);
      dog.nick = "y".repeat(16 * 1024 * 1024);
      equal([dog.nick.length, realm.objects("Dog").filtered("nick BEGINSWITH 'y'").length], [16_777_216, 1]);
      realm.delete(dog);
    });
    throws(() => realm.write(() => realm.create("Dog", { _id: 2, name: long })), "exceeds the limit");
    isTrue(realm.isEmpty && !realm.isInTransaction, "an empty realm and no transaction");
  });
}
