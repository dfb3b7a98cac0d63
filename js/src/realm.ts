import { assert, assertFunction, assertObject, assertString } from "./assert.js";
import { type Configuration, keyBytes, parseConfiguration } from "./configuration.js";
import type { Coordinator } from "./coordinator.js";
import { createObject, parseUpdateMode } from "./create.js";
import { NotAvailableError, TypeAssertionError } from "./errors.js";
import type { AnyList } from "./list.js";
import { callSafely } from "./listeners.js";
import {
  type LogCategory,
  type LoggerCallback1,
  type LoggerCallback2,
  type LogLevel,
  setLogger,
  setLogLevel,
} from "./logger.js";
import { type AnyRealmObject, RealmObject } from "./object.js";
import { ProgressRealmPromise } from "./open.js";
import { OrderedCollection } from "./ordered-collection.js";
import { engineSync, pathOf, prepare } from "./prepare.js";
import { RealmSeed } from "./realm-seed.js";
import { deleteStore, exists, isThere, openCopy, releaseView, storedSchemaVersion } from "./registry.js";
import type { AnyResults, Results } from "./results.js";
import { makeResults } from "./results-maker.js";
import { SnapshotSource } from "./results-source.js";
import type { CanonicalObjectSchema, Constructor, DefaultObject, ObjectSchema } from "./schema.js";
import { described } from "./schema-core.js";
import { parseClass } from "./schema-parse.js";
import { type AnySet, RealmSet } from "./set.js";
import type { Source } from "./source.js";
import type { SubscriptionSet } from "./subscriptions.js";
import { KEY, MODEL, SOURCE } from "./symbols.js";
import type { SyncSession } from "./sync-session.js";
import type { Unmanaged } from "./unmanaged.js";
import type { UpdateMode } from "./update-mode.js";
import { View } from "./view.js";

export enum RealmEvent {
  Change = "change",
  Schema = "schema",
  BeforeNotify = "beforenotify",
}

export type RealmEventName = "change" | "schema" | "beforenotify";

export type RealmListenerCallback = (realm: Realm, name: RealmEvent, schema?: CanonicalObjectSchema[]) => void;

type Mode = UpdateMode | `${UpdateMode}` | boolean;

/** A database of live objects: in memory for reading and writing, in IndexedDB to stay, and in step with a server if asked. */
export class Realm {
  /** The path of a realm that is opened without one. */
  static defaultPath = "/default.realm";

  /** The sync of this realm, or null for a local one. */
  readonly syncSession: SyncSession | null;
  /** @internal */
  readonly internal: View;
  private readonly realmPath: string;
  private readonly isGuest: boolean;
  private readonly listeners: Record<RealmEventName, Set<RealmListenerCallback>> = {
    change: new Set(),
    schema: new Set(),
    beforenotify: new Set(),
  };

  /**
   * Opens a realm and waits for what that takes: reading the disk, and for a synced realm the server's data. This is how a
   * realm that is on disk is opened.
   */
  static open(arg?: string | Configuration): ProgressRealmPromise {
    return new ProgressRealmPromise(arg);
  }

  /** Whether a realm is on disk. */
  static exists(arg: string | Configuration): boolean {
    return exists(pathOf(parseConfiguration(arg), Realm.defaultPath));
  }

  /** Deletes a realm that is not open. Gone at once for this page; resolves when it is gone from the disk. */
  static deleteFile(arg: string | Configuration): Promise<void> {
    if (typeof arg !== "string") assertObject(arg, "realm configuration");
    return deleteStore(pathOf(parseConfiguration(arg), Realm.defaultPath));
  }

  /** The schema version of the realm at `path`, or -1 if there is none. */
  static schemaVersion(path: string, encryptionKey?: ArrayBuffer | ArrayBufferView): number {
    const config = parseConfiguration({ path, encryptionKey });
    return storedSchemaVersion(pathOf(config, Realm.defaultPath), keyBytes(encryptionKey));
  }

  /**
   * A plain object for a class: each property with a default has it, each required one of a simple type the empty value of
   * that type, the others are left out.
   */
  static createTemplateObject<T extends Record<string, unknown>>(objectSchema: ObjectSchema): T {
    const template: Record<string, unknown> = {};
    for (const [name, property] of Object.entries(parseClass(objectSchema).properties)) {
      const { default: fallback, optional, type } = property;
      const value = fallback === undefined && !optional ? emptyValue(type) : fallback;
      if (value !== undefined) template[name] = value;
    }
    return template as T;
  }

  /** Sets how much Ebbtide says of a category and of those within it: `"warn"` and worse, unless this is called. */
  static setLogLevel(level: LogLevel, category?: LogCategory): void {
    setLogLevel(level, category);
  }

  /** Sets who hears of it: the console, unless this is called. */
  static setLogger(loggerCallback: LoggerCallback2): void;
  /** @deprecated Pass a callback that takes one object. */
  static setLogger(loggerCallback: LoggerCallback1): void;
  static setLogger(loggerCallback: LoggerCallback1 | LoggerCallback2): void {
    setLogger(loggerCallback);
  }

  /** Not for a browser: an application has no bundled files. */
  static copyBundledRealmFiles(): void {
    throw new NotAvailableError("'copyBundledRealmFiles'");
  }

  /**
   * Opens a realm without waiting: one that is open in this page, one in memory, or one that does not exist yet. A realm that
   * is on disk takes `Realm.open`.
   */
  constructor(arg?: string | Configuration);
  /** @internal */
  constructor(seed: RealmSeed);
  constructor(arg?: string | Configuration | RealmSeed) {
    if (arg instanceof RealmSeed) {
      const { what } = arg;
      if ("frozen" in what) {
        this.internal = new View(this, what.frozen, undefined, what.schema, true);
        this.realmPath = what.path;
        this.isGuest = true;
        this.syncSession = null;
        return;
      }
      this.isGuest = what.isGuest ?? false;
      this.internal = this.attach(what.coordinator, what.schema, what.isReadOnly ?? false);
      this.realmPath = what.coordinator.path;
    } else {
      const prepared = prepare(parseConfiguration(arg), Realm.defaultPath);
      const existed = isThere(prepared.path);
      const coordinator = engineSync(prepared);
      this.isGuest = false;
      this.internal = this.attach(coordinator, prepared.schema, prepared.config.readOnly ?? false);
      this.realmPath = coordinator.path;
      this.syncSession = coordinator.sync?.session ?? null;
      if (existed) return;
      try {
        this.populate(prepared.config.onFirstOpen);
      } catch (error) {
        this.closeInstance();
        throw error;
      }
      return;
    }
    this.syncSession = this.internal.coordinator?.sync?.session ?? null;
  }

  /** @internal Lets the application fill a realm that did not exist, once, whoever opens it at the same time. */
  populate(onFirstOpen: ((realm: Realm) => void) | undefined): void {
    const { coordinator } = this.internal;
    if (!coordinator || coordinator.isPopulated) return;
    coordinator.isPopulated = true;
    if (onFirstOpen) this.write(() => onFirstOpen(this));
  }

  private attach(coordinator: Coordinator, schema: CanonicalObjectSchema[] | undefined, isReadOnly: boolean): View {
    const view = new View(this, coordinator.core, coordinator, schema, isReadOnly);
    coordinator.attach(view, this.isGuest);
    return view;
  }

  /** Where the realm is. */
  get path(): string {
    return this.realmPath;
  }

  /** The classes of this realm in full. */
  get schema(): CanonicalObjectSchema[] {
    return described(this.internal.schema);
  }

  /** The version of its schema. */
  get schemaVersion(): number {
    return this.internal.core.schemaVersion();
  }

  /** Whether it is in memory only. */
  get isInMemory(): boolean {
    return this.internal.coordinator?.isInMemory ?? false;
  }

  /** Whether it was opened for reading only. */
  get isReadOnly(): boolean {
    return this.internal.isReadOnly;
  }

  /** Whether it is closed. */
  get isClosed(): boolean {
    return !this.internal.isOpen;
  }

  /** Whether this is a realm as it was at one moment, such as `before` in a client reset. */
  get isFrozen(): boolean {
    return this.internal.coordinator === undefined;
  }

  /** Whether a write transaction is under way. */
  get isInTransaction(): boolean {
    return this.internal.isOpen && (this.internal.coordinator?.isInTransaction ?? false);
  }

  /** Whether this is the new realm of a migration, whose callback is running. */
  get isInMigration(): boolean {
    return this.internal.isOpen && (this.internal.coordinator?.isInMigration ?? false);
  }

  /** Whether there is no object in it. */
  get isEmpty(): boolean {
    this.internal.assertOpen();
    return [...this.internal.byName.values()].every(({ index }) => this.internal.core.count(index) === 0);
  }

  /** Flexible sync: not available yet. */
  get subscriptions(): SubscriptionSet {
    const only = "`subscriptions` can only be accessed if flexible sync is enabled, but";
    assert(
      this.syncSession,
      `${only} sync is currently disabled for your app. Add a flexible sync config when opening the Realm, for example: { sync: { user, flexible: true } }.`,
    );
    throw new NotAvailableError("Flexible sync");
  }

  /**
   * Closes the realm, with all instances of its path in this page: their objects, collections and listeners end. Harmless if closed
   * already.
   */
  close(): void {
    const { coordinator, isOpen } = this.internal;
    if (!isOpen) return;
    // The others go first, so that the engine ends with this one.
    const others = coordinator && !this.isGuest ? [...coordinator.views] : [];
    for (const view of others) if (view !== this.internal) view.realm.closeInstance();
    this.closeInstance();
  }

  /** @internal Closes this instance alone. */
  closeInstance(): void {
    if (!this.internal.isOpen) return;
    const { coordinator } = this.internal;
    const isWriting = coordinator?.isInTransaction && coordinator.writer === this.internal;
    if (isWriting && !coordinator.isInMigration) coordinator.cancel();
    for (const listeners of Object.values(this.listeners)) listeners.clear();
    this.internal.isOpen = false;
    if (!coordinator) void this.internal.core.close();
    else if (this.isGuest) coordinator.detach(this.internal);
    else releaseView(coordinator, this.internal);
  }

  /** Ebbtide's own: resolves when everything committed so far is on disk; rejects when it cannot be. */
  waitForDurable(): Promise<void> {
    this.internal.assertOpen();
    return this.internal.coordinator ? this.internal.core.flushed() : Promise.resolve();
  }

  /**
   * Creates an object, with the objects that `values` has in it, or updates the one with the same primary key if `mode` says
   * so. What does not fit throws and leaves nothing behind.
   */
  create<T = DefaultObject>(type: string, values: Partial<T> | Partial<Unmanaged<T>>, mode?: Mode): RealmObject<T> & T;
  create<T extends AnyRealmObject>(type: Constructor<T>, values: Partial<T> | Partial<Unmanaged<T>>, mode?: Mode): T;
  create(type: unknown, values: unknown, mode?: Mode): unknown {
    this.internal.assertOpen();
    const updateMode = parseUpdateMode(mode);
    if (values instanceof RealmObject && values[MODEL] === undefined) {
      throw new Error("Cannot create an object from a detached RealmObject instance");
    }
    const model = this.internal.model(type);
    this.internal.assertWritable();
    if (model.schema.embedded) {
      throw new Error(`Explicit creation of embedded object not allowed in: class_${model.name}`);
    }
    return model.wrap(createObject(model, values, updateMode));
  }

  /** Deletes an object, or every object of a collection, array or other iterable. */
  delete(subject: AnyRealmObject | AnyList | AnySet | AnyResults | Iterable<AnyRealmObject>): void {
    this.internal.assertOpen();
    this.internal.assertWritable("Can only delete objects within a transaction.");
    if (typeof subject !== "object" || subject === null) throw new TypeAssertionError("an object", subject, "subject");
    // A managed object is known by its class: `instanceof` is slow for a proxy.
    if ((subject as RealmObject<unknown>)[MODEL] !== undefined || subject instanceof RealmObject) {
      this.deleteObject(subject as RealmObject<unknown>);
      return;
    }
    if (subject instanceof OrderedCollection && subject.type !== "object") {
      if ("pop" in subject) (subject as AnyList).splice(0, subject.length);
      else if (subject instanceof RealmSet) subject.clear();
      return;
    }
    if (subject instanceof OrderedCollection && this.deleteElements(subject[SOURCE])) return;
    if (!(Symbol.iterator in subject)) throw new Error("Can only delete objects, lists and results.");
    const objects = Array.from(subject as Iterable<unknown>, (object) => {
      if (!(object instanceof RealmObject)) throw new TypeAssertionError("an instance of Realm.Object", object);
      this.assertDeletable(object);
      return object as RealmObject<unknown>;
    });
    // An object may be named twice, or have gone with one before it.
    for (const object of objects) if (object.isValid()) this.deleteObject(object);
  }

  /** Deletes the objects of a collection by their keys; false, with nothing done, if they need more care. */
  private deleteElements(source: Source): boolean {
    const { model } = source.element;
    // A snapshot may have objects that are gone.
    if (!model || model.view.core !== this.internal.core || source instanceof SnapshotSource) return false;
    this.internal.deleteAll(model.index, Float64Array.from(source.raw() as Float64Array));
    return true;
  }

  private deleteObject(object: RealmObject<unknown>): void {
    const model = object[MODEL];
    const { view } = model ?? {};
    if (view?.isOpen && view.core === this.internal.core && view.remove(model.index, object[KEY])) return;
    this.assertDeletable(object);
    this.internal.delete(model.index, object[KEY]);
  }

  private assertDeletable(object: RealmObject<unknown>): void {
    assert(object[MODEL]?.view.core === this.internal.core, "Can't delete an object from another Realm");
    assert(
      object.isValid(),
      "Object is invalid. Either it has been previously deleted or the Realm it belongs to has been closed.",
    );
  }

  /** Deletes every object of this realm's classes. */
  deleteAll(): void {
    this.internal.assertOpen();
    this.internal.assertWritable("Can only delete objects within a transaction.");
    for (const { index, schema } of this.internal.byName.values()) {
      // Embedded objects go with those that they belong to.
      if (schema.embedded) continue;
      this.internal.deleteAll(index, this.internal.core.query(index, "TRUEPREDICATE", []).keys());
    }
  }

  /**
   * Deletes a class of a local realm with all its objects. Outside a migration every instance loses it and `schemaVersion`
   * rises by one, both only if the transaction is committed.
   */
  deleteModel(name: string): void {
    this.internal.assertOpen();
    this.internal.assertWritable("Can only delete objects within a transaction.");
    assertString(name, "name");
    this.internal.coordinator?.deleteClass(name);
  }

  /** The object with this primary key, or null. */
  objectForPrimaryKey<T = DefaultObject>(type: string, primaryKey: T[keyof T]): (RealmObject<T> & T) | null;
  objectForPrimaryKey<T extends AnyRealmObject>(type: Constructor<T>, primaryKey: T[keyof T]): T | null;
  objectForPrimaryKey(type: unknown, primaryKey: unknown): unknown {
    this.internal.assertOpen();
    const model = this.internal.model(type);
    if (!model.primaryKey) throw new Error(`Expected a primary key on '${model.name}'`);
    const key = model.find(model.primaryKey, primaryKey);
    return key > 0 ? model.wrap(key) : null;
  }

  /** @deprecated The object whose `_objectKey()` this is: use a primary key of your own. */
  _objectForObjectKey<T extends AnyRealmObject>(type: Constructor<T>, objectKey: string): T | undefined {
    this.internal.assertOpen();
    assertString(objectKey);
    if (!/^-?\d+$/.test(objectKey)) throw new TypeAssertionError("a numeric string", objectKey);
    const model = this.internal.model(type);
    if (model.schema.embedded) throw new Error("You cannot query an embedded object.");
    const key = Number(objectKey);
    return Number.isSafeInteger(key) && key > 0 && model.isValid(key) ? (model.wrap(key) as unknown as T) : undefined;
  }

  /** All objects of a class, live. */
  objects<T = DefaultObject>(type: string): Results<RealmObject<T> & T>;
  objects<T extends AnyRealmObject>(type: Constructor<T>): Results<T>;
  objects(type: unknown): Results<unknown> {
    this.internal.assertOpen();
    const model = this.internal.model(type);
    if (model.schema.embedded) throw new Error("You cannot query an embedded object.");
    const query = this.internal.core.query(model.index, "TRUEPREDICATE", []);
    return makeResults(this.internal, { model, kind: "link", optional: false }, query, "");
  }

  /**
   * Runs `callback` in a write transaction and gives what it returns. If it throws, nothing of what it wrote stays, and the
   * error goes on.
   */
  write<T>(callback: () => T): T {
    if (typeof callback !== "function") throw new TypeError("callback is not a function");
    this.beginTransaction();
    try {
      const result = callback();
      this.commitTransaction();
      return result;
    } catch (error) {
      if (this.isInTransaction) this.cancelTransaction();
      throw error;
    }
  }

  /** Begins a write transaction; `write` is the safer way. */
  beginTransaction(): void {
    const { coordinator, isReadOnly } = this.internal;
    this.internal.assertOpen();
    if (isReadOnly || !coordinator) throw new Error("Can't perform transactions on read-only Realms.");
    coordinator.begin(this.internal);
  }

  /** Ends the transaction, and keeps what it did. */
  commitTransaction(): void {
    this.internal.assertOpen();
    assert(this.internal.coordinator, "Can't commit a non-existing write transaction");
    this.internal.coordinator.commit();
  }

  /** Ends the transaction, and takes back what it did. */
  cancelTransaction(): void {
    this.internal.assertOpen();
    assert(this.internal.coordinator, "Can't cancel a non-existing write transaction");
    this.internal.coordinator.cancel();
  }

  /** Has everything in the store written anew, without what is no longer used. */
  compact(): boolean {
    this.internal.assertOpen();
    assert(!this.isInTransaction, "Cannot compact a Realm within a transaction.");
    assert(!this.isReadOnly, "Can't compact a read-only Realm");
    this.internal.core.compact();
    return true;
  }

  /**
   * Writes this realm as it is now to the path of another configuration, which must be free; its `encryptionKey` may be
   * another. The copy can be opened at once; resolves when it is on disk.
   */
  writeCopyTo(config: Configuration): Promise<void> {
    this.internal.assertOpen();
    assert(!this.isInTransaction, "Can only convert Realms outside a transaction.");
    assertObject(config, "realm configuration");
    return openCopy(this.internal.core, prepare(parseConfiguration(config), Realm.defaultPath).coordinator);
  }

  /**
   * Calls `callback(realm, eventName)` for each event: `"change"` at the end of every transaction and when changes arrive,
   * `"beforenotify"` before other listeners are called, `"schema"` with the schema as a third argument. A callback that is
   * added twice is called once.
   */
  addListener(eventName: RealmEventName, callback: RealmListenerCallback): void {
    this.internal.assertOpen();
    assertFunction(callback);
    if (!Object.hasOwn(this.listeners, eventName)) {
      throw new Error(`Unknown event name '${eventName}': only 'change', 'schema' and 'beforenotify' are supported.`);
    }
    this.listeners[eventName].add(callback);
  }

  /** Ends the calls of a callback for an event. */
  removeListener(eventName: RealmEventName, callback: RealmListenerCallback): void {
    this.internal.assertOpen();
    assertFunction(callback);
    this.listenersOf(eventName).delete(callback);
  }

  /** Ends the calls of all callbacks, or of those for one event. */
  removeAllListeners(eventName?: RealmEventName): void {
    this.internal.assertOpen();
    if (eventName !== undefined) assertString(eventName, "eventName");
    const names = eventName === undefined ? (Object.keys(this.listeners) as RealmEventName[]) : [eventName];
    for (const name of names) this.listenersOf(name).clear();
  }

  private listenersOf(eventName: RealmEventName): Set<RealmListenerCallback> {
    if (!Object.hasOwn(this.listeners, eventName)) {
      throw new TypeAssertionError("One of change, schema, beforenotify", eventName);
    }
    return this.listeners[eventName];
  }

  /** @internal */
  emit(eventName: RealmEventName): void {
    const listeners = this.listeners[eventName];
    if (listeners.size === 0) return;
    for (const listener of [...listeners]) {
      if (!this.internal.isOpen) return;
      if (eventName === "schema") callSafely(() => listener(this, RealmEvent.Schema, this.schema));
      else callSafely(() => listener(this, eventName as RealmEvent));
    }
  }
}

/** What a required property of a type begins as; types without such a value have none. */
function emptyValue(type: string): unknown {
  switch (type) {
    case "bool":
      return false;
    case "int":
    case "float":
    case "double":
      return 0;
    case "string":
      return "";
    case "data":
      return new ArrayBuffer(0);
    case "date":
      return new Date(0);
    default:
      return undefined;
  }
}
