import { assert, assertFunction } from "./assert.js";
import type { Coordinator } from "./coordinator.js";
import { type CoreProgress, codeOf, type SessionCore } from "./core.js";
import { TimeoutError } from "./errors.js";
import { callSafely } from "./listeners.js";
import type {
  ClientResetProgress,
  ClientResetProgressCallback,
  PartitionSyncConfiguration,
  SyncConfiguration,
} from "./sync-configuration.js";
import type { User } from "./user.js";

export enum ProgressDirection {
  Download = "download",
  Upload = "upload",
}

export enum ProgressMode {
  ReportIndefinitely = "reportIndefinitely",
  ForCurrentlyOutstandingWork = "forCurrentlyOutstandingWork",
}

export enum ConnectionState {
  Disconnected = "disconnected",
  Connecting = "connecting",
  Connected = "connected",
}

export enum SessionState {
  Invalid = "invalid",
  Active = "active",
  Inactive = "inactive",
}

/** Takes the share that is done, from 0 to 1. */
export type EstimateProgressNotificationCallback = (estimate: number) => void;
/** Takes what is done, and what there is to do, in bytes. */
export type PartitionBasedSyncProgressNotificationCallback = (transferred: number, transferable: number) => void;
/** Either of these: the number of its parameters says which. */
export type ProgressNotificationCallback = (transferredOrEstimate: number, transferable: number) => void;
export type ConnectionNotificationCallback = (newState: ConnectionState, oldState: ConnectionState) => void;

interface ProgressListener {
  direction: ProgressDirection;
  /** Where it ends, for a listener to the work outstanding when it was added. */
  until: number | undefined;
  callback: ProgressNotificationCallback;
}

/** Calls a progress callback in the form that its number of parameters asks for. */
export function reportProgress(
  callback: ProgressNotificationCallback,
  transferred: number,
  transferable: number,
): void {
  if (callback.length === 1) {
    const estimate = transferable === 0 ? 1 : Math.min(transferred / transferable, 1);
    callSafely(() => (callback as EstimateProgressNotificationCallback)(estimate));
  } else {
    callSafely(() => callback(transferred, transferable));
  }
}

/** The sync of one realm. */
export class SyncSession {
  private isValid = true;
  private progressListeners: ProgressListener[] = [];
  private connectionListeners: ConnectionNotificationCallback[] = [];
  private resetListeners: ClientResetProgressCallback[] = [];

  /** @internal */
  constructor(
    private readonly coordinator: Coordinator,
    private readonly sync: PartitionSyncConfiguration,
  ) {}

  /** Its user and partition value. */
  get config(): SyncConfiguration {
    const { user, partitionValue } = this.sync;
    return { user, partitionValue };
  }

  /** Whose session it is. */
  get user(): User {
    return this.sync.user as User;
  }

  /** Whether it runs or is paused. */
  get state(): SessionState {
    return this.core.state() as SessionState;
  }

  /** The address of the server. */
  get url(): string {
    return `${this.sync.user.app.baseUrl.replace(/^http/, "ws")}/api/app/${this.sync.user.app.id}/sync`;
  }

  /** Whether the server is there. */
  get connectionState(): ConnectionState {
    return this.core.connectionState() as ConnectionState;
  }

  /** The name that the server knows this copy of the realm by; a client reset gives a new one. */
  get fileIdent(): bigint {
    return BigInt(`0x${this.core.clientId().replaceAll("-", "") || "0"}`);
  }

  /** @internal Whether this tab is the one that speaks to the server. */
  leads(): boolean {
    return this.core.leads();
  }

  /** Whether the server is there. */
  isConnected(): boolean {
    return this.connectionState === ConnectionState.Connected && this.state === SessionState.Active;
  }

  /** Stops sending and receiving until `resume`. All tabs that have the realm open share one session, and pause together. */
  pause(): void {
    this.core.pause();
  }

  /** Takes up again what `pause` has ended. */
  resume(): void {
    this.core.resume();
  }

  /** Tries to connect now rather than after the usual wait. */
  reconnect(): void {
    this.core.reconnect();
  }

  /** Resolves when everything written so far is on the server. */
  uploadAllLocalChanges(timeoutMs?: number): Promise<void> {
    return within(this.core.waitForUpload(), timeoutMs, "Uploading");
  }

  /** Resolves when everything that the server had is here. */
  downloadAllServerChanges(timeoutMs?: number): Promise<void> {
    return within(this.core.waitForDownload(), timeoutMs, "Downloading");
  }

  /** Calls `callback` with how much was transferred: one argument is an estimate, two are bytes. */
  addProgressNotification(
    direction: ProgressDirection | `${ProgressDirection}`,
    mode: ProgressMode | `${ProgressMode}`,
    callback: ProgressNotificationCallback,
  ): void {
    assertFunction(callback, "callback");
    assert(Object.values<string>(ProgressDirection).includes(direction), `Unexpected direction: ${direction}`);
    assert(Object.values<string>(ProgressMode).includes(mode), `Unexpected mode: ${mode}`);
    const known = this.progressListeners.some((listener) => listener.callback === callback);
    if (known) throw new Error("Remove callback before adding it again");
    const now = this.core.progress();
    const [transferred, transferable] =
      direction === ProgressDirection.Upload ? [now.uploaded, now.uploadable] : [now.downloaded, now.downloadable];
    const until = mode === ProgressMode.ForCurrentlyOutstandingWork ? transferable : undefined;
    const listener = { direction: direction as ProgressDirection, until, callback };
    this.progressListeners.push(listener);
    setTimeout(() => this.tell(listener, transferred, transferable));
  }

  /** Ends the calls of a callback. */
  removeProgressNotification(callback: ProgressNotificationCallback): void {
    this.progressListeners = this.progressListeners.filter((listener) => listener.callback !== callback);
  }

  /** Calls `callback(newState, oldState)` when the connection comes or goes. */
  addConnectionNotification(callback: ConnectionNotificationCallback): void {
    assertFunction(callback, "callback");
    if (this.connectionListeners.includes(callback)) throw new Error("Remove callback before adding it again");
    this.connectionListeners.push(callback);
  }

  /** Ends the calls of a callback. */
  removeConnectionNotification(callback: ConnectionNotificationCallback): void {
    this.connectionListeners = this.connectionListeners.filter((listener) => listener !== callback);
  }

  /** Ebbtide's own: hears of each step of a client reset, with how long each took. */
  addResetNotification(callback: ClientResetProgressCallback): void {
    assertFunction(callback, "callback");
    if (this.resetListeners.includes(callback)) throw new Error("Remove callback before adding it again");
    this.resetListeners.push(callback);
  }

  /** Ends the calls of a callback. */
  removeResetNotification(callback: ClientResetProgressCallback): void {
    this.resetListeners = this.resetListeners.filter((listener) => listener !== callback);
  }

  /** For tests: behaves as if the server had sent this error. */
  _simulateError(code: number, message: string, _type: string, isFatal: boolean): void {
    this.core.simulateError(code, message, isFatal);
  }

  /** @internal */
  progress({ direction, transferred, transferable }: CoreProgress): void {
    for (const listener of [...this.progressListeners]) {
      if (listener.direction === direction) this.tell(listener, transferred, transferable);
    }
  }

  /** @internal */
  connectionChanged(newState: string, oldState: string): void {
    // A listener looks at the session, which it can do no more.
    if (!this.isValid) return;
    for (const listener of [...this.connectionListeners]) {
      callSafely(() => listener(newState as ConnectionState, oldState as ConnectionState));
    }
  }

  /** @internal */
  resetProgress(progress: ClientResetProgress): void {
    for (const listener of [...this.resetListeners]) callSafely(() => listener(progress));
  }

  /** @internal The engine's session is gone. */
  invalidate(): void {
    this.isValid = false;
  }

  private tell(listener: ProgressListener, transferred: number, transferable: number): void {
    if (!this.progressListeners.includes(listener)) return;
    const { until, callback } = listener;
    if (until === undefined) {
      reportProgress(callback, transferred, transferable);
      return;
    }
    reportProgress(callback, Math.min(transferred, until), until);
    if (transferred >= until) this.removeProgressNotification(callback);
  }

  private get core(): SessionCore {
    const session = this.isValid ? this.coordinator.core.session() : undefined;
    assert(session, "This SyncSession is no longer valid");
    return session;
  }
}

/** The longest wait of a timer; a longer one would ring at once. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

/** Gives up waiting, not the work, after `timeoutMs`. */
async function within(work: Promise<void>, timeoutMs: number | undefined, what: string): Promise<void> {
  const timedOut = () => new TimeoutError(`Timed out: ${what} changes did not complete in ${timeoutMs} ms.`);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    if (typeof timeoutMs === "number") timer = setTimeout(() => reject(timedOut()), Math.min(timeoutMs, TIMER_MS_MAX));
  });
  try {
    await Promise.race([work, timeout]);
  } catch (error) {
    throw codeOf(error) === "TimedOut" ? timedOut() : error;
  } finally {
    clearTimeout(timer);
  }
}
