// Synced realms whose stores are encrypted, and their backups.
import Realm from "/dist/index.js";
import { addTask, control, freshPartition, logIn, openPage, settle, syncConfig, tasks } from "/tests/suite/server.js";
import { answer, Calls, equal, isTrue, rejects } from "/tests/suite/support.js";

const SECRET = "a title that nobody shall read";
const encryptionKey = new Uint8Array(64).map((_, index) => index * 3);
const wrongKey = new Uint8Array(64).fill(7);
const openAtOnce = { existingRealmFileBehavior: { type: "openImmediately" } };

/** The records of every store in this origin that have a text in them, by the name of the store. */
async function whoHas(text) {
  const found = [];
  for (const { name } of await indexedDB.databases()) {
    const request = indexedDB.open(name);
    const database = await answer(request);
    for (const table of database.objectStoreNames) {
      for (const record of await answer(database.transaction(table).objectStore(table).getAll())) {
        const isBytes = record instanceof Uint8Array || record instanceof ArrayBuffer;
        if (isBytes && new TextDecoder("latin1").decode(record).includes(text)) found.push(`${name} ${table}`);
      }
    }
    database.close();
  }
  return found;
}

export async function a_synced_realm_is_encrypted_on_disk_and_syncs_from_every_page() {
  const [partition, title] = [freshPartition(), `${SECRET} ${freshPartition()}`];
  const page = await openPage();
  const user = await logIn({ module: page.module });
  const realm = await page.module.default.open(syncConfig(user, partition, {}, { encryptionKey }));
  addTask(realm, 1, title);
  await settle(realm);
  user.app.setOffline(true);
  addTask(realm, 2, title);
  await realm.waitForDurable();
  equal(await whoHas(title), []);
  page.kill();

  // As after a reload: an engine that knows nothing of the first.
  const next = await openPage();
  const sameUser = await logIn({ module: next.module }).then(({ app }) => app.allUsers[user.id]);
  const config = (key) => syncConfig(sameUser, partition, openAtOnce, key && { encryptionKey: key });
  await rejects(next.module.default.open(config(wrongKey)), "Realm file decryption failed");
  await rejects(next.module.default.open(config()), "Realm file decryption failed");
  const again = await next.module.default.open(config(encryptionKey));
  equal(tasks(again), [`1 ${title}`, `2 ${title}`]);
  await settle(again);
  const other = await Realm.open(syncConfig(await logIn(), partition));
  equal(tasks(other), [`1 ${title}`, `2 ${title}`]);
  other.close();
  next.kill();
}

export async function the_backup_of_an_encrypted_realm_takes_its_key() {
  const [partition, title] = [freshPartition(), `${SECRET} ${freshPartition()}`];
  const manual = new Calls();
  const clientReset = { mode: "manual", onManual: manual.callback };
  const config = syncConfig(await logIn(), partition, { clientReset }, { encryptionKey });
  const realm = await Realm.open(config);
  addTask(realm, 1, title);
  await settle(realm);
  realm.syncSession.pause();
  addTask(realm, 2, title);
  await control("server/terminate-sync", { realm: `s_${partition}` });
  realm.syncSession.resume();
  const [, path] = await manual.next("onManual");
  realm.close();
  const again = await Realm.open(config);
  isTrue(!tasks(again).includes(`2 ${title}`), "what was not uploaded to be in the backup alone");
  await rejects(Realm.open({ path, readOnly: true }), "Realm file decryption failed");
  await rejects(Realm.open({ path, readOnly: true, encryptionKey: wrongKey }), "Realm file decryption failed");
  const backup = await Realm.open({ path, readOnly: true, encryptionKey });
  equal(tasks(backup), [`1 ${title}`, `2 ${title}`]);
  equal(await whoHas(title), []);
  backup.close();
  again.close();
}
