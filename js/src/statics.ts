// The values under `Realm.`; realm-names.ts has their types.
import * as ns from "./exports.js";
import { Realm, RealmEvent } from "./realm.js";
import { clearTestState, shutdown } from "./test-state.js";

/** What the class has of itself. */
type Own =
  | "prototype"
  | "defaultPath"
  | "open"
  | "exists"
  | "deleteFile"
  | "schemaVersion"
  | "createTemplateObject"
  | "setLogLevel"
  | "setLogger"
  | "copyBundledRealmFiles";

const statics: Omit<typeof Realm, Own> = {
  Realm,
  RealmEvent,
  clearTestState,
  shutdown,
  App: ns.App,
  AssertionError: ns.AssertionError,
  Auth: ns.Auth,
  BaseSubscriptionSet: ns.BaseSubscriptionSet,
  BSON: ns.BSON,
  ClientResetError: ns.ClientResetError,
  ClientResetMode: ns.ClientResetMode,
  Collection: ns.Collection,
  CompensatingWriteError: ns.CompensatingWriteError,
  ConnectionState: ns.ConnectionState,
  Counter: ns.Counter,
  Credentials: ns.Credentials,
  Dictionary: ns.Dictionary,
  flags: ns.flags,
  IllegalConstructorError: ns.IllegalConstructorError,
  index: ns.index,
  kmToRadians: ns.kmToRadians,
  List: ns.List,
  mapTo: ns.mapTo,
  MetadataMode: ns.MetadataMode,
  miToRadians: ns.miToRadians,
  MongoDB: ns.MongoDB,
  MutableSubscriptionSet: ns.MutableSubscriptionSet,
  NotAvailableError: ns.NotAvailableError,
  NumericLogLevel: ns.NumericLogLevel,
  Object: ns.RealmObject,
  ObjectSchemaParseError: ns.ObjectSchemaParseError,
  OpenRealmBehaviorType: ns.OpenRealmBehaviorType,
  OpenRealmTimeOutBehavior: ns.OpenRealmTimeOutBehavior,
  OrderedCollection: ns.OrderedCollection,
  ProgressDirection: ns.ProgressDirection,
  ProgressMode: ns.ProgressMode,
  ProgressRealmPromise: ns.ProgressRealmPromise,
  PropertySchemaParseError: ns.PropertySchemaParseError,
  ProviderType: ns.ProviderType,
  ProxyType: ns.ProxyType,
  PushClient: ns.PushClient,
  Results: ns.Results,
  SchemaParseError: ns.SchemaParseError,
  Services: ns.Services,
  SessionState: ns.SessionState,
  SessionStopPolicy: ns.SessionStopPolicy,
  Set: ns.RealmSet,
  StorageError: ns.StorageError,
  Subscription: ns.Subscription,
  SubscriptionSet: ns.SubscriptionSet,
  SubscriptionSetState: ns.SubscriptionSetState,
  Sync: ns.Sync,
  SyncError: ns.SyncError,
  SyncSession: ns.SyncSession,
  TimeoutError: ns.TimeoutError,
  TypeAssertionError: ns.TypeAssertionError,
  Types: ns.Types,
  UpdateMode: ns.UpdateMode,
  User: ns.User,
  UserState: ns.UserState,
  WaitForSync: ns.WaitForSync,
};

Object.assign(Realm, statics);
