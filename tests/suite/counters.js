// Counters: integers that are added to.
import Realm from "/dist/index.js";
import { equal, freshPath, isTrue, throws } from "/tests/suite/support.js";

const Poll = {
  name: "Poll",
  primaryKey: "_id",
  properties: {
    _id: "int",
    votes: "counter",
    maybe: "counter?",
    started: { type: "int", presentation: "counter", default: 5 },
    plain: "int?",
    anything: "mixed",
  },
};

const RESET =
  "You can only reset a Counter instance when initializing a previously null Counter or resetting a nullable Counter to null. To update the value of the Counter, use its instance methods.";

function open() {
  return new Realm({ path: freshPath("counters"), inMemory: true, schema: [Poll] });
}

export async function a_counter_counts() {
  const realm = open();
  const poll = realm.write(() => realm.create("Poll", { _id: 1, votes: 2 }));
  const { votes } = poll;
  isTrue(votes instanceof Realm.Counter, "a Realm.Counter");
  equal([votes.value, poll.maybe, poll.started.value], [2, null, 5]);
  realm.write(() => {
    votes.increment();
    votes.increment(10);
    votes.decrement();
    votes.decrement(-2);
    equal(votes.value, 14);
    votes.set(-3);
  });
  equal([votes.value, poll.votes.value, realm.objects("Poll").sum("votes")], [-3, -3, -3]);
  equal([poll.getPropertyType("votes"), poll.objectSchema().properties.votes.presentation], ["int", "counter"]);
  realm.close();
}

export async function an_optional_counter_starts_and_ends() {
  const realm = open();
  realm.write(() => {
    const poll = realm.create("Poll", { _id: 1, votes: 0 });
    poll.maybe = 4;
    poll.maybe.increment();
    equal(poll.maybe.value, 5);
    throws(() => {
      poll.maybe = 6;
    }, RESET);
    poll.maybe = null;
    equal(poll.maybe, null);
    const other = realm.create("Poll", { _id: 2, votes: poll.votes, maybe: 9 });
    equal([other.votes.value, other.maybe.value], [0, 9]);
  });
  realm.close();
}

export async function a_counter_is_not_assigned() {
  const realm = open();
  const poll = realm.write(() => realm.create("Poll", { _id: 1, votes: 1 }));
  realm.write(() => {
    for (const [action, message] of [
      [
        () => {
          poll.votes = 5;
        },
        RESET,
      ],
      [() => realm.create("Poll", { _id: 1, votes: 5 }, "modified"), RESET],
      [
        () => {
          poll.votes.value = 1;
        },
        "To update the value, use the methods on the Counter.",
      ],
      [() => poll.votes.increment(1.5), "Expected 'by' to be an integer, got a decimal number"],
      [() => poll.votes.decrement("1"), "Expected 'by' to be an integer, got a string"],
      [() => poll.votes.set(Number.NaN), "Expected 'value' to be an integer, got NaN"],
      [
        () => {
          poll.plain = poll.votes;
        },
        "Counters can only be used when 'counter' is declared in the property schema.",
      ],
      [
        () => {
          poll.anything = poll.votes;
        },
        "Using a Counter as a Mixed value is not supported.",
      ],
      [() => realm.create("Poll", { _id: 2 }), "Missing value for property 'votes'"],
      [() => new Realm.Counter(), "Illegal constructor: Counter objects are read from managed objects only."],
    ]) {
      throws(action, message);
    }
    equal(poll.votes.value, 1);
  });
  const { votes } = poll;
  throws(() => votes.increment(), "Cannot modify managed objects outside of a write transaction.");
  throws(() => votes.set(1), "Cannot modify managed objects outside of a write transaction.");
  realm.write(() => realm.delete(poll));
  throws(() => votes.value, "Accessing object which has been invalidated or deleted");
  realm.close();
}

export async function a_counter_is_declared_in_its_own_way() {
  const open =
    (property, rest = {}) =>
    () =>
      new Realm({
        path: freshPath("counters"),
        inMemory: true,
        schema: [{ name: "A", properties: { a: property }, ...rest }],
      });
  throws(open("counter[]"), "Counters cannot be used in collections.");
  throws(open({ type: "double", presentation: "counter" }), "Counters can only be used when 'type' is 'int'.");
  throws(open({ type: "int", presentation: "counter" }, { primaryKey: "a" }), "Counters cannot be primary keys.");
  throws(open({ type: "counter" }), "To use presentation types such as 'counter', use the field 'presentation'.");
}
