// Listeners to realms, objects, results and lists.
import { Dog, memoryRealm, Person } from "/tests/suite/models.js";
import { Calls, changes, equal, freshPath, isTrue, throws, turn } from "/tests/suite/support.js";

async function withRealm(test) {
  const realm = memoryRealm(freshPath("listeners"), [Dog, Person]);
  realm.write(() => [1, 2, 3].map((_id) => realm.create("Dog", { _id, name: `dog ${_id}`, age: _id })));
  try {
    await test(realm, realm.objects("Dog"));
  } finally {
    realm.close();
  }
}

export async function results_tell_what_changed() {
  await withRealm(async (realm, dogs) => {
    const calls = new Calls();
    dogs.addListener(calls.callback);
    equal(calls.count, 0, "calls within addListener");
    const [first, nothing] = await calls.next("the first call");
    equal([first === dogs, nothing], [true, changes()]);
    realm.write(() => {
      dogs[1].name = "changed";
    });
    equal((await calls.next())[1], changes({ oldModifications: [1], newModifications: [1] }));
    realm.write(() => realm.create("Dog", { _id: 4, name: "new" }));
    equal((await calls.next())[1], changes({ insertions: [3] }));
    realm.write(() => {
      realm.delete(dogs[0]);
      dogs[2].age = 9;
    });
    equal((await calls.next())[1], changes({ deletions: [0], oldModifications: [3], newModifications: [2] }));
    realm.write(() => realm.create("Person", { name: "Jo" }));
    await turn();
    await turn();
    equal(calls.count, 4, "no call for another class");
  });
}

export async function filtered_and_sorted_results_tell_positions_of_their_own() {
  await withRealm(async (realm, dogs) => {
    const calls = new Calls();
    const young = dogs.filtered("age < 3").sorted("age", true);
    young.addListener(calls.callback);
    await calls.next();
    realm.write(() => {
      realm.objectForPrimaryKey("Dog", 3).age = 0;
    });
    equal((await calls.next())[1], changes({ insertions: [2] }));
    realm.write(() => {
      realm.objectForPrimaryKey("Dog", 2).age = 8;
    });
    equal((await calls.next())[1], changes({ deletions: [0] }));
  });
}

export async function objects_tell_which_properties_changed() {
  await withRealm(async (realm, dogs) => {
    const dog = dogs[0];
    const calls = new Calls();
    dog.addListener(calls.callback);
    const [subject, nothing] = await calls.next("the first call");
    equal([subject === dog, nothing], [true, { changedProperties: [], deleted: false }]);
    realm.write(() => {
      dog.age = 8;
      dog.tags.push("x");
      dogs[1].age = 5;
    });
    const [, changed] = await calls.next();
    equal([changed.deleted, [...changed.changedProperties].sort()], [false, ["age", "tags"]]);
    realm.write(() => {
      dog.name = "x";
    });
    equal((await calls.next())[1].changedProperties, ["name"]);
    realm.write(() => {
      dog.name = "x";
    });
    equal((await calls.next())[1].changedProperties, ["name"], "setting an equal value");
    realm.write(() => realm.delete(dog));
    equal((await calls.next())[1], { changedProperties: [], deleted: true });
    equal(calls.count, 5);
  });
}

export async function lists_tell_what_changed() {
  await withRealm(async (realm, dogs) => {
    const { tags } = dogs[0];
    const calls = new Calls();
    tags.addListener(calls.callback);
    await calls.next("the first call");
    realm.write(() => tags.push("a", "b", "c"));
    equal((await calls.next())[1], changes({ insertions: [0, 1, 2] }));
    realm.write(() => {
      tags.remove(0);
      tags[1] = "C";
    });
    equal((await calls.next())[1], changes({ deletions: [0], oldModifications: [2], newModifications: [1] }));
    const links = dogs[0].friends;
    const linked = new Calls();
    links.addListener(linked.callback);
    await linked.next();
    realm.write(() => links.push(dogs[1], dogs[2]));
    equal((await linked.next())[1], changes({ insertions: [0, 1] }));
    realm.write(() => realm.delete(realm.objectForPrimaryKey("Dog", 2)));
    equal((await linked.next())[1], changes({ deletions: [0] }));
  });
}

export async function sorted_values_of_a_list_tell_what_changed() {
  await withRealm(async (realm, dogs) => {
    const { tags } = dogs[0];
    realm.write(() => tags.push("c", "a"));
    const calls = new Calls();
    tags.sorted().addListener(calls.callback);
    await calls.next("the first call");
    realm.write(() => tags.push("b"));
    equal((await calls.next())[1], changes({ insertions: [1] }));
    realm.write(() => {
      tags[0] = "d";
      tags.remove(1);
    });
    equal((await calls.next())[1], changes({ deletions: [0], oldModifications: [2], newModifications: [1] }));
    realm.write(() => {
      dogs[0].name = "of no concern";
      dogs[1].tags.push("x");
    });
    realm.write(() => realm.delete(dogs[0]));
    equal((await calls.next())[1], changes({ deletions: [0, 1] }));
    equal(calls.count, 4);
  });
}

export async function an_object_that_goes_before_the_first_call_is_told_to_be_gone() {
  await withRealm(async (realm, dogs) => {
    const dog = dogs[0];
    const calls = new Calls();
    realm.beginTransaction();
    dog.addListener(calls.callback);
    realm.delete(dog);
    realm.commitTransaction();
    equal((await calls.next("the first call"))[1], { changedProperties: [], deleted: false });
    equal((await calls.next("the end"))[1], { changedProperties: [], deleted: true });
  });
}

export async function each_listener_is_called_once_a_turn() {
  await withRealm(async (realm, dogs) => {
    const calls = new Calls();
    dogs.addListener(calls.callback);
    await calls.next();
    for (let age = 10; age < 15; age++) {
      realm.write(() => {
        dogs[0].age = age;
      });
    }
    equal((await calls.next())[1], changes({ oldModifications: [0], newModifications: [0] }));
    await turn();
    await turn();
    equal(calls.count, 2);
  });
}

export async function listeners_can_be_removed() {
  await withRealm(async (realm, dogs) => {
    const [one, two, three] = [new Calls(), new Calls(), new Calls()];
    dogs.addListener(one.callback);
    dogs.addListener(two.callback);
    dogs.addListener(three.callback);
    throws(() => dogs.addListener(one.callback), "Remove callback before adding it again");
    for (const calls of [one, two, three]) await calls.next();
    dogs.removeListener(one.callback);
    realm.write(() => {
      dogs[0].age = 9;
    });
    await two.next();
    dogs.removeAllListeners();
    realm.write(() => {
      dogs[0].age = 10;
    });
    await turn();
    await turn();
    equal([one.count, two.count, three.count], [1, 2, 2]);
    const [dog, again] = [dogs[0], dogs[0]];
    dog.addListener(one.callback);
    again.addListener(one.callback);
    await one.next();
    await one.next();
    dog.removeAllListeners();
    again.removeListener(two.callback);
    realm.write(() => {
      dog.age = 11;
    });
    await one.next("the listener of another object for the same row");
    again.removeListener(one.callback);
    realm.write(() => {
      dog.age = 12;
    });
    await turn();
    equal(one.count, 4, "a listener that was removed");
  });
}

export async function listeners_may_add_remove_and_write() {
  await withRealm(async (realm, dogs) => {
    const late = new Calls();
    const calls = new Calls();
    const listener = (_collection, change) => {
      calls.callback(change);
      if (calls.count === 2) {
        realm.write(() => realm.create("Dog", { _id: 100, name: "from a listener" }));
        dogs.addListener(late.callback);
      }
      if (calls.count === 3) dogs.removeListener(listener);
    };
    dogs.addListener(listener);
    await calls.next();
    realm.write(() => {
      dogs[0].age = 50;
    });
    await calls.next();
    equal((await calls.next())[0], changes({ insertions: [3] }));
    await late.next("the first call of a listener added in a listener");
    realm.write(() => {
      dogs[0].age = 51;
    });
    await late.next();
    equal(calls.count, 3);
  });
}

export async function an_exception_in_a_listener_stops_nobody() {
  await withRealm(async (realm, dogs) => {
    const errors = new Calls();
    const hear = (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      errors.callback(event.message);
    };
    globalThis.addEventListener("error", hear, true);
    const calls = new Calls();
    dogs.addListener(() => {
      throw new Error("a listener's own");
    });
    dogs.addListener(calls.callback);
    await calls.next();
    realm.write(() => {
      dogs[0].age = 9;
    });
    await calls.next();
    const [message] = await errors.next("the error");
    await errors.next("the second error");
    globalThis.removeEventListener("error", hear, true);
    isTrue(message.includes("a listener's own"), "the listener's error to be reported");
  });
}

export async function a_cancelled_write_tells_nobody() {
  await withRealm(async (realm, dogs) => {
    const calls = new Calls();
    dogs.addListener(calls.callback);
    await calls.next();
    realm.beginTransaction();
    dogs[0].age = 99;
    realm.cancelTransaction();
    await turn();
    await turn();
    equal([calls.count, dogs[0].age], [1, 1]);
  });
}

export async function closing_ends_listeners() {
  const path = freshPath("listeners");
  const one = memoryRealm(path, [Dog, Person]);
  const [ends, stays] = [new Calls(), new Calls()];
  one.objects("Dog").addListener(ends.callback);
  await ends.next();
  one.close();
  const two = memoryRealm(path, [Dog, Person]);
  two.objects("Dog").addListener(stays.callback);
  await stays.next();
  two.write(() => two.create("Dog", { _id: 1, name: "x" }));
  await stays.next();
  equal(ends.count, 1);
  two.close();
}
