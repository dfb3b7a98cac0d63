// From a configuration to an engine: paths, schemas, and what must agree with an engine that is open already.
import { assert } from "./assert.js";
import { type CheckedConfiguration, keyBytes, localPath, type MigrationCallback } from "./configuration.js";
import type { Coordinator, CoordinatorConfig } from "./coordinator.js";
import type { RealmCore } from "./core.js";
import { Realm } from "./realm.js";
import { RealmSeed } from "./realm-seed.js";
import { acquire, acquireSync, releaseUnused } from "./registry.js";
import type { CanonicalObjectSchema } from "./schema.js";
import { compareSchemas, fromCoreSchema, toCoreSchema } from "./schema-core.js";
import { parseSchema } from "./schema-parse.js";
import { coreResetMode, serverRealmName, syncedPath } from "./sync-configuration.js";
import { SyncHandler } from "./sync-handler.js";

export interface Prepared {
  config: CheckedConfiguration;
  path: string;
  schema: CanonicalObjectSchema[] | undefined;
  coordinator: CoordinatorConfig;
}

export function pathOf(config: CheckedConfiguration, defaultPath: string): string {
  return config.sync ? syncedPath(config.sync, config.path) : localPath(config.path ?? defaultPath);
}

export function prepare(config: CheckedConfiguration, defaultPath: string): Prepared {
  const path = pathOf(config, defaultPath);
  const schema = config.schema === undefined ? undefined : parseSchema(config.schema, config.sync !== undefined);
  const { sync, schemaVersion, readOnly, inMemory, onStorageError, onMigration, shouldCompact } = config;
  const encryptionKey = keyBytes(config.encryptionKey);
  assert(!inMemory || !encryptionKey, "Encryption is not supported for in-memory realms");
  assert(!readOnly || !onMigration, "Realms opened in immutable mode do not use a migration function");
  const coordinator: CoordinatorConfig = {
    core: {
      path,
      ...(schema ? { schema: toCoreSchema(schema), schemaVersion: schemaVersion ?? 0 } : {}),
      ...(encryptionKey ? { encryptionKey } : {}),
      migration: onMigration ? "callback" : config.deleteRealmIfMigrationNeeded ? "startOver" : "automatic",
      resolveEmbeddedConstraints: config.migrationOptions?.resolveEmbeddedConstraints ?? false,
      readOnly: readOnly ?? false,
      inMemory: inMemory ?? false,
    },
    onStorageError,
    shouldCompact,
  };
  if (onMigration) coordinator.migrate = (own, before) => migrate(own, before, onMigration, schema ?? []);
  if (sync) {
    coordinator.app = sync.user.app.core;
    coordinator.sync = new SyncHandler(sync, schema);
    coordinator.core.sync = {
      userId: sync.user.id,
      realm: serverRealmName(sync.partitionValue),
      resetMode: coreResetMode(sync.clientReset),
    };
  }
  return { config, path, schema, coordinator };
}

/** Calls the application with the realm as it was and as it is to be; both are closed afterwards. */
function migrate(
  coordinator: Coordinator,
  before: RealmCore,
  onMigration: MigrationCallback,
  schema: CanonicalObjectSchema[],
): void {
  // Objects of the old realm have the class models of the new schema.
  const old = fromCoreSchema(before.schema()).map((declared) => {
    const ctor = schema.find(({ name }) => name === declared.name)?.ctor;
    return ctor ? { ...declared, ctor } : declared;
  });
  const oldRealm = new Realm(new RealmSeed({ frozen: before, path: coordinator.path, schema: old }));
  const newRealm = new Realm(new RealmSeed({ coordinator, schema, isGuest: true }));
  coordinator.writer = newRealm.internal;
  try {
    onMigration(oldRealm, newRealm);
  } finally {
    oldRealm.closeInstance();
    newRealm.closeInstance();
  }
}

/** The engine for a configuration, without waiting. */
export function engineSync(prepared: Prepared): Coordinator {
  return adopted(acquireSync(prepared.coordinator), prepared);
}

export async function engine(prepared: Prepared): Promise<Coordinator> {
  return adopted(await acquire(prepared.coordinator), prepared);
}

function adopted(coordinator: Coordinator, prepared: Prepared): Coordinator {
  // An engine that was opened for this configuration has it already.
  if (coordinator.config === prepared.coordinator) return coordinator;
  try {
    adopt(coordinator, prepared);
    return coordinator;
  } catch (error) {
    releaseUnused(coordinator);
    throw error;
  }
}

/** Brings an engine that was open already and a further configuration together, or says why they do not fit. */
function adopt(coordinator: Coordinator, prepared: Prepared): void {
  const { config, path, schema } = prepared;
  const clash = (what: string) => new Error(`Realm at path '${path}' already opened ${what}.`);
  if (coordinator.isReadOnly !== (config.readOnly ?? false)) throw clash("with different read permissions");
  if (coordinator.isInMemory !== (config.inMemory ?? false)) throw clash("with different inMemory settings");
  if (!isSameKey(coordinator.config.core.encryptionKey, prepared.coordinator.core.encryptionKey)) {
    throw clash("with a different encryption key");
  }
  if ((coordinator.sync === undefined) !== (config.sync === undefined)) {
    throw clash("with different sync configurations");
  }
  if (coordinator.sync && config.sync) {
    const { user, partitionValue } = coordinator.sync.config;
    if (user.id !== config.sync.user.id || user.app.id !== config.sync.user.app.id) {
      throw clash("with different sync user");
    }
    if (serverRealmName(partitionValue) !== serverRealmName(config.sync.partitionValue)) {
      throw clash("with different partition value");
    }
  }
  if (!schema) return;
  const { core } = coordinator;
  const wanted = toCoreSchema(schema);
  const difference = compareSchemas(core.schema(), wanted);
  const hasAdditions = difference.addedClasses.length > 0 || difference.addedProperties.length > 0;
  if (coordinator.sync) {
    if (difference.breaking.length > 0) {
      const lines = difference.breaking.map((line) => `- ${line}`).join("\n");
      throw new Error(`The following changes cannot be made in additive-only schema mode:\n${lines}`);
    }
    if (hasAdditions) coordinator.extendSchema(wanted, config.schemaVersion ?? 0);
    return;
  }
  // Who only reads may look at a part, such as at the backup of a realm whose schema has lost something.
  const mayLeaveOut = coordinator.isReadOnly;
  if (!mayLeaveOut && core.schemaVersion() !== (config.schemaVersion ?? 0))
    throw clash("with different schema version");
  const lacksSome = !mayLeaveOut && difference.removedProperties.length > 0;
  if (hasAdditions || difference.breaking.length > 0 || lacksSome) {
    throw clash("on current thread with different schema");
  }
}

export function isSameKey(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
