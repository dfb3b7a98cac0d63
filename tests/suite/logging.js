// What Ebbtide says of what it does, and to whom.
import Realm from "/dist/index.js";
import { Dog, Person } from "/tests/suite/models.js";
import { equal, freshPath, isTrue, throws } from "/tests/suite/support.js";

const schema = [Dog, Person];

/** Runs `work` with a logger that keeps what it is told, and gives that. */
async function heard(work, makeLogger = (entries) => (entry) => entries.push(entry)) {
  const entries = [];
  Realm.setLogger(makeLogger(entries));
  try {
    await work();
  } finally {
    Realm.shutdown();
    Realm.setLogLevel("warn");
  }
  return entries;
}

async function commitOnce(path) {
  const realm = await Realm.open({ path, inMemory: true, schema });
  realm.write(() => realm.create("Dog", { _id: 1, name: "Rex" }));
  realm.close();
}

const isOf = (category) => (entry) => entry.category === category;

export async function opening_committing_and_rolling_back_are_told() {
  const path = freshPath("logging");
  const entries = await heard(async () => {
    Realm.setLogLevel("all");
    await commitOnce(path);
    const realm = new Realm({ path, inMemory: true, schema });
    throws(
      () =>
        realm.write(() => {
          throw new Error("no");
        }),
      "no",
    );
  });
  const [opened] = entries.filter(isOf("Realm.Storage"));
  equal(opened, { category: "Realm.Storage", level: "debug", message: `Opened '/${path}'` });
  const [committed, rolledBack] = entries.filter(isOf("Realm.Storage.Transaction"));
  equal(committed.message, `Committed to '/${path}'`);
  equal(rolledBack.message, `Rolled back a write to '/${path}'`);
}

export async function only_warnings_are_told_unless_more_is_wanted() {
  const entries = await heard(() => commitOnce(freshPath("logging")));
  equal(entries, []);
}

export async function a_level_holds_for_a_category_and_those_within_it() {
  const categories = async (set) => {
    const entries = await heard(async () => {
      set();
      await commitOnce(freshPath("logging"));
    });
    return new Set(entries.map(({ category }) => category));
  };
  const transactions = await categories(() => Realm.setLogLevel("debug", "Realm.Storage.Transaction"));
  equal([...transactions], ["Realm.Storage.Transaction"]);
  const storage = await categories(() => Realm.setLogLevel("debug", "Realm.Storage"));
  isTrue(storage.has("Realm.Storage") && storage.has("Realm.Storage.Transaction"), "storage and what is within it");
  const others = await categories(() => Realm.setLogLevel("all", "Realm.Sync"));
  equal([...others], []);
  const silent = await categories(() => {
    Realm.setLogLevel("all");
    Realm.setLogLevel("off", "Realm.Storage");
  });
  equal([...silent], []);
}

export async function a_logger_with_two_parameters_gets_level_and_message() {
  const path = freshPath("logging");
  const entries = await heard(
    async () => {
      Realm.setLogLevel("debug");
      await commitOnce(path);
    },
    (calls) => (level, message) => calls.push([level, message]),
  );
  // Realms of other tests may still be closing.
  const own = entries.filter(([, message]) => message.includes(path));
  equal(own[0], ["debug", `Opened '/${path}'`]);
}

export async function the_console_is_the_logger_again_after_shutdown() {
  await heard(() => undefined);
  const lines = [];
  const { log } = console;
  console.log = (line) => lines.push(line);
  try {
    Realm.setLogLevel("debug", "Realm.Storage.Transaction");
    const path = freshPath("logging");
    await commitOnce(path);
    equal(lines, [`[Realm.Storage.Transaction - debug] Committed to '/${path}'`]);
  } finally {
    console.log = log;
    Realm.setLogLevel("warn");
  }
}

export async function levels_categories_and_loggers_are_checked() {
  throws(() => Realm.setLogLevel("loud"), "Unexpected log level: loud");
  throws(() => Realm.setLogLevel("toString"), "Unexpected log level: toString");
  throws(() => Realm.setLogLevel("info", "Realm.Nothing"), "Unexpected log category: 'Realm.Nothing'");
  throws(() => Realm.setLogger("console"), "Expected value to be a function, got a string");
  throws(() => Realm.setLogger(), "Expected value to be a function, got undefined");
}
