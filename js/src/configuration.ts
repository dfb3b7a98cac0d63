// What an application asks for when it opens a realm: its shape, and Realm's messages for what is wrong with it.
import { assert, assertBoolean, assertFunction, assertNumber, assertObject, assertString } from "./assert.js";
import { describe, type StorageError } from "./errors.js";
import type { Realm } from "./realm.js";
import type { ObjectSchema, RealmObjectConstructor } from "./schema.js";
import { parseSchema } from "./schema-parse.js";
import {
  type PartitionSyncConfiguration,
  type SyncConfiguration,
  validateSyncConfiguration,
} from "./sync-configuration.js";

export type MigrationCallback = (oldRealm: Realm, newRealm: Realm) => void;
export type MigrationOptions = { resolveEmbeddedConstraints?: boolean };

export type BaseConfiguration = {
  /** Where the realm is kept: a name of the application's choosing. `default.realm` if left out. */
  path?: string;
  /** The classes. May be left out for a realm that exists. */
  schema?: (RealmObjectConstructor | ObjectSchema)[];
  /** Rises with every change of the schema of a local realm. */
  schemaVersion?: number;
  /** Keeps the realm in memory only. */
  inMemory?: boolean;
  readOnly?: boolean;
  sync?: SyncConfiguration;
  /**
   * Called when the realm is opened and no other instance of it is open, with the bytes that its store has and those that it
   * would have if everything were written anew. Says whether that is to be done.
   */
  shouldCompact?: (totalBytes: number, usedBytes: number) => boolean;
  deleteRealmIfMigrationNeeded?: boolean;
  disableFormatUpgrade?: boolean;
  fifoFilesFallbackPath?: string;
  excludeFromIcloudBackup?: boolean;
  /** 64 bytes, with which all that is stored is encrypted. */
  encryptionKey?: ArrayBuffer | ArrayBufferView | Int8Array;
  /** Called when a local realm is opened with a higher schema version; what it throws leaves everything as it was. */
  onMigration?: MigrationCallback;
  migrationOptions?: MigrationOptions;
  onFirstOpen?: (realm: Realm) => void;
  /** Ebbtide's own: called when the browser's storage fails. Without it such failures go to the logger. */
  onStorageError?: (error: StorageError) => void;
};

export type ConfigurationWithSync = BaseConfiguration & { sync: SyncConfiguration };
export type ConfigurationWithoutSync = BaseConfiguration & { sync?: never };

/** How to open a realm. */
export type Configuration = ConfigurationWithSync | ConfigurationWithoutSync;

/** A configuration that was checked. */
export type CheckedConfiguration = BaseConfiguration & { sync?: PartitionSyncConfiguration };

/** Reads a path or a configuration, and checks all of it. */
export function parseConfiguration(arg: unknown): CheckedConfiguration {
  const config = typeof arg === "string" ? { path: arg } : (arg ?? {});
  validateConfiguration(config);
  return config as CheckedConfiguration;
}

function validateConfiguration(config: unknown): void {
  assertObject(config, "realm configuration");
  const { path, schema, schemaVersion, inMemory, readOnly, onMigration, sync } = config;
  if (path !== undefined) {
    assertString(path, "'path' on realm configuration");
    assert(path.length > 0, "The path cannot be empty. Provide a path or remove the field.");
  }
  if (schema !== undefined) parseSchema(schema);
  if (schemaVersion !== undefined) {
    assertNumber(schemaVersion, "'schemaVersion' on realm configuration");
    assert(
      schemaVersion >= 0 && Number.isInteger(schemaVersion),
      "'schemaVersion' on realm configuration must be 0 or a positive integer.",
    );
  }
  if (inMemory !== undefined) assertBoolean(inMemory, "'inMemory' on realm configuration");
  if (readOnly !== undefined) assertBoolean(readOnly, "'readOnly' on realm configuration");
  if (onMigration !== undefined) assertFunction(onMigration, "'onMigration' on realm configuration");
  if (sync !== undefined) {
    const clash = (option: string) => `The realm configuration options '${option}' and 'sync' cannot both be defined.`;
    assert(!onMigration, clash("onMigration"));
    assert(inMemory === undefined, clash("inMemory"));
    assert(config.deleteRealmIfMigrationNeeded === undefined, clash("deleteRealmIfMigrationNeeded"));
    assert(config.migrationOptions === undefined, clash("migrationOptions"));
    validateSyncConfiguration(sync);
  }
  validateRest(config);
}

function validateRest(config: Record<string, unknown>): void {
  const { deleteRealmIfMigrationNeeded, readOnly, onMigration, fifoFilesFallbackPath, migrationOptions } = config;
  if (fifoFilesFallbackPath !== undefined) {
    assertString(fifoFilesFallbackPath, "'fifoFilesFallbackPath' on realm configuration");
  }
  if (migrationOptions) {
    assertObject(migrationOptions, "'migrationOptions'");
    const { resolveEmbeddedConstraints } = migrationOptions;
    if (resolveEmbeddedConstraints !== undefined) {
      assertBoolean(resolveEmbeddedConstraints, "'resolveEmbeddedConstraints' on 'migrationOptions'");
    }
  }
  for (const name of ["deleteRealmIfMigrationNeeded", "disableFormatUpgrade", "excludeFromIcloudBackup"]) {
    if (config[name] !== undefined) assertBoolean(config[name], `'${name}' on realm configuration`);
  }
  for (const name of ["shouldCompact", "onFirstOpen", "onStorageError"]) {
    if (config[name] !== undefined) assertFunction(config[name], `'${name}' on realm configuration`);
  }
  assert(
    !readOnly || !deleteRealmIfMigrationNeeded,
    "Cannot set 'deleteRealmIfMigrationNeeded' when 'readOnly' is set.",
  );
  assert(
    !onMigration || !deleteRealmIfMigrationNeeded,
    "Cannot set 'deleteRealmIfMigrationNeeded' when 'onMigration' is set.",
  );
  const { encryptionKey } = config;
  assert(
    encryptionKey === undefined || encryptionKey instanceof ArrayBuffer || ArrayBuffer.isView(encryptionKey),
    `Expected 'encryptionKey' on realm configuration to be an ArrayBuffer, ArrayBufferView (Uint8Array), or Int8Array, got ${describe(encryptionKey)}.`,
  );
}

/** The bytes of an encryption key: a copy, which the application cannot change. */
export function keyBytes(key: ArrayBuffer | ArrayBufferView | undefined): Uint8Array | undefined {
  if (key === undefined) return undefined;
  const view = ArrayBuffer.isView(key)
    ? new Uint8Array(key.buffer, key.byteOffset, key.byteLength)
    : new Uint8Array(key);
  assert(view.length === 64, "Encryption key must be 64 bytes.");
  return view.slice();
}

/** The path of a local realm in full. */
export function localPath(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}
