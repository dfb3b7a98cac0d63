// A realm of many objects goes through a reset in place, with a clock on each step.
import Realm from "/dist/index.js";
import { Dog, dogs } from "./dogs.js";

let realm;
let reset;

/**
 * Syncs a realm of `count` objects, all of them watched by a listener, then has another client change `different` of them on
 * the server while this one is paused.
 */
export async function prepare({ appId, baseUrl, partition, count, different }) {
  const app = new Realm.App({ id: appId, baseUrl });
  const [user, stranger] = [
    await app.logIn(Realm.Credentials.anonymous(false)),
    await app.logIn(Realm.Credentials.anonymous(false)),
  ];
  reset = { marks: new Map(), told: Promise.withResolvers(), done: Promise.withResolvers() };
  const mark = (name) => reset.marks.set(name, performance.now());
  const config = (user, sync) => ({ schema: [Dog], sync: { user, partitionValue: partition, ...sync } });
  realm = await Realm.open(
    config(user, {
      clientReset: {
        mode: "discardLocal",
        clientResetBefore: () => mark("before"),
        clientResetAfter: () => mark("after"),
        onProgress: ({ phase }) => {
          if (!reset.marks.has(phase)) mark(phase);
          if (phase === "done") reset.done.resolve();
        },
      },
      error: (_session, error) => reset.done.reject(error),
    }),
  );
  const all = dogs(count);
  realm.write(() => {
    for (const dog of all) realm.create("Dog", dog);
  });
  await realm.syncSession.uploadAllLocalChanges();
  await realm.syncSession.downloadAllServerChanges();
  realm.syncSession.pause();

  const other = await Realm.open(config(stranger, { _sessionStopPolicy: "immediately" }));
  const step = Math.floor(count / different);
  other.write(() => {
    for (let id = 1; id <= count; id += step) other.objectForPrimaryKey("Dog", id).weight += 1;
  });
  await other.syncSession.uploadAllLocalChanges();
  other.close();

  realm.objects("Dog").addListener((_dogs, { newModifications }) => {
    if (newModifications.length === 0) return;
    mark("told");
    reset.told.resolve(newModifications.length);
  });
  await realm.waitForDurable();
}

/** Lets the reset happen; gives its steps in milliseconds. */
export async function run() {
  reset.marks.set("start", performance.now());
  realm.syncSession.resume();
  await reset.done.promise;
  const changed = await reset.told.promise;
  const between = (from, to) => reset.marks.get(to) - reset.marks.get(from);
  return {
    changed,
    download: between("staging", "checking"),
    plan: between("before", "swapping"),
    notify: between("swapping", "told"),
    swap: between("swapping", "after"),
    whole: between("start", "done"),
  };
}
