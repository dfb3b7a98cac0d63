// The pages of the crash test: a realm is prepared, goes through a reset, and is looked at afterwards.
import Realm from "/dist/index.js";
import { appOf, configOf, contents, until } from "./client.js";

const NOTES = 12;
const BALLAST = 3;
const BALLAST_BYTES = 400_000;

const keyOf = (index) => `note-${String(index).padStart(2, "0")}`;

/** Logs in the two clients of the story. */
export async function logIn(server) {
  const app = appOf(server);
  const [stranger, user] = [
    await app.logIn(Realm.Credentials.anonymous(false)),
    await app.logIn(Realm.Credentials.anonymous(false)),
  ];
  return { stranger: stranger.id, user: user.id };
}

/**
 * Makes a realm that has been synced, then went apart: the user's store has changes that the server does not know, and the
 * stranger has changed the server's state. Gives both states.
 */
export async function prepare(server, { stranger, user }, partition, hasBallast) {
  const { allUsers } = appOf(server);
  const realm = await Realm.open(await configOf(server, partition, { user: allUsers[user] }));
  realm.write(() => {
    for (let index = 0; index < NOTES; index++) {
      realm.create("Note", { _id: keyOf(index), text: `text ${index}`, rank: index, tags: ["a", "b"] });
    }
  });
  for (let index = 0; hasBallast && index < BALLAST; index++) {
    realm.write(() => realm.create("Ballast", { _id: `ballast-${index}`, filler: filler(index) }));
  }
  await realm.syncSession.uploadAllLocalChanges();
  await realm.syncSession.downloadAllServerChanges();
  realm.syncSession.pause();
  realm.write(() => {
    realm.objectForPrimaryKey("Note", keyOf(0)).text = "changed here, never sent";
    realm.objectForPrimaryKey("Note", keyOf(1)).tags.push("unsent");
    realm.delete(realm.objectForPrimaryKey("Note", keyOf(2)));
  });
  realm.write(() => realm.create("Note", { _id: "unsent", text: "made here, never sent", rank: 1 }));
  await realm.waitForDurable();
  const old = contents(realm);
  realm.close();

  const other = await Realm.open(await configOf(server, partition, { user: allUsers[stranger] }));
  other.write(() => {
    other.objectForPrimaryKey("Note", keyOf(0)).text = "changed elsewhere";
    other.objectForPrimaryKey("Note", keyOf(3)).tags.push("from elsewhere");
    other.delete(other.objectForPrimaryKey("Note", keyOf(4)));
    other.create("Note", { _id: "elsewhere", text: "made elsewhere", rank: 2 });
  });
  await other.syncSession.uploadAllLocalChanges();
  const wanted = contents(other);
  other.close();
  return { old, wanted };
}

/** Text that does not compress to nothing. */
function filler(seed) {
  let text = "";
  for (let number = seed + 1; text.length < BALLAST_BYTES; number = (number * 48271) % 2147483647) text += number;
  return text.slice(0, BALLAST_BYTES);
}

function discarding(calls, reachDone) {
  return {
    clientReset: {
      mode: "discardLocal",
      clientResetBefore: (before) => {
        calls.push("before");
        contents(before);
        crashPoints.reach("clientResetBefore");
      },
      clientResetAfter: (_before, after) => {
        calls.push("after");
        crashPoints.reach("clientResetAfter");
        after.write(() => after.create("Note", { _id: "after", text: "made after the reset" }, "modified"));
      },
      onProgress: ({ phase }) => {
        if (phase === "done") reachDone();
      },
    },
    error: (_session, error) => calls.push(`${error.name} ${error.code} ${error.message}`),
  };
}

/** Opens the realm and lives through its reset in place. */
export async function resetInPlace(server, partition) {
  const calls = [];
  const done = Promise.withResolvers();
  const config = await configOf(server, partition, { sync: discarding(calls, done.resolve) });
  const realm = await Realm.open(config);
  realm.objects("Note").addListener((_notes, { deletions, insertions, newModifications }) => {
    if (deletions.length + insertions.length + newModifications.length > 0) crashPoints.reach("listener");
  });
  await done.promise;
  await realm.syncSession.uploadAllLocalChanges();
  await realm.waitForDurable();
  realm.close();
  return { calls };
}

/** Opens the realm again after a crash: what it shows first, and what it comes to when it has carried on to the end. */
export async function afterReset(server, partition) {
  const calls = [];
  const config = await configOf(server, partition, { sync: discarding(calls, () => {}) });
  const realm = await Realm.open(config);
  const first = contents(realm);
  await realm.syncSession.downloadAllServerChanges();
  realm.write(() => realm.create("Note", { _id: "later", text: "sync goes on" }));
  await realm.syncSession.uploadAllLocalChanges();
  const last = contents(realm);
  await realm.waitForDurable();
  realm.close();
  return { first, last, calls };
}

/**
 * The error handler of Realm's documentation: closes the realm, asks for the reset, opens it again. What it comes to is
 * handed to `settle`.
 */
function handling(server, opened, calls, settle) {
  return {
    clientReset: { mode: "manual" },
    error: (_session, error) => {
      if (error.name !== "ClientReset") {
        calls.push(`${error.name} ${error.code} ${error.message}`);
        return;
      }
      calls.push("ClientReset");
      const { path } = opened.realm;
      opened.realm.close();
      settle(
        (async () => {
          await Realm.App.Sync.initiateClientReset(appOf(server), path);
          return Realm.open(opened.config);
        })(),
      );
    },
  };
}

async function openAndHandle(server, partition, calls) {
  const opened = {};
  const handled = Promise.withResolvers();
  opened.config = await configOf(server, partition, { sync: handling(server, opened, calls, handled.resolve) });
  opened.realm = await Realm.open(opened.config);
  const downloaded = opened.realm.syncSession.downloadAllServerChanges().then(
    () => opened.realm,
    () => handled.promise,
  );
  return Promise.race([downloaded, handled.promise]);
}

/** Opens the realm and takes the manual path as the documentation shows it. */
export async function resetByHand(server, partition) {
  const calls = [];
  const realm = await openAndHandle(server, partition, calls);
  await realm.waitForDurable();
  realm.close();
  return { calls };
}

/** Opens the realm again after a crash on the manual path: what it comes to, and what the backup holds. */
export async function afterResetByHand(server, partition) {
  const calls = [];
  const realm = await openAndHandle(server, partition, calls);
  const { path } = realm;
  await until(realm, () => !realm.isEmpty);
  realm.write(() => realm.create("Note", { _id: "later", text: "sync goes on" }));
  await realm.syncSession.uploadAllLocalChanges();
  const last = contents(realm);
  await realm.waitForDurable();
  realm.close();
  const backups = [];
  for (const { path: backup, originalPath } of await Realm.App.Sync.listBackups()) {
    if (originalPath !== path) continue;
    const copy = await Realm.open({ path: backup, readOnly: true });
    backups.push(contents(copy));
    copy.close();
  }
  return { last, calls, backups };
}
