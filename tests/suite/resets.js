// Client resets against a real server: every cause, both modes, at start-up and in mid-session.
import Realm from "/dist/index.js";
import {
  addTask,
  control,
  freshPartition,
  logIn,
  openClient,
  openPage,
  ready,
  settle,
  syncConfig,
  Task,
  tasks,
} from "/tests/suite/server.js";
import { Calls, changes, equal, isTrue, rejects, throws } from "/tests/suite/support.js";

/** What makes a client reset: `prepare` while the client is connected, `strike` while it is paused. */
const CAUSES = {
  restore: {
    async prepare({ realm, partition }) {
      this.name = `before-${partition}`;
      await control("server/backup", { name: this.name });
      addTask(realm, 4, "lost by the server");
      // Downloads too: what came back as the server's cannot be taken for an upload that is still to be answered.
      await settle(realm, realm);
    },
    strike() {
      return control("server/restore", { name: this.name });
    },
    lost: ["4 lost by the server"],
  },
  terminate: {
    async prepare() {},
    strike: ({ partition }) => control("server/terminate-sync", { realm: `s_${partition}` }),
    lost: [],
  },
  trim: {
    async prepare() {},
    async strike({ other, partition }) {
      addTask(other, 6, "from another client");
      await settle(other);
      await control("server/trim-history", { realm: `s_${partition}`, keep: 0 });
    },
    lost: [],
    gained: ["6 from another client"],
  },
  forget: {
    async prepare({ realm }) {
      this.client = realm.syncSession.fileIdent.toString(16).padStart(32, "0");
    },
    strike() {
      return control("server/forget-client", { client: this.client });
    },
    lost: [],
  },
};

/** A client with three tasks on the server, and another one. */
async function prepareReset(cause, clientReset) {
  const partition = freshPartition();
  const user = await logIn();
  const errors = new Calls();
  const config = syncConfig(user, partition, { clientReset, onError: (_session, error) => errors.callback(error) });
  const realm = await Realm.open(config);
  for (const _id of [1, 2, 3]) addTask(realm, _id, `task ${_id}`);
  await settle(realm);
  const other = await openClient(partition);
  const scene = { partition, user, config, realm, other, errors, cause: Object.create(CAUSES[cause]) };
  await scene.cause.prepare(scene);
  return scene;
}

async function resetsInPlace(cause) {
  const before = new Calls();
  const after = new Calls();
  const scene = await prepareReset(cause, {
    mode: "discardLocal",
    clientResetBefore: (local) => before.callback(local.isFrozen, local.path, tasks(local)),
    clientResetAfter: (local, remote) =>
      after.callback(local.isFrozen, tasks(local), remote.isClosed, remote.path, tasks(remote)),
  });
  const { realm } = scene;
  const kept = realm.objectForPrimaryKey("Task", 1);
  const results = realm.objects("Task").sorted("_id");
  const [resultCalls, objectCalls, realmCalls] = [new Calls(), new Calls(), new Calls()];
  results.addListener((_results, change) => resultCalls.callback(change));
  kept.addListener(objectCalls.callback);
  await resultCalls.next();
  await objectCalls.next();
  const progress = new Calls();
  realm.syncSession.addResetNotification(progress.callback);
  const identBefore = realm.syncSession.fileIdent;

  realm.syncSession.pause();
  addTask(realm, 5, "not uploaded");
  await resultCalls.next();
  const beforeReset = tasks(realm);
  await scene.cause.strike(scene);
  realm.addListener("change", realmCalls.callback);
  realm.syncSession.resume();

  equal(await before.next("clientResetBefore"), [true, realm.path, beforeReset]);
  const expected = ["1 task 1", "2 task 2", "3 task 3", ...(scene.cause.gained ?? [])];
  equal(await after.next("clientResetAfter"), [true, beforeReset, false, realm.path, expected]);
  equal([tasks(realm), kept.isValid(), kept.title], [expected, true, "task 1"]);
  const deletions = beforeReset.length === 5 ? [3, 4] : [3];
  const insertions = scene.cause.gained ? [3] : [];
  equal((await resultCalls.next("the change set of the reset"))[0], changes({ deletions, insertions }));
  equal([before.count, after.count, resultCalls.count, objectCalls.count], [1, 1, 3, 1], "calls");
  isTrue(realmCalls.count >= 1, "a realm listener to hear of it");
  isTrue(progress.count > 0 && progress.all.every(([{ phase }]) => typeof phase === "string"), "phases to be told");
  isTrue(realm.syncSession.fileIdent !== identBefore, "a new file ident");

  const { other } = scene;
  addTask(realm, 7, "after the reset");
  await settle(realm);
  await settle(other, realm);
  isTrue(tasks(realm).includes("7 after the reset"), "syncing to go on");
  equal(scene.errors.count, 0, "errors");
  realm.close();
  other.close();
}

export async function a_restored_server_resets_in_place() {
  await resetsInPlace("restore");
}

export async function terminated_sync_resets_in_place() {
  await resetsInPlace("terminate");
}

export async function trimmed_history_resets_in_place() {
  await resetsInPlace("trim");
}

export async function a_forgotten_client_resets_in_place() {
  await resetsInPlace("forget");
}

export async function a_connected_client_notices_by_itself() {
  const after = new Calls();
  const { realm, other, partition } = await prepareReset("terminate", {
    mode: "discardUnsyncedChanges",
    onAfter: after.callback,
  });
  equal(realm.syncSession.connectionState, "connected");
  await control("server/terminate-sync", { realm: `s_${partition}` });
  await after.next("onAfter");
  equal(tasks(realm), ["1 task 1", "2 task 2", "3 task 3"]);
  addTask(realm, 8, "goes on");
  await settle(realm);
  realm.close();
  other.close();
}

export async function a_reset_at_startup_comes_before_the_realm() {
  const partition = freshPartition();
  const page = await openPage();
  const user = await logIn({ module: page.module });
  const first = await page.module.default.open(syncConfig(user, partition));
  addTask(first, 1, "kept");
  await settle(first);
  user.app.setOffline(true);
  addTask(first, 2, "not uploaded");
  await first.waitForDurable();
  page.kill();
  await control("server/terminate-sync", { realm: `s_${partition}` });

  const next = await openPage();
  const { App } = next.module.default;
  const app = new App({ id: user.app.id, baseUrl: user.app.baseUrl });
  const seen = new Calls();
  const clientReset = {
    mode: "discardLocal",
    clientResetBefore: (local) => seen.callback("before", tasks(local)),
    clientResetAfter: (local, remote) => seen.callback("after", tasks(local), tasks(remote)),
  };
  const realm = await next.module.default.open(syncConfig(app.allUsers[user.id], partition, { clientReset }));
  equal(tasks(realm), ["1 kept"]);
  equal(seen.all, [
    ["before", ["1 kept", "2 not uploaded"]],
    ["after", ["1 kept", "2 not uploaded"], ["1 kept"]],
  ]);
  realm.close();
  next.kill();
}

export async function the_realm_reads_and_writes_while_it_waits_for_the_reset() {
  const scene = await prepareReset("terminate", { mode: "discardLocal" });
  const { realm, other, partition } = scene;
  realm.syncSession.pause();
  await control("server/terminate-sync", { realm: `s_${partition}` });
  addTask(realm, 9, "while waiting");
  equal(tasks(realm).length, 4);
  const reset = new Calls();
  realm.objects("Task").addListener((_tasks, change) => reset.callback(change));
  await reset.next();
  realm.syncSession.resume();
  equal((await reset.next("the reset"))[0], changes({ deletions: [3] }));
  realm.close();
  other.close();
}

export async function writes_after_the_reset_are_uploaded_and_told() {
  const told = new Calls();
  const scene = await prepareReset("terminate", {
    mode: "discardLocal",
    clientResetAfter: (local, remote) => {
      const saved = local.objectForPrimaryKey("Task", 5);
      remote.write(() => remote.create("Task", { _id: 50, title: `saved: ${saved.title}` }));
      told.callback();
    },
  });
  const { realm, other } = scene;
  const heard = new Calls();
  realm.objects("Task").addListener((_tasks, change) => heard.callback(change));
  await heard.next();
  realm.syncSession.pause();
  addTask(realm, 5, "mine");
  await scene.cause.strike(scene);
  realm.syncSession.resume();
  await told.next("clientResetAfter");
  await settle(realm);
  equal(tasks(realm).at(-1), "50 saved: mine");
  const sum = heard.all
    .slice(1)
    .reduce((count, [change]) => count + change.insertions.length - change.deletions.length, 3);
  equal(sum, 4, "what the change sets add up to");
  realm.close();
  other.close();
}

/** Breaks the schema for a partition's realm. */
function breakSchema(partition) {
  const change = { op: "drop-property", class: "Task", property: "done" };
  return control("server/schema", { realm: `s_${partition}`, change });
}

export async function a_breaking_schema_change_takes_the_manual_path() {
  const partition = freshPartition();
  const user = await logIn();
  const errors = new Calls();
  const called = new Calls();
  const config = syncConfig(user, partition, {
    clientReset: { mode: "discardLocal", clientResetBefore: called.callback, clientResetAfter: called.callback },
    onError: errors.callback,
  });
  const realm = await Realm.open(config);
  addTask(realm, 1, "uploaded");
  await settle(realm);
  realm.syncSession.pause();
  addTask(realm, 2, "not uploaded");
  await breakSchema(partition);
  realm.syncSession.resume();
  const [session, error] = await errors.next("the error");
  equal(
    [error.name, error instanceof Realm.ClientResetError, session === realm.syncSession],
    ["ClientReset", true, true],
  );
  equal([typeof error.code, error.config.readOnly], ["number", true]);
  equal([error.config.path, error.userInfo.ORIGINAL_FILE_PATH], [error.userInfo.RECOVERY_FILE_PATH, realm.path]);
  equal([called.count, session.state, tasks(realm)], [0, "inactive", ["1 uploaded", "2 not uploaded"]]);
  addTask(realm, 3, "even later");
  throws(() => Realm.App.Sync.initiateClientReset(user.app, realm.path), "Close every instance");
  const { path } = realm;
  realm.close();
  const backupPath = await Realm.App.Sync.initiateClientReset(user.app, path);
  equal(backupPath, error.config.path);
  isTrue(!Realm.exists({ path }), "nothing at the original path");

  const narrower = { ...Task, properties: { ...Task.properties } };
  delete narrower.properties.done;
  const again = await Realm.open({ ...config, schema: [narrower] });
  equal([again.path, tasks(again)], [path, ["1 uploaded"]]);

  const backup = await Realm.open(error.config);
  isTrue(backup.isReadOnly, "a read-only backup");
  equal(tasks(backup), ["1 uploaded", "2 not uploaded", "3 even later"]);
  equal(backup.schema[0].properties.done.type, "bool");
  backup.close();
  const part = await Realm.open({ ...error.config, schema: [narrower] });
  equal([tasks(part).length, "done" in part.objects("Task")[0]], [3, false]);
  part.close();
  const listed = await Realm.App.Sync.listBackups();
  isTrue(
    listed.some((entry) => entry.path === backupPath),
    "the backup among all backups",
  );
  await Realm.App.Sync.deleteBackup(backupPath);
  const left = await Realm.App.Sync.listBackups();
  isTrue(!left.some((entry) => entry.path === backupPath), "the backup to be gone");
  again.close();
}

export async function manual_mode_asks_the_application() {
  const manual = new Calls();
  const scene = await prepareReset("terminate", { mode: "manual", onManual: manual.callback });
  const { realm, other, config } = scene;
  realm.syncSession.pause();
  addTask(realm, 5, "not uploaded");
  await scene.cause.strike(scene);
  realm.syncSession.resume();
  const [session, path] = await manual.next("onManual");
  equal([session === realm.syncSession, typeof path, scene.errors.count], [true, "string", 0]);
  equal(tasks(realm).length, 4);
  const original = realm.path;
  realm.close();
  Realm.App.Sync.initiateClientReset(config.sync.user.app, original);
  const again = await Realm.open(config);
  equal(tasks(again), ["1 task 1", "2 task 2", "3 task 3"]);
  const backup = await Realm.open({ path, readOnly: true });
  equal(tasks(backup).at(-1), "5 not uploaded");
  backup.close();
  again.close();
  other.close();
}

export async function an_application_that_never_resets_is_reset_at_the_next_opening() {
  const manual = new Calls();
  const scene = await prepareReset("terminate", { mode: "manual", onManual: manual.callback });
  const { realm, other, config } = scene;
  realm.syncSession.pause();
  addTask(realm, 5, "not uploaded");
  await scene.cause.strike(scene);
  realm.syncSession.resume();
  const [, path] = await manual.next("onManual");
  realm.close();
  const again = await Realm.open(config);
  equal(tasks(again), ["1 task 1", "2 task 2", "3 task 3"]);
  const backup = await Realm.open({ path, readOnly: true });
  equal(tasks(backup).at(-1), "5 not uploaded");
  backup.close();
  again.close();
  other.close();
}

export async function a_reset_that_an_earlier_visit_left_can_be_finished() {
  const partition = freshPartition();
  const page = await openPage();
  const user = await logIn({ module: page.module });
  const errors = new Calls();
  const clientReset = { mode: "manual" };
  const sync = { clientReset, onError: (_session, error) => errors.callback(error) };
  const first = await page.module.default.open(syncConfig(user, partition, sync));
  addTask(first, 1, "uploaded");
  await settle(first);
  await control("server/terminate-sync", { realm: `s_${partition}` });
  const [error] = await errors.next("the error");
  addTask(first, 2, "not uploaded");
  await first.waitForDurable();
  const { path } = first;
  page.kill();

  const next = await openPage();
  const { App } = next.module.default;
  const app = new App({ id: user.app.id, baseUrl: user.app.baseUrl });
  equal(await App.Sync.initiateClientReset(app, path), error.config.path);
  const again = await next.module.default.open(syncConfig(app.allUsers[user.id], partition));
  equal(tasks(again), ["1 uploaded"]);
  const backup = await next.module.default.open(error.config);
  equal(tasks(backup), ["1 uploaded", "2 not uploaded"]);
  backup.close();
  again.close();
  next.kill();
}

export async function a_reset_in_the_middle_of_an_opening_can_be_finished_in_the_error_callback() {
  const scene = await prepareReset("terminate", { mode: "manual", onManual: () => {} });
  const { realm, other, user, partition } = scene;
  realm.syncSession.pause();
  addTask(realm, 5, "not uploaded");
  realm.close();
  await scene.cause.strike(scene);
  const finished = new Calls();
  const config = syncConfig(user, partition, { clientReset: { mode: "manual" }, onError: finish });
  async function finish(_session, error) {
    const backup = Realm.App.Sync.initiateClientReset(user.app, error.userInfo.ORIGINAL_FILE_PATH);
    finished.callback(await Realm.open(config), await backup, error);
  }
  await rejects(Realm.open(config), "began anew");
  const [again, path, error] = await finished.next("the realm after the reset");
  equal([tasks(again), path], [["1 task 1", "2 task 2", "3 task 3"], error.config.path]);
  const backup = await Realm.open(error.config);
  equal(tasks(backup).at(-1), "5 not uploaded");
  backup.close();
  again.close();
  other.close();
}

export async function a_simulated_reset_behaves_like_a_real_one() {
  const after = new Calls();
  const scene = await prepareReset("terminate", { mode: "discardLocal", clientResetAfter: after.callback });
  const { realm, other } = scene;
  realm.syncSession._simulateError(211, "Simulate Client Reset", "realm::sync::ProtocolError", true);
  await after.next("clientResetAfter");
  equal(tasks(realm).length, 3);
  realm.close();
  other.close();
}

export async function recover_modes_say_that_they_are_not_available_yet() {
  const user = await logIn();
  for (const mode of ["recoverUnsyncedChanges", "recoverOrDiscardUnsyncedChanges"]) {
    const config = syncConfig(user, freshPartition(), { clientReset: { mode } });
    await rejects(Realm.open(config), `The client reset mode '${mode}' is not available in this version of Ebbtide.`);
  }
}

/** The first program of Realm's documentation, apart from the import: it logs the paths of the realms. */
export async function the_documented_discard_program_runs() {
  const { partition, log, user } = await documentedScene();
  const console = { log };
  const config = {
    schema: [Task],
    sync: {
      user: user,
      partitionValue: partition,
      clientReset: {
        mode: "discardLocal",
        clientResetBefore: (realm) => {
          console.log("Beginning client reset for ", realm.path);
        },
        clientResetAfter: (beforeRealm, afterRealm) => {
          console.log("Finished client reset for", beforeRealm.path);
          console.log("New realm path", afterRealm.path);
        },
      },
    },
  };
  const realm = await Realm.open(config);
  addTask(realm, 1, "x");
  await settle(realm);
  await control("server/terminate-sync", { realm: `s_${partition}` });
  equal(await log.calls.next("the first line"), ["Beginning client reset for ", realm.path]);
  equal(await log.calls.next("the second line"), ["Finished client reset for", realm.path]);
  equal(await log.calls.next("the third line"), ["New realm path", realm.path]);
  equal(tasks(realm), ["1 x"]);
  realm.close();
}

/** The second program: what cannot be reset automatically is reset by hand. */
export async function the_documented_manual_program_runs() {
  const { partition, log, user } = await documentedScene();
  const console = { log };
  const app = user.app;
  const config = {
    schema: [Task],
    sync: {
      user: user,
      partitionValue: partition,
      clientReset: {
        mode: "discardLocal",
        clientResetBefore: (realm) => {
          console.log("Beginning client reset for ", realm.path);
        },
        clientResetAfter: (beforeRealm, afterRealm) => {
          console.log("Finished client reset for", beforeRealm.path);
          console.log("New realm path", afterRealm.path);
        },
      },
      error: handleSyncError,
    },
  };
  let realm = await Realm.open(config);
  async function handleSyncError(_session, syncError) {
    // biome-ignore lint/suspicious/noDoubleEquals: this is how the documentation writes it
    if (syncError.name == "ClientReset") {
      console.log(syncError);
      try {
        console.log("error type is ClientReset....");
        const path = realm.path; // realm.path will not be accessible after realm.close()
        realm.close();
        Realm.App.Sync.initiateClientReset(app, path);
        // Download Realm from the server.
        realm = await Realm.open(config);
        realm.close();
        console.log("done");
      } catch (err) {
        console.log(err);
      }
    }
  }
  addTask(realm, 1, "x");
  await settle(realm);
  const change = { op: "change-type", class: "Task", property: "notes", type: "int[]" };
  config.schema = [{ ...Task, properties: { ...Task.properties, notes: "int[]" } }];
  await control("server/schema", { realm: `s_${partition}`, change });
  const [error] = await log.calls.next("the error");
  equal(error.name, "ClientReset");
  equal(await log.calls.next("the second line"), ["error type is ClientReset...."]);
  equal(await log.calls.next("the end"), ["done"]);
  const again = await Realm.open(config);
  equal(tasks(again), ["1 x"]);
  again.close();
}

async function documentedScene() {
  await ready();
  const calls = new Calls();
  const log = (...args) => calls.callback(...args);
  log.calls = calls;
  return { partition: freshPartition(), user: await logIn(), log };
}
