import { assertFunction } from "./assert.js";
import { parseConfiguration } from "./configuration.js";
import { assertReady, init } from "./core.js";
import { TimeoutError } from "./errors.js";
import { engine, type Prepared, prepare } from "./prepare.js";
import { Realm } from "./realm.js";
import { RealmSeed } from "./realm-seed.js";
import { isThere, releaseUnused } from "./registry.js";
import { Sync } from "./sync.js";
import {
  type OpenRealmBehaviorConfiguration,
  OpenRealmBehaviorType,
  OpenRealmTimeOutBehavior,
  type SyncConfiguration,
} from "./sync-configuration.js";
import { type ProgressNotificationCallback, reportProgress, TIMER_MS_MAX } from "./sync-session.js";

/** Openings under way, by path: cancelling one cancels all of that path. */
const pending = new Map<string, Set<ProgressRealmPromise>>();

/** The promise of a realm, with the progress of its download. */
export class ProgressRealmPromise implements Promise<Realm> {
  private readonly promise: Promise<Realm>;
  private listeners: ProgressNotificationCallback[] = [];
  private path = "";
  private reject!: (error: unknown) => void;
  private isSettled = false;

  /** @internal */
  constructor(arg: unknown) {
    const cancelled = new Promise<never>((_, reject) => {
      this.reject = reject;
    });
    this.promise = Promise.race([cancelled, this.open(arg)]).finally(() => {
      this.isSettled = true;
      pending.get(this.path)?.delete(this);
    });
  }

  /** As of a promise. */
  // biome-ignore lint/suspicious/noThenProperty: this is a promise
  get then(): Promise<Realm>["then"] {
    return this.promise.then.bind(this.promise);
  }

  /** As of a promise. */
  get catch(): Promise<Realm>["catch"] {
    return this.promise.catch.bind(this.promise);
  }

  /** As of a promise. */
  get finally(): Promise<Realm>["finally"] {
    return this.promise.finally.bind(this.promise);
  }

  get [Symbol.toStringTag](): string {
    return "ProgressRealmPromise";
  }

  /** Gives up opening, for every pending opening of the same realm. */
  cancel(): void {
    for (const promise of new Set([this, ...(pending.get(this.path) ?? [])])) {
      promise.listeners = [];
      promise.reject(new Error("Async open canceled"));
    }
  }

  /** Calls `callback` with the progress of the download. */
  progress(callback: ProgressNotificationCallback): this {
    assertFunction(callback, "callback");
    this.listeners.push(callback);
    reportProgress(callback, 0, 0);
    return this;
  }

  private async open(arg: unknown): Promise<Realm> {
    await init().catch(assertReady);
    const prepared = prepare(parseConfiguration(arg), Realm.defaultPath);
    const { config, path } = prepared;
    this.path = path;
    const promises = pending.get(path) ?? new Set();
    pending.set(path, promises.add(this));
    const existed = isThere(path);
    const realm = await this.openEngine(prepared);
    realm.internal.isOpening = true;
    try {
      if (this.isSettled) throw new Error("Async open canceled");
      if (config.sync) await this.download(realm, config.sync, existed);
      realm.internal.isOpening = false;
    } catch (error) {
      realm.closeInstance();
      throw error;
    }
    try {
      if (!existed) realm.populate(config.onFirstOpen);
    } catch (error) {
      await realm.abandon().catch(() => undefined);
      throw error;
    }
    return realm;
  }

  private async openEngine(prepared: Prepared): Promise<Realm> {
    const coordinator = await engine(prepared);
    try {
      const { schema, config } = prepared;
      return new Realm(new RealmSeed({ coordinator, schema, isReadOnly: config.readOnly ?? false }));
    } catch (error) {
      releaseUnused(coordinator);
      throw error;
    }
  }

  /** Waits for the server's data, as the configuration says. */
  private async download(realm: Realm, sync: SyncConfiguration, existed: boolean): Promise<void> {
    const behavior: OpenRealmBehaviorConfiguration =
      (existed ? sync.existingRealmFileBehavior : sync.newRealmFileBehavior) ?? Sync.downloadBeforeOpenBehavior;
    const handler = realm.internal.coordinator?.sync;
    if (behavior.type === OpenRealmBehaviorType.OpenImmediately || !handler) return;
    const { timeOut, timeOutBehavior } = behavior;
    let stopListening = () => {};
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stopReporting = handler.onProgress(({ direction, transferred, transferable }) => {
      if (direction !== "download") return;
      for (const listener of this.listeners) reportProgress(listener, transferred, transferable);
    });
    const failed = new Promise<never>((_, reject) => {
      stopListening = handler.onFatal(reject);
      this.rejectWhenCancelled(reject);
    });
    const timedOut = new Promise<void>((resolve, reject) => {
      if (timeOut === undefined) return;
      const message = `Timed out: Realm could not be downloaded in the allocated time: ${timeOut} ms.`;
      const isLocalEnough = timeOutBehavior === OpenRealmTimeOutBehavior.OpenLocalRealm;
      timer = setTimeout(
        () => (isLocalEnough ? resolve() : reject(new TimeoutError(message))),
        Math.min(timeOut, TIMER_MS_MAX),
      );
    });
    try {
      await Promise.race([handler.session.downloadAllServerChanges(), failed, timedOut]);
    } finally {
      clearTimeout(timer);
      stopListening();
      stopReporting();
    }
  }

  private rejectWhenCancelled(reject: (error: unknown) => void): void {
    const { reject: rejectAll } = this;
    this.reject = (error) => {
      reject(error);
      rejectAll(error);
    };
  }
}
