// Everything in this page that belongs to one path: one engine, the Realm instances that share it, its listeners, its session.
import type { AppCore, CoreClass, CoreConfig, CoreSyncConfig, Host, Notice, RealmCore } from "./core.js";
import { core as wasm } from "./core.js";
import { StorageError, syncErrorFrom } from "./errors.js";
import { callSafely, Observations } from "./listeners.js";
import { log } from "./logger.js";
import { NestedMoves } from "./nested-place.js";
import { takeReport } from "./preload.js";
import type { Realm } from "./realm.js";
import type { CanonicalObjectSchema } from "./schema.js";
import { compareSchemas, toCoreSchema } from "./schema-core.js";
import type { SyncHandler } from "./sync-handler.js";
import type { View } from "./view.js";

export interface CoordinatorConfig {
  core: CoreConfig & { sync?: CoreSyncConfig };
  app?: AppCore;
  sync?: SyncHandler;
  onStorageError?: (error: StorageError) => void;
  /** Gives the application its say in a migration; `before` is the realm before it. */
  migrate?: (coordinator: Coordinator, before: RealmCore) => void;
  shouldCompact?: (totalBytes: number, usedBytes: number) => boolean;
}

const MIGRATION_ENDS = "The transaction of a migration ends with the migration.";

export class Coordinator {
  readonly observations = new Observations(
    () => this.core,
    () => this.announce(),
  );
  /** What keeps the engine open. */
  readonly views = new Set<View>();
  /** What uses it while it is open. */
  private readonly guests = new Set<View>();
  /** What was moved within the values of mixed properties. */
  readonly moves = new NestedMoves();
  core!: RealmCore;
  isInTransaction = false;
  /** Whether the application is being given its say in a migration. */
  isInMigration = false;
  /** Whether listeners are about to be called. */
  private isAnnouncing = false;
  /** Whose transaction it is. */
  writer: View | undefined;
  /** Rises whenever objects may have gone. */
  deletions = 0;
  /** Whether whoever opened the realm first has had the chance to fill it. */
  isPopulated = false;
  /** Settles when the engine is closed, once no Realm instance is open any more. */
  closing: Promise<void> | undefined;
  private stopLingering: () => void = () => {};
  private isRevived = false;
  /** Whether it is too late to attach anything. */
  hasEnded = false;
  /** Notices of the engine's own making while it opens. */
  private early: (() => void)[] | undefined = [];

  /** What brings back the classes that the open transaction has deleted. */
  private restore: (() => void)[] = [];

  /** Whether the engine itself only reads, whatever it was opened for later. */
  readonly canOnlyRead: boolean;

  private constructor(public config: CoordinatorConfig) {
    this.canOnlyRead = config.core.readOnly === true;
  }

  get path(): string {
    return this.config.core.path;
  }

  get isInMemory(): boolean {
    return this.config.core.inMemory === true;
  }

  get isReadOnly(): boolean {
    return this.config.core.readOnly === true;
  }

  get sync(): SyncHandler | undefined {
    return this.config.sync;
  }

  /** Opens an engine without waiting: for what is not on disk. */
  static openSync(config: CoordinatorConfig): Coordinator {
    const coordinator = new Coordinator(config);
    const existed = wasm.exists(config.core.path);
    coordinator.core = wasm.RealmCore.openSync(config.core, coordinator.host(), config.app);
    try {
      coordinator.start(existed);
    } catch (error) {
      void coordinator.core.close();
      throw error;
    }
    return coordinator;
  }

  /** Opens a local copy of a realm without waiting. */
  static openCopy(config: CoordinatorConfig, source: RealmCore): Coordinator {
    const coordinator = new Coordinator(config);
    coordinator.core = source.openCopy(config.core, coordinator.host());
    coordinator.start(false);
    return coordinator;
  }

  static async open(config: CoordinatorConfig): Promise<Coordinator> {
    const coordinator = new Coordinator(config);
    const existed = wasm.exists(config.core.path);
    coordinator.core = await wasm.RealmCore.open(config.core, coordinator.host(), config.app);
    try {
      coordinator.start(existed);
    } catch (error) {
      await coordinator.core.close();
      throw error;
    }
    return coordinator;
  }

  /** Opens a local realm that nobody uses any more anew, as if it had been closed in between. */
  reopen(config: CoordinatorConfig): void {
    const before = this.config;
    this.core.readopt(config.core);
    this.config = config;
    try {
      this.prepareEngine(true);
    } catch (error) {
      // What was written before may not be on disk yet: the engine stays for whoever comes next.
      this.config = before;
      throw error;
    }
  }

  /** What the application has a say in before it gets the realm. */
  private prepareEngine(existed: boolean): void {
    this.migrate();
    const { shouldCompact } = this.config;
    if (!shouldCompact || !existed || this.isReadOnly || this.isInMemory) return;
    if (shouldCompact(...this.core.usage())) this.core.compact();
  }

  private migrate(): void {
    const before = this.core.migratingFrom();
    if (!before) return;
    this.isInTransaction = true;
    this.isInMigration = true;
    try {
      this.config.migrate?.(this, before);
      this.core.finishMigration();
    } catch (error) {
      this.core.abortMigration();
      throw error;
    } finally {
      this.isInTransaction = false;
      this.isInMigration = false;
      this.writer = undefined;
    }
  }

  private start(existed: boolean): void {
    this.prepareEngine(existed);
    log("Realm.Storage", "debug", () => `Opened '${this.path}'`);
    this.sync?.start(this);
    const early = this.early ?? [];
    this.early = undefined;
    for (const call of early) call();
    const report = takeReport(this.path);
    if (report) this.storageError(report);
  }

  attach(view: View, isGuest: boolean): void {
    (isGuest ? this.guests : this.views).add(view);
    if (!isGuest) this.isRevived = true;
  }

  detach(view: View): void {
    this.observations.removeView(view);
    this.views.delete(view);
    this.guests.delete(view);
  }

  /**
   * Closes the engine when its last Realm instance is gone: after what was written is durable and, for a synced realm whose
   * policy says so, uploaded. Until then an instance may be attached again.
   */
  release(onClosed: () => void): void {
    if (this.isInTransaction) this.cancel();
    this.isRevived = false;
    const stopped = new Promise<void>((resolve) => {
      this.stopLingering = resolve;
    });
    this.closing = (async () => {
      await this.core.flushed().catch(() => undefined);
      await Promise.race([stopped, this.sync?.lastWords() ?? Promise.resolve()]);
      if (this.isRevived) return;
      this.hasEnded = true;
      for (const guest of [...this.guests]) guest.realm.close();
      this.sync?.stop();
      await this.core.close().catch((error) => this.storageError(error));
      log("Realm.Storage", "debug", () => `Closed '${this.path}'`);
      onClosed();
    })();
  }

  /** Closes an engine that nobody uses and that has nothing to store. */
  leave(): void {
    this.hasEnded = true;
    void this.core.close();
  }

  /** Stops waiting for uploads and gives the end of the closing. */
  async finishClosing(): Promise<void> {
    this.stopLingering();
    await this.closing;
  }

  begin(view: View): void {
    if (this.isInTransaction) throw new Error("The Realm is already in a write transaction");
    this.observations.deliverPending();
    this.core.begin();
    this.moves.begin();
    this.isInTransaction = true;
    this.writer = view;
  }

  commit(): void {
    if (!this.isInTransaction) throw new Error("Can't commit a non-existing write transaction");
    if (this.isInMigration) throw new Error(MIGRATION_ENDS);
    try {
      this.core.commit();
    } catch (error) {
      this.isInTransaction = this.core.inTransaction();
      throw error;
    }
    this.isInTransaction = false;
    this.restore = [];
    log("Realm.Storage.Transaction", "debug", () => `Committed to '${this.path}'`);
    this.announceSoon();
    this.tellRealms((realm) => realm.emit("change"));
  }

  cancel(): void {
    if (!this.isInTransaction) throw new Error("Can't cancel a non-existing write transaction");
    if (this.isInMigration) throw new Error(MIGRATION_ENDS);
    this.deletions += 1;
    this.isInTransaction = false;
    this.core.cancel();
    this.moves.undo();
    log("Realm.Storage.Transaction", "debug", () => `Rolled back a write to '${this.path}'`);
    if (this.restore.length === 0) return;
    for (const restore of this.restore.splice(0).reverse()) restore();
    this.tellRealms((realm) => realm.emit("schema"));
  }

  /** Deletes a class with its objects. Outside a migration every Realm instance loses it at once. */
  deleteClass(name: string): void {
    this.core.deleteClass(name);
    this.deletions += 1;
    if (this.isInMigration) return;
    for (const view of [...this.views, ...this.guests]) if (view.isOpen) this.restore.push(view.leaveOut(name));
    this.tellRealms((realm) => realm.emit("schema"));
  }

  /** Adds classes and properties inside a transaction. Every Realm instance gets them. */
  extendInWrite(classes: CanonicalObjectSchema[]): void {
    const wanted = toCoreSchema(classes);
    const existing = this.core.schema();
    const { breaking, removedProperties } = compareSchemas(existing, wanted);
    const problems = [...breaking, ...removedProperties].map((line) => `- ${line}`);
    if (problems.length > 0) {
      throw new Error(`Migration is required due to the following errors:\n${problems.join("\n")}`);
    }
    this.core.extendSchema(wanted);
    const grown = classes.filter(({ name }, index) => {
      const before = existing.find((declared) => declared.name === name);
      return before?.properties.length !== wanted[index]?.properties.length;
    });
    for (const view of [...this.views, ...this.guests]) if (view.isOpen) this.restore.push(view.takeIn(grown));
    this.tellRealms((realm) => realm.emit("schema"));
  }

  /** Adds classes and properties. */
  extendSchema(classes: CoreClass[], version: number): void {
    this.core.updateSchema(classes, version);
    this.tellRealms((realm) => realm.emit("schema"));
  }

  private tellRealms(tell: (realm: Realm) => void): void {
    for (const view of [...this.views, ...this.guests]) if (view.isOpen) tell(view.realm);
  }

  /** Says that listeners are about to be called, once a turn, whether or not a change concerns any of them. */
  private announceSoon(): void {
    if (this.isAnnouncing) return;
    this.isAnnouncing = true;
    queueMicrotask(() => {
      if (this.isAnnouncing) this.announce();
    });
  }

  private announce(): void {
    this.isAnnouncing = false;
    this.tellRealms((realm) => realm.emit("beforenotify"));
  }

  private notify(notices: Notice[]): void {
    this.deletions += 1;
    const hasChanged = notices.some(({ id }) => id === 0);
    if (hasChanged || this.isAnnouncing) this.announce();
    if (hasChanged) this.tellRealms((realm) => realm.emit("change"));
    for (const notice of notices) if (notice.id !== 0) this.observations.deliver(notice);
  }

  private storageError(report: { message?: string; code?: string }): void {
    const error = new StorageError(report);
    const { onStorageError } = this.config;
    if (onStorageError) callSafely(() => onStorageError(error));
    else log("Realm.Storage", "error", () => `Storage of '${this.path}': ${error.message}`);
  }

  /** What the engine calls. While it opens, calls wait for the coordinator to be whole. */
  private host(): Host {
    const later = (call: () => void) => {
      if (this.early) this.early.push(call);
      else call();
    };
    return {
      notify: (notices) => later(() => this.notify(Array.from(notices))),
      syncError: (report) => later(() => this.sync?.error(syncErrorFrom(report))),
      resetBefore: (before) => this.sync?.before(before),
      resetAfter: (before) => this.sync?.after(before),
      resetProgress: (progress) => later(() => this.sync?.resetProgress(progress)),
      progress: (progress) => later(() => this.sync?.progress(progress)),
      connectionState: (now, before) => later(() => this.sync?.connectionState(now, before)),
      storageError: (report) => later(() => this.storageError(report)),
    };
  }
}
