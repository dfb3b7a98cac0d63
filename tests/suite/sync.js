// Synced realms against a real server.
import Realm from "/dist/index.js";
import {
  addTask,
  control,
  freshPartition,
  info,
  logIn,
  openClient,
  openPage,
  ready,
  settle,
  syncConfig,
  Task,
  tasks,
} from "/tests/suite/server.js";
import { Calls, changes, closed, equal, isTrue, rejects, throws, until } from "/tests/suite/support.js";

export async function a_user_logs_in_and_out() {
  const user = await logIn();
  const { app } = user;
  isTrue(user.id.length > 0 && user.accessToken.length > 0, "a user with an id and a token");
  equal([user.state, user.isLoggedIn, app.currentUser === user], ["LoggedIn", true, true]);
  equal([user.providerType, user.identities], ["anon-user", [{ id: user.id, providerType: "anon-user" }]]);
  isTrue(user.refreshToken.length > 0 && user.deviceId !== undefined, "a refresh token, and a device's id or null");
  isTrue(app.allUsers[user.id] === user, "the user among all users");
  const again = await app.logIn(Realm.Credentials.anonymous());
  isTrue(again.isLoggedIn, "the known user again");
  await user.logOut();
  equal([user.state, user.isLoggedIn], ["Removed", false]);
  isTrue(app.currentUser !== user, "another current user, or none");
  isTrue(Realm.App.get(app.id) === app, "the app by its id");
}

export async function another_page_knows_at_once_who_logs_in_and_out() {
  const page = await openPage();
  const there = await logIn({ module: page.module });
  const here = await logIn();
  await until(() => there.id in here.app.allUsers && here.id in there.app.allUsers, "the other page's user");
  const known = here.app.allUsers[there.id];
  isTrue(known.isLoggedIn, "a user who has logged in elsewhere");
  await there.logOut();
  await until(() => !known.isLoggedIn, "the end of the other page's user");
  equal([known.state, here.isLoggedIn, there.id in here.app.allUsers], ["Removed", true, false]);
  const config = syncConfig(known, freshPartition(), { newRealmFileBehavior: { type: "openImmediately" } });
  await rejects(Realm.open(config), "is not logged in");
  page.kill();
  await here.logOut();
}

export async function the_current_user_is_switched_at_once() {
  const first = await logIn();
  const { app } = first;
  const second = await app.logIn(Realm.Credentials.anonymous(false));
  const heard = new Calls();
  app.addListener(() => heard.callback(app.currentUser.id));
  isTrue(app.currentUser === second, "the one who logged in last");
  app.switchUser(first);
  isTrue(app.currentUser === first, "the one switched to");
  equal(heard.all, [[first.id]]);
  await first.logOut();
  isTrue(app.currentUser === second, "another user after logging out");
  throws(() => app.switchUser(first), "who is not logged in");
  const names = app.allUsers;
  await app.removeUser(second);
  equal([second.state, second.id in names, second.id in app.allUsers], ["Removed", true, false]);
}

export async function a_path_that_is_open_belongs_to_one_user_and_partition() {
  const [partition, user, other] = [freshPartition(), await logIn(), await logIn()];
  const path = `/${partition}.realm`;
  const realm = await Realm.open(syncConfig(user, partition, {}, { path }));
  await rejects(Realm.open(syncConfig(other, partition, {}, { path })), "already opened with different sync user.");
  await rejects(
    Realm.open(syncConfig(user, freshPartition(), {}, { path })),
    "already opened with different partition value.",
  );
  const again = await Realm.open(syncConfig(user, partition, {}, { path }));
  equal(again.path, path);
  again.close();
  realm.close();
  const [one, two] = ["list.v1", "list.v2.realm"].map((name) => new Realm(syncConfig(user, name, {}, { path: name })));
  equal(
    [one.path, two.path].map((full) => full.split("/").at(-1)),
    ["list.v1.realm", "list.v2.realm"],
  );
  one.close();
  two.close();
}

export async function two_clients_converge() {
  const partition = freshPartition();
  const one = await openClient(partition);
  const two = await openClient(partition);
  addTask(one, 1, "from one", { notes: ["a"] });
  await settle(one, two);
  equal(tasks(two), ["1 from one"]);
  equal([...two.objects("Task")[0].notes], ["a"]);
  const calls = new Calls();
  one.objects("Task").addListener(calls.callback);
  await calls.next();
  addTask(two, 2, "from two", { parent: two.objects("Task")[0] });
  await settle(two, one);
  equal((await calls.next("the change from the other client"))[1], changes({ insertions: [1] }));
  equal(tasks(one), ["1 from one", "2 from two"]);
  equal(one.objectForPrimaryKey("Task", 2).parent._id, 1);
  one.close();
  two.close();
}

export async function a_realm_that_is_not_on_disk_is_downloaded_fully_first() {
  const partition = freshPartition();
  const one = await openClient(partition);
  one.write(() => {
    for (let _id = 0; _id < 3000; _id++) one.create("Task", { _id, title: `task ${_id}` });
  });
  await settle(one);
  const user = await logIn();
  const config = syncConfig(user, partition);
  isTrue(!Realm.exists(config), "nothing on disk yet");
  const progress = new Calls();
  const two = await Realm.open(config).progress((transferred, transferable) =>
    progress.callback(transferred, transferable),
  );
  equal(two.objects("Task").length, 3000);
  equal(progress.all[0], [0, 0]);
  const { appId } = await info();
  equal(two.path, `/mongodb-realm/${appId}/${user.id}/s_${partition}.realm`);
  isTrue(Realm.exists(config), "a realm on disk");
  one.close();
  two.close();
}

export async function the_session_can_be_paused_and_asked() {
  const partition = freshPartition();
  const one = await openClient(partition);
  const two = await openClient(partition);
  const session = one.syncSession;
  equal([session.state, session.isConnected(), session.connectionState], ["active", true, "connected"]);
  equal([session.config.partitionValue, session.user.id], [partition, session.config.user.id]);
  isTrue(typeof session.fileIdent === "bigint", "a file ident");
  isTrue(Realm.App.Sync.getSyncSession(session.user, partition) === session, "the session by its partition");
  equal(Realm.App.Sync.getAllSyncSessions(session.user).length, 1);
  equal(Realm.App.Sync.getSyncSession(session.user, "another"), null);
  throws(() => one.subscriptions, "partition based sync is currently enabled for your Realm.");
  session.pause();
  equal([session.state, session.isConnected()], ["inactive", false]);
  addTask(one, 1, "while paused");
  await rejects(session.uploadAllLocalChanges(100), "Timed out: Uploading changes did not complete in 100 ms.");
  await two.syncSession.downloadAllServerChanges(Number.POSITIVE_INFINITY);
  equal(tasks(two), []);
  session.resume();
  equal(session.state, "active");
  await settle(one, two);
  equal(tasks(two), ["1 while paused"]);
  const { path } = one;
  one.close();
  two.close();
  await Realm.deleteFile({ path });
  throws(() => session.state, "This SyncSession is no longer valid");
}

export async function connection_and_progress_are_told() {
  const realm = await openClient(freshPartition());
  const session = realm.syncSession;
  const states = new Calls();
  session.addConnectionNotification(states.callback);
  throws(() => session.addConnectionNotification(states.callback), "Remove callback before adding it again");
  const { app } = session.user;
  app.setOffline(true);
  equal(await states.next("the loss of the connection"), ["disconnected", "connected"]);
  const [estimates, bytes] = [new Calls(), new Calls()];
  addTask(realm, 1, "offline");
  session.addProgressNotification("upload", "reportIndefinitely", (estimate) => estimates.callback(estimate));
  session.addProgressNotification("upload", "forCurrentlyOutstandingWork", (done, all) => bytes.callback(done, all));
  isTrue((await estimates.next())[0] < 1, "something to upload");
  const [, transferable] = await bytes.next();
  isTrue(transferable > 0, "bytes to upload");
  app.setOffline(false);
  session.reconnect();
  await session.uploadAllLocalChanges(20000);
  while ((await estimates.next("the end of the upload"))[0] < 1);
  while ((await bytes.next("the last byte"))[0] < transferable);
  // Who has been removed hears nothing more.
  const removed = new Calls();
  session.addProgressNotification("upload", "reportIndefinitely", removed.callback);
  session.removeProgressNotification(removed.callback);
  session.removeConnectionNotification(states.callback);
  session.addResetNotification(removed.callback);
  session.removeResetNotification(removed.callback);
  const [told, connected] = [removed.count, states.count];
  addTask(realm, 2, "more");
  await session.uploadAllLocalChanges(20000);
  app.setOffline(true);
  equal([removed.count, states.count, session.isConnected()], [told, connected, false]);
  app.setOffline(false);
  realm.close();
}

export async function who_listens_to_the_connection_hears_nothing_of_a_realm_that_is_closed() {
  const realm = await openClient(freshPartition(), { _sessionStopPolicy: "immediately" });
  const { syncSession: session } = realm;
  const states = [];
  session.addConnectionNotification(() => states.push(session.isConnected()));
  isTrue(session.isConnected(), "a connection");
  await closed(realm);
  throws(() => session.isConnected(), "This SyncSession is no longer valid");
  equal(states, []);
}

export async function offline_writes_survive_the_end_of_the_page() {
  const partition = freshPartition();
  const page = await openPage();
  const user = await logIn({ module: page.module });
  const realm = await page.module.default.open(syncConfig(user, partition));
  user.app.setOffline(true);
  addTask(realm, 1, "written offline");
  await realm.waitForDurable();
  const { path } = realm;
  page.kill();

  const next = await openPage();
  const { App } = next.module.default;
  const { serverUrl, appId } = await info();
  const app = new App({ id: appId, baseUrl: serverUrl });
  app.setOffline(true);
  const sameUser = app.allUsers[user.id];
  isTrue(sameUser?.isLoggedIn, "the user to be logged in still");
  const config = syncConfig(sameUser, partition, { existingRealmFileBehavior: { type: "openImmediately" } });
  const again = await next.module.default.open(config);
  equal([again.path, tasks(again)], [path, ["1 written offline"]]);
  addTask(again, 2, "and another");
  app.setOffline(false);
  const other = await openClient(partition);
  await settle(again, other);
  equal(tasks(other), ["1 written offline", "2 and another"]);
  again.close();
  other.close();
  next.kill();
}

export async function a_realm_closed_offline_is_free_for_another_page() {
  const partition = freshPartition();
  const page = await openPage();
  const user = await logIn({ module: page.module });
  const realm = await page.module.default.open(syncConfig(user, partition));
  user.app.setOffline(true);
  addTask(realm, 1, "written offline");
  realm.close();

  const next = await openPage();
  const { serverUrl, appId } = await info();
  const app = new next.module.default.App({ id: appId, baseUrl: serverUrl });
  const again = await next.module.default.open(syncConfig(app.allUsers[user.id], partition));
  const other = await openClient(partition);
  await settle(again, other);
  equal(tasks(other), ["1 written offline"]);
  again.close();
  other.close();
  page.kill();
  next.kill();
}

export async function later_edits_win_and_deletes_always() {
  const partition = freshPartition();
  const one = await openClient(partition);
  const two = await openClient(partition);
  addTask(one, 1, "first");
  addTask(one, 2, "second");
  await settle(one, two);
  one.syncSession.pause();
  two.syncSession.pause();
  const write = (realm, _id, title) =>
    realm.write(() => {
      realm.objectForPrimaryKey("Task", _id).title = title;
    });
  write(one, 1, "earlier edit");
  await new Promise((resolve) => setTimeout(resolve, 5));
  write(two, 1, "later edit");
  write(one, 2, "edited");
  two.write(() => two.delete(two.objectForPrimaryKey("Task", 2)));
  two.syncSession.resume();
  await settle(two);
  one.syncSession.resume();
  await settle(one, two);
  await settle(two, one);
  equal([tasks(one), tasks(two)], [["1 later edit"], ["1 later edit"]]);
  one.close();
  two.close();
}

export async function a_lost_acknowledgement_changes_nothing() {
  const partition = freshPartition();
  const one = await openClient(partition, {}, { viaProxy: true });
  const two = await openClient(partition);
  await control("proxy/blackhole-down");
  addTask(one, 1, "acknowledged into the void", { notes: ["once"] });
  const heard = new Calls();
  two.objects("Task").addListener(heard.callback);
  while (two.objects("Task").length === 0) await heard.next("the upload at the other client");
  await control("proxy/pass");
  await control("proxy/drop");
  one.syncSession.reconnect();
  one.write(() => one.objects("Task")[0].notes.push("twice"));
  await settle(one, two);
  equal([tasks(two), [...two.objects("Task")[0].notes]], [["1 acknowledged into the void"], ["once", "twice"]]);
  one.close();
  two.close();
}

export async function a_killed_server_loses_nothing_acknowledged() {
  const partition = freshPartition();
  const one = await openClient(partition);
  for (let _id = 0; _id < 20; _id++) addTask(one, _id, "kept");
  await settle(one);
  await control("server/kill");
  addTask(one, 100, "while the server is gone");
  await ready();
  one.syncSession.reconnect();
  const two = await openClient(partition);
  await settle(one, two);
  equal(two.objects("Task").length, 21);
  one.close();
  two.close();
}

export async function opening_behaviours_do_what_they_say() {
  const { appId } = await ready();
  const user = await logIn();
  const partition = freshPartition();
  user.app.setOffline(true);
  const behavior = (timeOutBehavior) => ({
    newRealmFileBehavior: { type: "downloadBeforeOpen", timeOut: 100, timeOutBehavior },
  });
  const error = await rejects(
    Realm.open(syncConfig(user, partition, behavior("throwException"))),
    "Timed out: Realm could not be downloaded in the allocated time: 100 ms.",
  );
  equal(error.name, "TimeoutError");
  const second = freshPartition();
  const local = await Realm.open(syncConfig(user, second, behavior("openLocalRealm")));
  addTask(local, 1, "local");
  local.close();
  const third = syncConfig(user, freshPartition(), { newRealmFileBehavior: Realm.App.Sync.openLocalRealmBehavior });
  const immediate = await Realm.open(third);
  isTrue(immediate.isEmpty, "an empty realm");
  immediate.close();
  const cancelled = Realm.open(syncConfig(user, freshPartition()));
  cancelled.cancel();
  await rejects(cancelled, "Async open canceled");
  user.app.setOffline(false);
  equal(user.app.id, appId);
}

export async function additive_schema_changes_flow() {
  const partition = freshPartition();
  const one = await openClient(partition);
  addTask(one, 1, "old");
  await settle(one);
  const wider = { ...Task, properties: { ...Task.properties, priority: "int?" } };
  const user = await logIn();
  const two = await Realm.open({ ...syncConfig(user, partition), schema: [wider] });
  two.write(() => {
    two.objects("Task")[0].priority = 5;
  });
  await settle(two, one);
  equal([tasks(one), two.objects("Task")[0].priority], [["1 old"], 5]);
  one.close();
  two.close();
}

export async function a_synced_realm_takes_additions_to_its_schema_and_nothing_else() {
  const user = await logIn();
  const { sync } = syncConfig(user, freshPartition());
  const config = (properties, others = []) => ({ sync, schema: [{ ...Task, properties }, ...others] });
  const { parent, ...fewer } = Task.properties;
  let realm = await Realm.open(config(Task.properties));
  addTask(realm, 1, "kept");
  await settle(realm);
  await realm.waitForDurable();
  realm.close();
  const refused = "The following changes cannot be made in additive-only schema mode";
  for (const [properties, problem] of [
    [{ ...fewer, parent, title: "int" }, "'Task.title'"],
    [{ ...fewer, parent, title: "string?" }, "'Task.title'"],
    [{ ...fewer, parent, notes: "int[]" }, "'Task.notes'"],
  ]) {
    const error = await rejects(Realm.open(config(properties)), refused);
    isTrue(error.message.includes(problem), `${problem} in: ${error.message}`);
  }
  // A later version of the schema counts for nothing, and what is left out stays in the store.
  realm = await Realm.open({ ...config(fewer), schemaVersion: 7 });
  equal([tasks(realm), Object.keys(realm.objects("Task")[0]).includes("parent")], [["1 kept"], false]);
  realm.close();
  const Note = { name: "Note", primaryKey: "_id", properties: { _id: "int", text: "string" } };
  realm = await Realm.open(config({ ...fewer, parent, priority: "int?" }, [Note]));
  realm.write(() => realm.create("Note", { _id: 1, text: "new" }));
  await settle(realm);
  equal([realm.objects("Task")[0].priority, realm.objects("Task")[0].parent], [null, null]);
  realm.close();
}

export async function a_simulated_error_reaches_the_error_callback() {
  const errors = new Calls();
  const realm = await openClient(freshPartition(), { onError: errors.callback });
  realm.syncSession._simulateError(231, "on purpose", "realm::sync::ProtocolError", false);
  const [session, error] = await errors.next("the error");
  isTrue(session === realm.syncSession && error instanceof Realm.SyncError, "the session and a SyncError");
  equal([error.name, error.message, error.wireCode], ["SyncError", "on purpose", 231]);
  equal([error.reason, error.isFatal, error.isOk, error.logUrl], ["on purpose", false, false, ""]);
  realm.close();
}
