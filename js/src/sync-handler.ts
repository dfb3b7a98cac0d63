// What the engine tells of a realm's sync, handed to the callbacks of its configuration.
import type { Coordinator } from "./coordinator.js";
import type { CoreProgress, CoreResetProgress, RealmCore } from "./core.js";
import { ClientResetError, type SyncError } from "./errors.js";
import { callSafely } from "./listeners.js";
import { log } from "./logger.js";
import { Realm } from "./realm.js";
import { RealmSeed } from "./realm-seed.js";
import type { CanonicalObjectSchema } from "./schema.js";
import {
  ClientResetMode,
  type ClientResetOptions,
  type PartitionSyncConfiguration,
  SessionStopPolicy,
} from "./sync-configuration.js";
import { ConnectionState, SyncSession } from "./sync-session.js";

/** Paths whose reset the application has to finish. */
const awaitingReset = new Set<string>();

export function isAwaitingReset(path: string): boolean {
  return awaitingReset.has(path);
}

export function resetIsFinished(path: string): void {
  awaitingReset.delete(path);
}

type FatalListener = (error: SyncError) => void;
type ProgressListener = (progress: CoreProgress) => void;

export class SyncHandler {
  session!: SyncSession;
  private coordinator!: Coordinator;
  private readonly fatalListeners = new Set<FatalListener>();
  private readonly progressListeners = new Set<ProgressListener>();

  constructor(
    readonly config: PartitionSyncConfiguration,
    /** The classes as the application declared them, for the realms that its callbacks get. */
    private readonly schema: CanonicalObjectSchema[] | undefined,
  ) {}

  start(coordinator: Coordinator): void {
    this.coordinator = coordinator;
    this.session = new SyncSession(coordinator, this.config);
  }

  stop(): void {
    this.session.invalidate();
  }

  /**
   * Resolves when the session may end, as the stop policy says. Without a connection nobody is waited for: what is not
   * uploaded is on disk, and the realm is free for another page.
   */
  async lastWords(): Promise<void> {
    const policy = this.config._sessionStopPolicy ?? SessionStopPolicy.AfterUpload;
    if (policy === SessionStopPolicy.Never) await new Promise<never>(() => undefined);
    if (policy === SessionStopPolicy.Immediately || this.session.state !== "active") return;
    const { session } = this;
    // What another tab uploads needs nobody here.
    if (!session.leads() || session.connectionState === ConnectionState.Disconnected) return;
    const cut = new Promise<void>((resolve) => {
      session.addConnectionNotification((state) => {
        if (state === ConnectionState.Disconnected) resolve();
      });
    });
    await Promise.race([cut, session.uploadAllLocalChanges().catch(() => undefined)]);
  }

  /** Calls `listener` with the error that stops the session; gives what takes it away again. */
  onFatal(listener: FatalListener): () => void {
    this.fatalListeners.add(listener);
    return () => this.fatalListeners.delete(listener);
  }

  onProgress(listener: ProgressListener): () => void {
    this.progressListeners.add(listener);
    return () => this.progressListeners.delete(listener);
  }

  error(error: SyncError): void {
    const { session, clientReset } = this;
    const { path } = this.coordinator;
    const onError = this.config.onError ?? this.config.error;
    const isReset = error instanceof ClientResetError;
    if (isReset) awaitingReset.add(path);
    const onPath = clientReset?.mode === ClientResetMode.Manual ? clientReset.onManual : clientReset?.onFallback;
    if (isReset && onPath) callSafely(() => onPath(session, error.config.path as string));
    else if (onError) callSafely(() => onError(session, error));
    else if (!clientReset?.onManual)
      log("Realm.Sync.Client.Session", "error", () => `Sync of '${path}': ${error.message}`);
    if (isReset || error.isFatal) for (const listener of [...this.fatalListeners]) listener(error);
  }

  before(core: RealmCore): void | Promise<void> {
    const { clientReset } = this;
    const callback = clientReset?.onBefore ?? clientReset?.clientResetBefore;
    return callback?.(this.frozen(core));
  }

  after(core: RealmCore): void | Promise<void> {
    const { clientReset } = this;
    const callback = clientReset?.onAfter ?? clientReset?.clientResetAfter;
    return callback?.(this.frozen(core), this.live());
  }

  progress(progress: CoreProgress): void {
    this.session.progress(progress);
    for (const listener of [...this.progressListeners]) listener(progress);
  }

  connectionState(newState: string, oldState: string): void {
    log("Realm.Sync.Client.Session", "debug", () => `Sync of '${this.coordinator.path}' is ${newState}`);
    this.session.connectionChanged(newState, oldState);
  }

  resetProgress(progress: CoreResetProgress): void {
    log("Realm.Sync.Client.Reset", "info", () => `Client reset of '${this.coordinator.path}': ${progress.phase}`);
    const { onProgress } = this.config.clientReset ?? {};
    if (onProgress) callSafely(() => onProgress(progress));
    this.session.resetProgress(progress);
  }

  private get clientReset(): ClientResetOptions | undefined {
    return this.config.clientReset;
  }

  private live(): Realm {
    const { coordinator } = this;
    return new Realm(new RealmSeed({ coordinator, schema: this.schema, isGuest: true }));
  }

  private frozen(frozen: RealmCore): Realm {
    return new Realm(new RealmSeed({ frozen, path: this.coordinator.path, schema: this.schema }));
  }
}
