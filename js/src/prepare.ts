// From a configuration to an engine: paths, schemas, and what must agree with an engine that is open already.
import { type CheckedConfiguration, localPath } from "./configuration.js";
import type { Coordinator, CoordinatorConfig } from "./coordinator.js";
import { codeOf } from "./core.js";
import { NotAvailableError } from "./errors.js";
import { acquire, acquireSync, deleteStore, exists, releaseUnused, storedSchemaVersion } from "./registry.js";
import type { CanonicalObjectSchema } from "./schema.js";
import { compareSchemas, toCoreSchema } from "./schema-core.js";
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
  const { sync, schemaVersion, readOnly, inMemory, onStorageError } = config;
  const coordinator: CoordinatorConfig = {
    core: {
      path,
      ...(schema ? { schema: toCoreSchema(schema), schemaVersion: schemaVersion ?? 0 } : {}),
      readOnly: readOnly ?? false,
      inMemory: inMemory ?? false,
    },
    onStorageError,
  };
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

/** The engine for a configuration, without waiting. */
export function engineSync(prepared: Prepared): Coordinator {
  refuseMigration(prepared);
  return adopted(acquireSync(prepared.coordinator), prepared);
}

export async function engine(prepared: Prepared): Promise<Coordinator> {
  refuseMigration(prepared);
  let coordinator: Coordinator;
  try {
    coordinator = await acquire(prepared.coordinator);
  } catch (error) {
    if (!prepared.config.deleteRealmIfMigrationNeeded || codeOf(error) !== "SchemaMismatch") throw error;
    await deleteStore(prepared.path);
    coordinator = await acquire(prepared.coordinator);
  }
  return adopted(coordinator, prepared);
}

function adopted(coordinator: Coordinator, prepared: Prepared): Coordinator {
  try {
    adopt(coordinator, prepared);
    return coordinator;
  } catch (error) {
    releaseUnused(coordinator);
    throw error;
  }
}

function refuseMigration({ config, path }: Prepared): void {
  if (!config.onMigration || !exists(path)) return;
  if (storedSchemaVersion(path) < (config.schemaVersion ?? 0)) throw new NotAvailableError("'onMigration'");
}

/** Brings an engine that was open already and a further configuration together, or says why they do not fit. */
function adopt(coordinator: Coordinator, { config, path, schema }: Prepared): void {
  const clash = (what: string) => new Error(`Realm at path '${path}' already opened ${what}.`);
  if (coordinator.isInMemory !== (config.inMemory ?? false)) throw clash("with different inMemory settings");
  if (coordinator.isReadOnly && !config.readOnly) throw clash("with different read permissions");
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
