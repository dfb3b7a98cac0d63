/**
 * Ebbtide: an offline-first object database for web apps, used through the API that Realm JS made familiar.
 * Importing it loads the engine; `init()` tells whether that worked.
 * @packageDocumentation
 */
import { init } from "./core.js";
import { flags } from "./flags.js";
import * as ns from "./namespace.js";
import { Realm, RealmEvent } from "./realm.js";
import { clearTestState, shutdown } from "./test-state.js";

export * from "./namespace.js";
export { RealmObject as Object } from "./object.js";
export { Realm, RealmEvent, type RealmEventName, type RealmListenerCallback } from "./realm.js";
export { flags, init };
export default Realm;

globalThis.Object.assign(Realm, {
  Realm,
  Object: ns.RealmObject,
  RealmEvent,
  flags,
  clearTestState,
  shutdown,
  App: ns.App,
  BSON: ns.BSON,
  Collection: ns.Collection,
  OrderedCollection: ns.OrderedCollection,
  Results: ns.Results,
  List: ns.List,
  Credentials: ns.Credentials,
  ProviderType: ns.ProviderType,
  User: ns.User,
  UserState: ns.UserState,
  UpdateMode: ns.UpdateMode,
  ClientResetMode: ns.ClientResetMode,
  ConnectionState: ns.ConnectionState,
  ProgressDirection: ns.ProgressDirection,
  ProgressMode: ns.ProgressMode,
  OpenRealmBehaviorType: ns.OpenRealmBehaviorType,
  OpenRealmTimeOutBehavior: ns.OpenRealmTimeOutBehavior,
  SessionStopPolicy: ns.SessionStopPolicy,
  SessionState: ns.SessionState,
  ProgressRealmPromise: ns.ProgressRealmPromise,
  AssertionError: ns.AssertionError,
  TypeAssertionError: ns.TypeAssertionError,
  IllegalConstructorError: ns.IllegalConstructorError,
  TimeoutError: ns.TimeoutError,
  SchemaParseError: ns.SchemaParseError,
  ObjectSchemaParseError: ns.ObjectSchemaParseError,
  PropertySchemaParseError: ns.PropertySchemaParseError,
  SyncError: ns.SyncError,
  ClientResetError: ns.ClientResetError,
  CompensatingWriteError: ns.CompensatingWriteError,
  NotAvailableError: ns.NotAvailableError,
  StorageError: ns.StorageError,
  Sync: ns.Sync,
  SyncSession: ns.SyncSession,
});

// An import that fails could not say why; what is used of the package does.
await init().catch(() => undefined);
