// How a synced realm syncs: the application's wishes, checked with Realm's messages.
import { assert, assertBoolean, assertFunction, assertNumber, assertObject } from "./assert.js";
import { type BSON, isObjectId, isUuid } from "./bson.js";
import type { CoreResetProgress } from "./core.js";
import { type ClientResetError, describe, NotAvailableError, type SyncError, TypeAssertionError } from "./errors.js";
import type { Realm } from "./realm.js";
import type { MutableSubscriptionSet } from "./subscriptions.js";
import type { SyncSession } from "./sync-session.js";
import { type AnyUser, User } from "./user.js";

/** What divides an app's data into realms. */
export type PartitionValue = string | number | BSON.ObjectId | BSON.UUID | null;

export enum OpenRealmBehaviorType {
  /** Waits until everything that the server has is here. */
  DownloadBeforeOpen = "downloadBeforeOpen",
  /** Opens with what is on this device. */
  OpenImmediately = "openImmediately",
}

export enum OpenRealmTimeOutBehavior {
  OpenLocalRealm = "openLocalRealm",
  ThrowException = "throwException",
}

export type OpenRealmBehaviorConfiguration = {
  type: OpenRealmBehaviorType | `${OpenRealmBehaviorType}`;
  /** In milliseconds. */
  timeOut?: number;
  timeOutBehavior?: OpenRealmTimeOutBehavior | `${OpenRealmTimeOutBehavior}`;
};

export enum SessionStopPolicy {
  AfterUpload = "after-upload",
  Immediately = "immediately",
  Never = "never",
}

export enum ClientResetMode {
  /** The application finishes the reset with `Realm.App.Sync.initiateClientReset`. */
  Manual = "manual",
  /** The realm takes the server's state in place; what was not uploaded is dropped. */
  DiscardUnsyncedChanges = "discardUnsyncedChanges",
  /** Not available yet. */
  RecoverUnsyncedChanges = "recoverUnsyncedChanges",
  /** Not available yet. */
  RecoverOrDiscardUnsyncedChanges = "recoverOrDiscardUnsyncedChanges",
}

export type ErrorCallback = (session: SyncSession, error: SyncError | ClientResetError) => void;
export type ClientResetFallbackCallback = (session: SyncSession, path: string) => void;
/** A promise that it gives is waited for. */
export type ClientResetBeforeCallback = (localRealm: Realm) => void;
/** A promise that it gives is waited for. */
export type ClientResetAfterCallback = (localRealm: Realm, remoteRealm: Realm) => void;

/** A step of a client reset. */
export type ClientResetProgress = CoreResetProgress;
export type ClientResetProgressCallback = (progress: ClientResetProgress) => void;

type ClientResetCommon = {
  /** Ebbtide's own: hears of each step of a reset. */
  onProgress?: ClientResetProgressCallback;
};

type ClientResetInPlace = ClientResetCommon & {
  /** Gets the realm, frozen, before a reset in place. */
  onBefore?: ClientResetBeforeCallback;
  /** Gets the realm as it was, frozen, and as it is, live, after a reset in place. */
  onAfter?: ClientResetAfterCallback;
  /** The name of `onBefore` in Realm 10. */
  clientResetBefore?: ClientResetBeforeCallback;
  /** The name of `onAfter` in Realm 10. */
  clientResetAfter?: ClientResetAfterCallback;
  /** Gets the session and the path of the backup-to-be when a reset in place fails. */
  onFallback?: ClientResetFallbackCallback;
};

export type ClientResetManualConfiguration = ClientResetCommon & {
  mode: ClientResetMode.Manual | `${ClientResetMode.Manual}`;
  /** Gets the session and the path of the backup-to-be in manual mode. */
  onManual?: ClientResetFallbackCallback;
};

export type ClientResetDiscardUnsyncedChangesConfiguration = ClientResetInPlace & {
  /** `"discardLocal"` is the old name of `"discardUnsyncedChanges"`. */
  mode: ClientResetMode.DiscardUnsyncedChanges | `${ClientResetMode.DiscardUnsyncedChanges}` | "discardLocal";
};

export type ClientResetRecoverUnsyncedChangesConfiguration = ClientResetInPlace & {
  mode: ClientResetMode.RecoverUnsyncedChanges | `${ClientResetMode.RecoverUnsyncedChanges}`;
};

export type ClientResetRecoverOrDiscardUnsyncedChangesConfiguration = ClientResetInPlace & {
  mode: ClientResetMode.RecoverOrDiscardUnsyncedChanges | `${ClientResetMode.RecoverOrDiscardUnsyncedChanges}`;
};

export type ClientResetConfig =
  | ClientResetManualConfiguration
  | ClientResetDiscardUnsyncedChangesConfiguration
  | ClientResetRecoverUnsyncedChangesConfiguration
  | ClientResetRecoverOrDiscardUnsyncedChangesConfiguration;

/** @internal What any of the modes may have. */
export type ClientResetOptions = ClientResetInPlace &
  Omit<ClientResetManualConfiguration, "mode"> & { mode: ClientResetConfig["mode"] };

/** Accepted for code written for Realm: a browser checks certificates by itself. */
export type SSLConfiguration = {
  validate?: boolean;
  certificatePath?: string;
  validateCertificates?: SSLVerifyCallback;
};
export type SSLVerifyCallback = (sslVerifyObject: SSLVerifyObject) => boolean;
export type SSLVerifyObject = {
  serverAddress: string;
  serverPort: number;
  pemCertificate: string;
  acceptedByOpenSSL: boolean;
  depth: number;
};

export enum ProxyType {
  HTTP = "http",
  HTTPS = "https",
}

/** Accepted for code written for Realm: a browser chooses its proxy by itself. */
export type SyncProxyConfig = { address: string; port: number; type: ProxyType };

export type BaseSyncConfiguration = {
  user: AnyUser;
  newRealmFileBehavior?: OpenRealmBehaviorConfiguration;
  existingRealmFileBehavior?: OpenRealmBehaviorConfiguration;
  onError?: ErrorCallback;
  /** The name of `onError` in Realm 10. */
  error?: ErrorCallback;
  customHttpHeaders?: Record<string, string>;
  ssl?: SSLConfiguration;
  clientReset?: ClientResetConfig;
  cancelWaitsOnNonFatalError?: boolean;
  proxyConfig?: SyncProxyConfig;
  _sessionStopPolicy?: SessionStopPolicy | `${SessionStopPolicy}`;
};

export type InitialSubscriptions = {
  update: (mutableSubscriptions: MutableSubscriptionSet, realm: Realm) => void;
  rerunOnOpen?: boolean;
};

/** Sync of what subscriptions name: not available yet. */
export type FlexibleSyncConfiguration = BaseSyncConfiguration & {
  flexible: true;
  partitionValue?: never;
  initialSubscriptions?: InitialSubscriptions;
};

/** Sync of everything that has a partition value. */
export type PartitionSyncConfiguration = BaseSyncConfiguration & {
  flexible?: never;
  partitionValue: PartitionValue;
  initialSubscriptions?: never;
};

export type SyncConfiguration = FlexibleSyncConfiguration | PartitionSyncConfiguration;

const MODES: string[] = Object.values(ClientResetMode);
const CALLBACKS = [
  "onManual",
  "onAfter",
  "onBefore",
  "onFallback",
  "clientResetBefore",
  "clientResetAfter",
  "onProgress",
];

export function validateSyncConfiguration(config: unknown): asserts config is PartitionSyncConfiguration {
  assertObject(config, "'sync' on realm configuration");
  const { user, flexible, onError, error, clientReset, partitionValue } = config;
  if (!(user instanceof User))
    throw new TypeAssertionError("an instance of User", user, "'user' on realm sync configuration");
  if (config.cancelWaitsOnNonFatalError !== undefined) {
    assertBoolean(config.cancelWaitsOnNonFatalError, "'cancelWaitsOnNonFatalError' on sync configuration");
  }
  for (const name of ["newRealmFileBehavior", "existingRealmFileBehavior"]) {
    if (config[name] !== undefined) validateBehavior(config[name], name);
  }
  if (onError !== undefined) assertFunction(onError, "'onError' on realm sync configuration");
  if (error !== undefined) assertFunction(error, "'error' on realm sync configuration");
  const { customHttpHeaders, _sessionStopPolicy } = config;
  if (customHttpHeaders !== undefined)
    assertObject(customHttpHeaders, "'customHttpHeaders' on realm sync configuration");
  if (_sessionStopPolicy !== undefined && !Object.values<unknown>(SessionStopPolicy).includes(_sessionStopPolicy)) {
    throw new Error(`Unexpected policy (get ${String(_sessionStopPolicy)})`);
  }
  if (clientReset !== undefined) validateClientReset(clientReset, onError !== undefined || error !== undefined);
  if (flexible !== undefined) throw new NotAvailableError("Flexible sync");
  validatePartitionValue(partitionValue);
}

function validateBehavior(config: unknown, name: string): void {
  assertObject(config, `'${name}' on realm sync configuration`);
  const { DownloadBeforeOpen, OpenImmediately } = OpenRealmBehaviorType;
  assert(
    config.type === DownloadBeforeOpen || config.type === OpenImmediately,
    `'${name}.type' on realm sync configuration must be either '${DownloadBeforeOpen}' or '${OpenImmediately}'.`,
  );
  if (config.timeOut !== undefined) {
    assertNumber(config.timeOut, `'${name}.timeOut' on realm sync configuration`);
    assert(
      Object.values<unknown>(OpenRealmTimeOutBehavior).includes(config.timeOutBehavior),
      `Invalid 'timeOutBehavior': '${String(config.timeOutBehavior)}'. Only 'throwException' and 'openLocalRealm' is allowed.`,
    );
  }
}

function validateClientReset(config: unknown, hasErrorCallback: boolean): void {
  assertObject(config, "'clientReset' on realm sync configuration");
  const mode = config.mode as string;
  assert(
    MODES.includes(mode) || mode === "discardLocal",
    `'clientReset' on realm sync configuration must be one of the following: '${MODES.join("', '")}'`,
  );
  for (const name of CALLBACKS) {
    if (config[name] !== undefined) assertFunction(config[name], `'clientReset.${name}' on realm sync configuration`);
  }
  assert(
    mode !== ClientResetMode.Manual || hasErrorCallback || config.onManual !== undefined,
    () => new Error("need to set either onError or onManual or both"),
  );
}

function validatePartitionValue(value: unknown): void {
  if (typeof value === "number") {
    assert(
      Number.isSafeInteger(value),
      `Expected 'partitionValue' on realm sync configuration to be an integer, got ${value}.`,
    );
    return;
  }
  assert(
    typeof value === "string" || isObjectId(value) || isUuid(value) || value === null,
    `Expected 'partitionValue' on realm sync configuration to be an integer, string, ObjectId, UUID, or null, got ${describe(value)}.`,
  );
}

/** The realm's name on the server, from which its default path is made. */
export function serverRealmName(partitionValue: PartitionValue): string {
  if (partitionValue === null) return "n_";
  if (typeof partitionValue === "string") return `s_${partitionValue}`;
  if (typeof partitionValue === "number") return `i_${partitionValue}`;
  return isObjectId(partitionValue) ? `o_${partitionValue.toHexString()}` : `u_${partitionValue.toString()}`;
}

/** The path of a synced realm in full. */
export function syncedPath(sync: PartitionSyncConfiguration, path: string | undefined): string {
  if (path?.startsWith("/")) return path;
  const { user } = sync;
  const folder = `${user.app.baseFilePath}/mongodb-realm/${user.app.id}/${user.id}`;
  if (path === undefined) return `${folder}/${encodeURIComponent(serverRealmName(sync.partitionValue))}.realm`;
  return `${folder}/${path.replace(/\.realm$/, "")}.realm`;
}

/** The engine's name for a reset mode. */
export function coreResetMode(config: ClientResetConfig | undefined): "manual" | "discardUnsyncedChanges" {
  switch (config?.mode) {
    case undefined:
    case ClientResetMode.Manual:
      return "manual";
    case "discardLocal":
    case ClientResetMode.DiscardUnsyncedChanges:
      return "discardUnsyncedChanges";
    default:
      throw new NotAvailableError(`The client reset mode '${config?.mode}'`);
  }
}
