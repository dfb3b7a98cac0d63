// Everything that the package exports by name, and that is found under `Realm.` too.
export * from "./app.js";
export type { ApiKey, SecretApiKey } from "./auth.js";
export * as Auth from "./auth-names.js";
export { BSON } from "./bson.js";
export * from "./collection.js";
export type {
  BaseConfiguration,
  Configuration,
  ConfigurationWithoutSync,
  ConfigurationWithSync,
  MigrationCallback,
  MigrationOptions,
} from "./configuration.js";
export type { BackupInfo } from "./core.js";
export * from "./counter.js";
export * from "./credentials.js";
export * from "./decorators.js";
export {
  type AnyDictionary,
  Dictionary,
  type DictionaryChangeCallback,
  type DictionaryChangeSet,
} from "./dictionary.js";
export {
  AssertionError,
  ClientResetError,
  CompensatingWriteError,
  type CompensatingWriteInfo,
  IllegalConstructorError,
  NotAvailableError,
  ObjectSchemaParseError,
  PropertySchemaParseError,
  SchemaParseError,
  StorageError,
  SyncError,
  TimeoutError,
  TypeAssertionError,
} from "./errors.js";
export { flags } from "./flags.js";
export type {
  AppServicesFunction,
  AppServicesFunction as RealmFunction,
  DefaultFunctionsFactory,
} from "./functions.js";
export * from "./geo.js";
export * from "./list.js";
export type { ObjectChangeCallback, ObjectChangeSet } from "./listeners.js";
export {
  type LogCategory,
  type LogEntry,
  type Logger,
  type LoggerCallback,
  type LoggerCallback1,
  type LoggerCallback2,
  type LogLevel,
  NumericLogLevel,
} from "./logger.js";
export type { MongoDBService, WatchOptionsFilter, WatchOptionsIds } from "./mongodb.js";
export * as MongoDB from "./mongodb-names.js";
export { type AnyRealmObject, RealmObject, RealmObject as Object } from "./object.js";
export * from "./open.js";
export * from "./ordered-collection.js";
export * from "./push.js";
export * from "./results.js";
export type {
  BaseObjectSchema,
  CanonicalObjectSchema,
  CanonicalPropertiesTypes,
  CanonicalPropertySchema,
  CanonicalPropertySchema as CanonicalObjectSchemaProperty,
  CollectionPropertyTypeName,
  Constructor,
  DefaultObject,
  IndexedType,
  ObjectSchema,
  ObjectType,
  PresentationPropertyTypeName,
  PrimaryKey,
  PrimitivePropertyTypeName,
  PropertiesTypes,
  PropertySchema,
  PropertySchema as ObjectSchemaProperty,
  PropertySchemaCommon,
  PropertySchemaShorthand,
  PropertySchemaStrict,
  PropertyTypeName,
  PropertyTypeName as PropertyType,
  RealmObjectConstructor,
  RealmObjectConstructor as ObjectClass,
  RelationshipPropertyTypeName,
  ShorthandPrimitivePropertyTypeName,
  UserTypeName,
} from "./schema.js";
export * as Services from "./services.js";
export { type AnySet, RealmSet, RealmSet as Set } from "./set.js";
export * from "./subscriptions.js";
export * from "./sync.js";
export {
  type BaseSyncConfiguration,
  type ClientResetAfterCallback,
  type ClientResetBeforeCallback,
  type ClientResetConfig,
  type ClientResetDiscardUnsyncedChangesConfiguration,
  type ClientResetFallbackCallback,
  type ClientResetManualConfiguration,
  ClientResetMode,
  type ClientResetProgress,
  type ClientResetProgressCallback,
  type ClientResetRecoverOrDiscardUnsyncedChangesConfiguration,
  type ClientResetRecoverUnsyncedChangesConfiguration,
  type ClientResetRecoverUnsyncedChangesConfiguration as ClientResetRecoveryConfiguration,
  type ErrorCallback,
  type FlexibleSyncConfiguration,
  type InitialSubscriptions,
  type OpenRealmBehaviorConfiguration,
  OpenRealmBehaviorType,
  OpenRealmTimeOutBehavior,
  type PartitionSyncConfiguration,
  type PartitionValue,
  ProxyType,
  SessionStopPolicy,
  type SSLConfiguration,
  type SSLVerifyCallback,
  type SSLVerifyObject,
  type SyncConfiguration,
  type SyncProxyConfig,
} from "./sync-configuration.js";
export {
  type ConnectionNotificationCallback,
  ConnectionState,
  type EstimateProgressNotificationCallback,
  type PartitionBasedSyncProgressNotificationCallback,
  ProgressDirection,
  ProgressMode,
  type ProgressNotificationCallback,
  SessionState,
  SyncSession,
} from "./sync-session.js";
export type { Mixed } from "./types.js";
export * as Types from "./types.js";
export type { Unmanaged } from "./unmanaged.js";
export * from "./update-mode.js";
export * from "./user.js";
