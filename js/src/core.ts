// The boundary to the wasm: what is used of it, typed. Nothing else imports pkg/.
import initialise, * as wasm from "../../pkg/ebbtide.js";
import { preload } from "./preload.js";

/** A property as the engine sees it. */
export interface CoreProperty {
  name: string;
  type:
    | "bool"
    | "int"
    | "float"
    | "double"
    | "decimal128"
    | "string"
    | "data"
    | "date"
    | "objectId"
    | "uuid"
    | "link"
    | "mixed";
  collection?: "list" | "set" | "dictionary";
  optional: boolean;
  objectType?: string;
  indexed?: "none" | "general" | "fullText";
}

/** A class as the engine sees it; its position in `schema()` is its index, a property's position its column. */
export interface CoreClass {
  name: string;
  primaryKey?: string;
  embedded?: boolean;
  properties: CoreProperty[];
}

export interface CoreSyncConfig {
  userId: string;
  realm: string;
  resetMode: "manual" | "discardUnsyncedChanges";
}

export interface CoreConfig {
  path: string;
  schema?: CoreClass[];
  schemaVersion?: number;
  migration?: "automatic" | "callback" | "startOver";
  /** Whether what is stored is to be deleted first. */
  replace?: boolean;
  resolveEmbeddedConstraints?: boolean;
  encryptionKey?: Uint8Array;
  readOnly?: boolean;
  inMemory?: boolean;
  sync?: CoreSyncConfig;
}

/** What one observation learned in one turn, empty parts left out; `id` 0 says that the realm as a whole changed. */
export interface Notice {
  id: number;
  deleted?: boolean;
  insertions?: Uint32Array;
  deletions?: Uint32Array;
  oldModifications?: Uint32Array;
  newModifications?: Uint32Array;
  deletedKeys?: string[];
  insertedKeys?: string[];
  modifiedKeys?: string[];
  changedColumns?: Iterable<number>;
  /** Positions of key paths, of those that the observation is limited to. */
  changedPaths?: Iterable<number>;
}

export interface CoreSyncError {
  name: string;
  message: string;
  code: number;
  wireCode?: number;
  isFatal?: boolean;
  userInfo?: Record<string, string>;
  cause?: string;
}

export interface CoreResetProgress {
  phase: string;
  cause?: string;
  code?: number;
  message?: string;
  durationsMs?: Record<string, number>;
  stagedBytes?: number;
  totalBytes?: number;
  report?: unknown;
}

export interface CoreProgress {
  direction: "upload" | "download";
  transferred: number;
  transferable: number;
}

/** What the engine calls; never while it holds a borrow, so these may call back. */
export interface Host {
  notify(notices: Notice[]): void;
  syncError(error: CoreSyncError): void;
  resetBefore(before: RealmCore): void | Promise<void>;
  resetAfter(before: RealmCore): void | Promise<void>;
  resetProgress(progress: CoreResetProgress): void;
  progress(progress: CoreProgress): void;
  connectionState(newState: string, oldState: string): void;
  storageError(error: { message?: string; code?: string }): void;
}

/** One value as it crosses the boundary. */
export type CoreValue = null | undefined | boolean | number | bigint | string | Uint8Array | Date | CoreMixed;

/** A value of a mixed that no JavaScript primitive stands for. */
export type CoreMixed =
  | { objectId: Uint8Array }
  | { uuid: Uint8Array }
  | { decimal128: Uint8Array }
  | { link: [cls: number, key: number] }
  | { map: Record<string, CoreValue> }
  | CoreValue[];

/** A further name of a property, or that of the links to a class's objects by a property of another class. */
export type CoreName =
  | [cls: number, name: string, column: number]
  | [cls: number, name: string, from: number, column: number];

/** What lies where in a mixed: a position in a list or a name in a dictionary, one a level. */
export type CorePath = (number | string)[];

/** One engine for one path in this page. */
export interface RealmCore {
  readonly path: string;
  schema(): CoreClass[];
  /** What else properties are called in queries: a property's own name, or that of links the other way round. */
  setNames(names: CoreName[]): void;
  schemaVersion(): number;
  updateSchema(classes: CoreClass[], version: number): void;
  /** Opens a local realm that nobody uses any more anew, as if it had been closed in between. */
  readopt(config: CoreConfig): void;
  /** The realm before the migration that is under way. */
  migratingFrom(): RealmCore | undefined;
  finishMigration(): void;
  abortMigration(): void;
  deleteClass(name: string): void;
  /** Bytes of the store, and bytes that it would have after compaction. */
  usage(): [number, number];
  compact(): void;
  openCopy(config: CoreConfig, host: Host): RealmCore;
  writeCopy(config: CoreConfig): Promise<void>;
  begin(): void;
  commit(): void;
  cancel(): void;
  inTransaction(): boolean;
  version(): number;
  create(cls: number, primaryKey: CoreValue): number;
  /** Creates an object of the first `bytes` bytes of the scratch memory. */
  createPacked(cls: number, bytes: number): number;
  /** Where the values of a class's first columns lie, as src/api/directory.rs describes it; undefined if the realm is closed. */
  directory(cls: number, columns: number): Uint32Array<ArrayBuffer> | undefined;
  /** Where a string is: address times 256 plus length; -1 for null, -2 if it is too long for that. */
  stringAt(cls: number, key: number, column: number): number;
  find(cls: number, primaryKey: CoreValue): number;
  /** The same for an int; NaN if `find` would throw. */
  findInt(cls: number, primaryKey: number): number;
  delete(cls: number, key: number): void;
  /** Deletes an object; false, with nothing done, if it is not there or `delete` has something else to complain about. */
  remove(cls: number, key: number): boolean;
  /** Deletes objects, passing over those that are gone; how many keys were done before one that `delete` would complain about. */
  removeAll(cls: number, keys: Float64Array): number;
  set(cls: number, key: number, column: number, value: CoreValue): void;
  /** Sets a property to a number; false, with nothing done, if `set` has something to complain about. */
  setNumber(cls: number, key: number, column: number, value: number): boolean;
  setDefault(cls: number, key: number, column: number, value: CoreValue): void;
  get(cls: number, key: number, column: number): unknown;
  /** A number, date or link, without the cost of an object; undefined for null. Ints are rounded to doubles. */
  getNumber(cls: number, key: number, column: number): number | undefined;
  /** What a mixed holds, as a schema names types; `<Dog>` for a link. */
  mixedType(cls: number, key: number, column: number): string;
  increment(cls: number, key: number, column: number, by: number | bigint): void;
  /** Sets a mark, which `release` forgets and `rewind` goes back to. Marks nest. */
  mark(): void;
  release(): void;
  rewind(): void;
  /** Creates an embedded object in its place and gives its key. */
  embed(cls: number, key: number, column: number): number;
  embedInsert(cls: number, key: number, column: number, index: number): number;
  embedReplace(cls: number, key: number, column: number, index: number): number;
  embedEntry(cls: number, key: number, column: number, name: string): number;
  backlinks(cls: number, key: number, fromClass: number, fromColumn: number): QueryCore;
  backlinkCount(cls: number, key: number): number;
  isValid(cls: number, key: number): boolean;
  count(cls: number): number;
  keyAt(cls: number, index: number): number;
  listLength(cls: number, key: number, column: number): number;
  listGet(cls: number, key: number, column: number, index: number): unknown;
  listSet(cls: number, key: number, column: number, index: number, value: CoreValue): void;
  listInsert(cls: number, key: number, column: number, index: number, value: CoreValue): void;
  listRemove(cls: number, key: number, column: number, index: number): void;
  listMove(cls: number, key: number, column: number, from: number, to: number): void;
  listClear(cls: number, key: number, column: number): void;
  listValues(cls: number, key: number, column: number): unknown[];
  setLength(cls: number, key: number, column: number): number;
  setAt(cls: number, key: number, column: number, index: number): unknown;
  setValues(cls: number, key: number, column: number): unknown[];
  setFind(cls: number, key: number, column: number, value: CoreValue): number;
  setAdd(cls: number, key: number, column: number, value: CoreValue): boolean;
  setRemove(cls: number, key: number, column: number, value: CoreValue): boolean;
  setClear(cls: number, key: number, column: number): void;
  setQuery(cls: number, key: number, column: number, text: string | undefined, args: unknown[] | undefined): QueryCore;
  dictionaryLength(cls: number, key: number, column: number): number;
  dictionaryGet(cls: number, key: number, column: number, name: string): unknown;
  dictionaryKeys(cls: number, key: number, column: number): string[];
  dictionaryValues(cls: number, key: number, column: number): unknown[];
  dictionarySet(cls: number, key: number, column: number, name: string, value: CoreValue): void;
  dictionaryRemove(cls: number, key: number, column: number, name: string): boolean;
  dictionaryClear(cls: number, key: number, column: number): void;
  nestedGet(cls: number, key: number, column: number, path: CorePath): unknown;
  nestedLength(cls: number, key: number, column: number, path: CorePath): number;
  isNestedDictionary(cls: number, key: number, column: number, path: CorePath): boolean;
  nestedKeys(cls: number, key: number, column: number, path: CorePath): string[] | undefined;
  nestedSet(cls: number, key: number, column: number, path: CorePath, at: number | string, value: CoreValue): void;
  nestedInsert(cls: number, key: number, column: number, path: CorePath, index: number, value: CoreValue): void;
  nestedRemove(cls: number, key: number, column: number, path: CorePath, at: number | string): void;
  nestedMove(cls: number, key: number, column: number, path: CorePath, from: number, to: number): void;
  nestedClear(cls: number, key: number, column: number, path: CorePath): void;
  nestedQuery(
    cls: number,
    key: number,
    column: number,
    path: CorePath,
    text: string | undefined,
    args: unknown[] | undefined,
  ): QueryCore;
  query(cls: number, text: string, args: unknown[]): QueryCore;
  listQuery(cls: number, key: number, column: number, text: string | undefined, args: unknown[] | undefined): QueryCore;
  frozen(): RealmCore;
  observeQuery(query: QueryCore): number;
  observeObject(cls: number, key: number): number;
  /** Watches a list, a set or a dictionary. */
  observeCollection(cls: number, key: number, column: number): number;
  /** Watches a list or dictionary inside a mixed. */
  observeNested(cls: number, key: number, column: number, path: (number | string)[]): number;
  /** Limits an observation to key paths, of four numbers a step; null stands for any change. */
  limitObservation(id: number, keyPaths: (Uint32Array | null)[] | undefined): void;
  unobserve(id: number): void;
  flushed(): Promise<void>;
  close(): Promise<void>;
  session(): SessionCore | undefined;
}

/** A live query. */
export interface QueryCore {
  length(): number;
  keyAt(index: number): number;
  indexOf(key: number): number;
  keys(): Float64Array;
  valueAt(index: number): unknown;
  values(): unknown[];
  /** Where the value at `index` lies in the list that the query is over. */
  positionAt(index: number): number;
  filter(text: string, args: unknown[]): QueryCore;
  sort(keys: [string, boolean][]): QueryCore;
  description(): string;
  min(column: number): unknown;
  max(column: number): unknown;
  sum(column: number): unknown;
  avg(column: number): unknown;
}

/** The sync session of a realm. */
export interface SessionCore {
  state(): "active" | "inactive";
  connectionState(): "disconnected" | "connecting" | "connected";
  /** Whether this tab is the one that speaks to the server. */
  leads(): boolean;
  pause(): void;
  resume(): void;
  reconnect(): void;
  waitForUpload(timeoutMs?: number): Promise<void>;
  waitForDownload(timeoutMs?: number): Promise<void>;
  progress(): { uploaded: number; uploadable: number; downloaded: number; downloadable: number };
  clientId(): string;
  simulateError(code: number, message: string, isFatal: boolean): void;
}

export interface CoreUserInfo {
  id: string;
  accessToken?: string | null;
  refreshToken?: string | null;
  providerType?: string;
  deviceId?: string | null;
  isLoggedIn?: boolean;
  state?: string;
}

/** The engine's view of an app. */
export interface AppCore {
  logIn(credentials: unknown): Promise<CoreUserInfo>;
  users(): CoreUserInfo[];
  currentUser(): CoreUserInfo | null | undefined;
  logOut(userId: string): Promise<void> | void;
  switchUser(userId: string): Promise<void>;
  setOffline(offline: boolean): void;
  connectionState(): string;
}

export interface BackupInfo {
  /** Opens with `Realm.open({ path, readOnly: true })`. */
  path: string;
  /** The realm that it was made of. */
  originalPath?: string;
  createdAt?: Date;
  sizeBytes?: number;
}

export interface CoreModule {
  RealmCore: {
    open(config: CoreConfig, host: Host, app?: AppCore): Promise<RealmCore>;
    openSync(config: CoreConfig, host: Host, app?: AppCore): RealmCore;
  };
  AppCore: new (id: string, baseUrl: string) => AppCore;
  /** The address of so many bytes of the module's memory that may be written to. */
  scratch(bytes: number): number;
  /** The address of a count that rises whenever values may have changed or moved. */
  generationAddress(): number;
  loadCatalogue(): Promise<void>;
  exists(path: string): boolean;
  deleteRealm(path: string): Promise<void>;
  storedSchemaVersion(path: string, encryptionKey?: Uint8Array): number;
  initiateClientReset(path: string): Promise<string>;
  /** Whether a store waits for its backup, from this or an earlier visit. */
  hasFileAction?(path: string): boolean;
  listBackups(): Promise<BackupInfo[]>;
}

/** The wasm module. */
export const core = wasm as unknown as CoreModule;

let memory: WebAssembly.Memory;

/** The module's memory. Its buffer is another one after it has grown. */
export function moduleMemory(): WebAssembly.Memory {
  return memory;
}

let loading: Promise<void> | undefined;
let failure: unknown;
let isLoaded = false;

/**
 * Loads the engine and the catalogue of realms. Importing the package does this; a further call waits for it, and throws
 * when it failed. Without a catalogue (no IndexedDB, or none that works) realms in memory can be used all the same.
 */
export function init(): Promise<void> {
  loading ??= load();
  return loading;
}

async function load(): Promise<void> {
  try {
    memory = (await initialise()).memory;
    isLoaded = true;
    await core.loadCatalogue();
    await preload(core);
  } catch (error) {
    failure = error;
    throw error;
  }
}

/** Throws unless the engine is loaded. */
export function assertReady(): void {
  if (isLoaded) return;
  if (failure !== undefined) throw new Error(`Ebbtide could not start: ${messageOf(failure)}`, { cause: failure });
  throw new Error("Ebbtide is still loading: await init() first.");
}

/** The `code` of an error that the engine threw. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
