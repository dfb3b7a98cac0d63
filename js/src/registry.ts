// The engines that are open in this page, by path, and the work on stores that an opening has to wait for.

import { Coordinator, type CoordinatorConfig } from "./coordinator.js";
import { assertReady, codeOf, type RealmCore, core as wasm } from "./core.js";
import { noteDeletion, noteOpening } from "./preload.js";
import type { View } from "./view.js";

const coordinators = new Map<string, Coordinator>();
const opening = new Map<string, Promise<Coordinator>>();
/** Deletions and backups under way. */
const stores = new Map<string, Promise<unknown>>();
/** Paths whose store is to go, each with the deletion that was asked for last. */
const deleted = new Map<string, object>();

/** The engine that is open at a path, if Realm instances use it. */
export function openCoordinator(path: string): Coordinator | undefined {
  const coordinator = coordinators.get(path);
  return coordinator && coordinator.views.size > 0 ? coordinator : undefined;
}

/** The engine at a path that nobody uses and that has not closed yet. */
function lingeringCoordinator(path: string): Coordinator | undefined {
  const coordinator = coordinators.get(path);
  return coordinator && !coordinator.hasEnded && !deleted.has(path) ? coordinator : undefined;
}

export function allCoordinators(): Coordinator[] {
  return [...coordinators.values()];
}

/** The engine at a path: the one that is open, or that has not quite closed, or a new one that needs no disk. */
export function acquireSync(config: CoordinatorConfig): Coordinator {
  assertReady();
  const { path } = config.core;
  const open = openCoordinator(path);
  if (open) return open;
  const lingering = lingeringCoordinator(path);
  if (lingering?.sync || (lingering && config.sync)) return lingering;
  if (lingering && (!lingering.canOnlyRead || config.core.readOnly)) {
    lingering.reopen(config);
    return lingering;
  }
  // Who only reads has nothing to store: it can be left at once for one who writes.
  if (lingering) lingering.leave();
  // What is to be deleted is deleted by who begins anew in its place.
  if (deleted.has(path)) config.core.replace = true;
  const coordinator = Coordinator.openSync(config);
  deleted.delete(path);
  coordinators.set(path, coordinator);
  if (!config.core.inMemory && !config.core.encryptionKey && !config.sync) noteOpening(path, "at once");
  return coordinator;
}

/** The engine at a path: the one that Realm instances use, or a new one. */
export async function acquire(config: CoordinatorConfig): Promise<Coordinator> {
  assertReady();
  for (;;) {
    const coordinator = await acquireOnce(config);
    // While the caller waited, the last of those who used it may have gone.
    if (!coordinator.hasEnded) return coordinator;
  }
}

async function acquireOnce(config: CoordinatorConfig): Promise<Coordinator> {
  const { path } = config.core;
  const existing = openCoordinator(path);
  if (existing && !stores.has(path)) return existing;
  const underWay = opening.get(path);
  if (underWay) return underWay;
  // Only what was asked before: what is asked later waits for this opening.
  const wasDeleted = deleted.has(path);
  const before = stores.get(path);
  const promise = (async () => {
    await coordinators.get(path)?.finishClosing();
    await before;
    // Somebody may have opened it synchronously while this one waited.
    const raced = openCoordinator(path);
    if (raced) return raced;
    noteOpening(path, "waiting");
    const coordinator = await Coordinator.open(config);
    if (wasDeleted) deleted.delete(path);
    coordinators.set(path, coordinator);
    return coordinator;
  })();
  opening.set(path, promise);
  try {
    return await promise;
  } finally {
    opening.delete(path);
  }
}

/** Lets go of an engine; it closes when nobody holds it. */
export function releaseView(coordinator: Coordinator, view: View): void {
  coordinator.detach(view);
  releaseUnused(coordinator);
}

export function releaseUnused(coordinator: Coordinator): void {
  if (coordinator.views.size > 0) return;
  const forget = () => {
    if (coordinators.get(coordinator.path) === coordinator) coordinators.delete(coordinator.path);
  };
  // What was in memory ends with the last instance, at once.
  if (coordinator.isInMemory) forget();
  coordinator.release(forget);
}

/** Opens a copy of a realm at a path that is free. There at once for this page; resolves when it is on disk. */
export function openCopy(source: RealmCore, config: CoordinatorConfig): Promise<void> {
  const { path } = config.core;
  if (exists(path)) throw new Error(`File at path '${path}' already exists.`);
  if (config.sync) return source.writeCopy(config.core);
  // The copy has the schema of the realm that is copied, whatever the configuration says.
  const { schema, schemaVersion, ...core } = config.core;
  if (deleted.has(path)) core.replace = true;
  const coordinator = Coordinator.openCopy({ core: { ...core, inMemory: false, readOnly: false } }, source);
  deleted.delete(path);
  coordinators.set(path, coordinator);
  const stored = coordinator.core.flushed();
  releaseUnused(coordinator);
  return stored;
}

/** Whether a realm is there: on disk, or open in memory. */
export function isThere(path: string): boolean {
  return exists(path) || openCoordinator(path) !== undefined;
}

/** The paths of the realms on disk, as far as this page knows. */
export function storedPaths(): string[] {
  assertReady();
  return wasm.storedPaths().filter((path) => !deleted.has(path));
}

/** Whether a store exists at a path, or is about to. */
export function exists(path: string): boolean {
  assertReady();
  if (deleted.has(path)) return false;
  const coordinator = coordinators.get(path);
  return coordinator ? !coordinator.isInMemory : wasm.exists(path);
}

export function storedSchemaVersion(path: string, encryptionKey: Uint8Array | undefined): number {
  assertReady();
  if (!exists(path)) return -1;
  const open = openCoordinator(path) ?? lingeringCoordinator(path);
  const stored = open?.isInMemory ? -1 : wasm.storedSchemaVersion(path, encryptionKey);
  return open?.core.schemaVersion() ?? stored;
}

/** Deletes a store. It is gone for `exists` at once; openings wait until it is gone from the disk too. */
export function deleteStore(path: string): Promise<void> {
  assertReady();
  const inUse = () => new Error(`Cannot delete files of an open Realm: '${path}' is still in use.`);
  if (openCoordinator(path)) throw inUse();
  const earlier = opening.get(path);
  const deletion = {};
  deleted.set(path, deletion);
  noteDeletion(path);
  return onStore(path, earlier, async () => {
    try {
      // Somebody may have begun anew in its place.
      if (!deleted.has(path)) return;
      if (openCoordinator(path)) throw inUse();
      await wasm.deleteRealm(path);
    } finally {
      // What could not be deleted is still there.
      if (deleted.get(path) === deletion) deleted.delete(path);
    }
  });
}

/** Moves a store to its backup. Openings of the path wait for it. */
export function backUpStore(path: string): Promise<string> {
  assertReady();
  const coordinator = openCoordinator(path);
  const earlier = opening.get(path) ?? (coordinator && Promise.resolve(coordinator));
  return onStore(path, earlier, async () => {
    try {
      return await wasm.initiateClientReset(path);
    } catch (error) {
      if (codeOf(error) !== "NoFileAction") throw error;
      throw new Error(`Realm was not configured correctly. Client Reset could not be run for Realm at: ${path}`, {
        cause: error,
      });
    }
  });
}

/** Does work on a store that no engine has open, after what was asked before: other work, and an opening under way. */
function onStore<T>(path: string, earlier: Promise<Coordinator> | undefined, work: () => Promise<T>): Promise<T> {
  const before = stores.get(path);
  const promise = (async () => {
    await before;
    if (earlier) {
      await earlier.catch(() => undefined);
      // An opening that was cancelled or has failed closes what it opened in the same turn.
      await new Promise((resolve) => setTimeout(resolve));
    }
    await coordinators.get(path)?.finishClosing();
    return await work();
  })();
  const settled = promise.then(
    () => undefined,
    () => undefined,
  );
  stores.set(path, settled);
  void settled.then(() => {
    if (stores.get(path) === settled) stores.delete(path);
  });
  return promise;
}
