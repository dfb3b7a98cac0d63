// Listeners to a realm as a whole: which event comes when, and who hears it.
import { Dog, memoryRealm, Person } from "/tests/suite/models.js";
import { Calls, equal, freshPath, throws, turn } from "/tests/suite/support.js";

async function withRealm(test) {
  const realm = memoryRealm(freshPath("listeners-realm"), [Dog, Person]);
  realm.write(() => realm.create("Dog", { _id: 1, name: "one" }));
  await turn();
  try {
    await test(realm, realm.objects("Dog"));
  } finally {
    if (!realm.isClosed) realm.close();
  }
}

export async function a_change_is_told_within_the_commit_and_other_listeners_after_it() {
  await withRealm(async (realm, dogs) => {
    const order = [];
    const calls = new Calls();
    dogs.addListener((...args) => {
      order.push("collection");
      calls.callback(...args);
    });
    await calls.next();
    order.length = 0;
    realm.addListener("change", (subject, name, more) => order.push([subject === realm, name, more ?? "no schema"]));
    realm.addListener("beforenotify", (subject, name) => order.push([subject === realm, name]));
    realm.write(() => {
      dogs[0].age = 9;
      order.push("writing");
    });
    order.push("written");
    await calls.next();
    equal(order, ["writing", [true, "change", "no schema"], "written", [true, "beforenotify"], "collection"]);
    realm.removeAllListeners();
  });
}

export async function a_listener_is_called_once_a_commit_however_often_it_was_added() {
  await withRealm(async (realm, dogs) => {
    const calls = new Calls();
    realm.addListener("change", calls.callback);
    realm.addListener("change", calls.callback);
    realm.write(() => {
      dogs[0].age = 9;
    });
    realm.write(() => {});
    equal(calls.count, 2, "an empty transaction is one too");
    realm.beginTransaction();
    dogs[0].age = 10;
    realm.cancelTransaction();
    throws(() => {
      realm.write(() => {
        throw new Error("of the application");
      });
    }, "of the application");
    await turn();
    equal(calls.count, 2, "a cancelled transaction is none");
    realm.removeListener("change", calls.callback);
    realm.write(() => {});
    equal(calls.count, 2);
  });
}

export async function beforenotify_is_told_once_a_turn_even_if_nobody_else_listens() {
  await withRealm(async (realm) => {
    const calls = new Calls();
    realm.addListener("beforenotify", calls.callback);
    realm.write(() => {});
    realm.write(() => realm.create("Dog", { _id: 2, name: "two" }));
    equal(calls.count, 0, "calls within the commits");
    await calls.next();
    await turn();
    equal(calls.count, 1);
    realm.objects("Dog").addListener(() => {});
    await calls.next("the call before a first call");
  });
}

export async function every_instance_of_a_path_hears_of_a_commit() {
  await withRealm(async (realm) => {
    const other = memoryRealm(realm.path, [Dog, Person]);
    const [mine, theirs] = [new Calls(), new Calls()];
    realm.addListener("change", mine.callback);
    other.addListener("change", theirs.callback);
    other.write(() => other.create("Dog", { _id: 2, name: "two" }));
    equal([mine.count, theirs.count], [1, 1]);
    equal([mine.all[0][0] === realm, theirs.all[0][0] === other], [true, true]);
    realm.removeAllListeners("change");
    other.write(() => {});
    equal([mine.count, theirs.count], [1, 2], "only the listeners of one instance are removed");
    other.close();
  });
}

export async function realm_listeners_may_add_remove_and_write() {
  await withRealm(async (realm) => {
    const order = [];
    let hasWritten = false;
    const second = () => order.push("second");
    const late = () => order.push("late");
    const first = () => {
      order.push("first");
      realm.removeListener("change", second);
      realm.addListener("change", late);
      if (hasWritten) return;
      hasWritten = true;
      realm.write(() => {});
    };
    realm.addListener("change", first);
    realm.addListener("change", second);
    realm.write(() => {});
    equal(order.filter((name) => name === "first").length, 2, "a commit in a listener is one of its own");
    order.length = 0;
    realm.write(() => {});
    equal(order, ["first", "late"]);
    realm.removeAllListeners();
    realm.write(() => {});
    equal(order, ["first", "late"]);
  });
}

export async function an_exception_in_a_realm_listener_stops_nobody() {
  await withRealm(async (realm, dogs) => {
    const errors = new Calls();
    const hear = (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      errors.callback(event.message);
    };
    globalThis.addEventListener("error", hear, true);
    const calls = new Calls();
    realm.addListener("change", () => {
      throw new Error("a realm listener's own");
    });
    realm.addListener("change", calls.callback);
    realm.write(() => {
      dogs[0].age = 5;
    });
    equal([calls.count, dogs[0].age, realm.isInTransaction], [1, 5, false]);
    await errors.next("the error");
    globalThis.removeEventListener("error", hear, true);
  });
}

export async function wrong_events_and_callbacks_are_refused() {
  await withRealm(async (realm) => {
    const listener = () => {};
    const unknown = "Unknown event name 'zork': only 'change', 'schema' and 'beforenotify' are supported.";
    throws(() => realm.addListener("zork", listener), unknown);
    throws(() => realm.addListener("change"), "Expected value to be a function, got undefined");
    throws(() => realm.addListener("change", 5), "Expected value to be a function, got a number");
    const oneOf = "Expected value to be One of change, schema, beforenotify, got a string";
    throws(() => realm.removeListener("zork", listener), oneOf);
    throws(() => realm.removeAllListeners("zork"), oneOf);
    throws(() => realm.removeAllListeners(5), "Expected 'eventName' to be a string, got a number");
    realm.close();
    for (const call of ["addListener", "removeListener"]) {
      throws(() => realm[call]("change", listener), "Cannot access realm that has been closed.");
    }
    throws(() => realm.removeAllListeners(), "Cannot access realm that has been closed.");
  });
}
