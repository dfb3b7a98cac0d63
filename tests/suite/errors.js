// Configurations that make no sense.
import Realm from "/dist/index.js";
import { Dog, Person } from "/tests/suite/models.js";
import { equal, freshPath, rejects, throws } from "/tests/suite/support.js";

export async function configurations_are_checked() {
  const open = (config) => () => new Realm(config);
  throws(open(5), "Expected 'realm configuration' to be an object, got a number");
  throws(open({ path: 5 }), "Expected 'path' on realm configuration to be a string, got a number");
  throws(open({ path: "" }), "The path cannot be empty. Provide a path or remove the field.");
  throws(
    open({ path: "x", schema: [], schemaVersion: -1 }),
    "'schemaVersion' on realm configuration must be 0 or a positive integer.",
  );
  throws(open({ path: "x", inMemory: 1 }), "Expected 'inMemory' on realm configuration to be a boolean, got a number");
  throws(
    open({ path: "x", onMigration: 1 }),
    "Expected 'onMigration' on realm configuration to be a function, got a number",
  );
  throws(
    open({ path: "x", readOnly: true, deleteRealmIfMigrationNeeded: true }),
    "Cannot set 'deleteRealmIfMigrationNeeded' when 'readOnly' is set.",
  );
  throws(
    open({ path: "x", migrationOptions: { resolveEmbeddedConstraints: 1 } }),
    "Expected 'resolveEmbeddedConstraints' on 'migrationOptions' to be a boolean, got a number",
  );
  await rejects(Realm.open({ path: 5 }), "Expected 'path' on realm configuration to be a string, got a number");
  equal(Realm.exists(freshPath("errors")), false);
}

export async function sync_configurations_are_checked() {
  const user = Object.create(Realm.User.prototype);
  const open =
    (sync, rest = {}) =>
    () =>
      new Realm({ schema: [Dog, Person], sync, ...rest });
  const good = { user, partitionValue: "p" };
  throws(open(5), "Expected 'sync' on realm configuration to be an object, got a number");
  throws(
    open({ partitionValue: "p" }),
    "Expected 'user' on realm sync configuration to be an instance of User, got undefined",
  );
  throws(
    open(good, { inMemory: true }),
    "The realm configuration options 'inMemory' and 'sync' cannot both be defined.",
  );
  throws(
    open(good, { onMigration: () => {} }),
    "The realm configuration options 'onMigration' and 'sync' cannot both be defined.",
  );
  throws(
    open({ ...good, partitionValue: 1.5 }),
    "Expected 'partitionValue' on realm sync configuration to be an integer, got 1.5.",
  );
  throws(open({ user }), "to be an integer, string, ObjectId, UUID, or null, got undefined.");
  throws(
    open({ ...good, onError: 5 }),
    "Expected 'onError' on realm sync configuration to be a function, got a number",
  );
  throws(
    open({ ...good, clientReset: 5 }),
    "Expected 'clientReset' on realm sync configuration to be an object, got a number",
  );
  throws(
    open({ ...good, clientReset: { mode: "zork" } }),
    "'clientReset' on realm sync configuration must be one of the following: 'manual', 'discardUnsyncedChanges', 'recoverUnsyncedChanges', 'recoverOrDiscardUnsyncedChanges'",
  );
  throws(open({ ...good, clientReset: { mode: "manual" } }), "need to set either onError or onManual or both");
  throws(
    open({ ...good, clientReset: { mode: "discardLocal", onBefore: 5 } }),
    "Expected 'clientReset.onBefore' on realm sync configuration to be a function",
  );
  throws(
    open({ ...good, newRealmFileBehavior: { type: "zork" } }),
    "'newRealmFileBehavior.type' on realm sync configuration must be either 'downloadBeforeOpen' or 'openImmediately'.",
  );
  throws(
    open({ ...good, newRealmFileBehavior: { type: "downloadBeforeOpen", timeOut: 5 } }),
    "Invalid 'timeOutBehavior': 'undefined'. Only 'throwException' and 'openLocalRealm' is allowed.",
  );
  throws(open({ ...good, _sessionStopPolicy: "zork" }), "Unexpected policy");
}

export async function a_client_reset_that_nobody_asked_for_is_refused() {
  const app = new Realm.App({ id: "errors", baseUrl: "http://127.0.0.1:59999" });
  throws(
    () => Realm.App.Sync.initiateClientReset(app, "/nowhere"),
    "Realm was not configured correctly. Client Reset could not be run for Realm at: /nowhere",
  );
}

export async function a_server_that_is_not_there_is_said_to_be() {
  const app = new Realm.App({ id: "errors", baseUrl: "http://127.0.0.1:59999" });
  equal(app.currentUser, null);
  await rejects(app.logIn(Realm.Credentials.anonymous()), "the server could not be reached");
}
