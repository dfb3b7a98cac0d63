import type { AnyApp } from "./app.js";
import { assertString } from "./assert.js";
import { type BackupInfo, core } from "./core.js";
import * as LoggerNS from "./logger.js";
import { type Logger, type LogLevel, setLogLevel, setSyncLogger } from "./logger.js";
import { allCoordinators, backUpStore, deleteStore, openCoordinator } from "./registry.js";
import * as SubscriptionsNS from "./subscriptions.js";
import type * as SyncConfigurationNS from "./sync-configuration.js";
import {
  type OpenRealmBehaviorConfiguration,
  OpenRealmBehaviorType,
  OpenRealmTimeOutBehavior,
  type PartitionValue,
  serverRealmName,
} from "./sync-configuration.js";
import { isAwaitingReset, resetIsFinished } from "./sync-handler.js";
import type { SyncSession } from "./sync-session.js";
import * as SyncSessionNS from "./sync-session.js";
import type { AnyUser } from "./user.js";

/** What concerns the sync of an app's realms as a whole. */
export class Sync {
  /** Opens with what is on this device. */
  static openLocalRealmBehavior: Readonly<OpenRealmBehaviorConfiguration> = Object.freeze({
    type: OpenRealmBehaviorType.OpenImmediately,
  });

  /** Waits up to 30 seconds until everything that the server has is here. */
  static downloadBeforeOpenBehavior: Readonly<OpenRealmBehaviorConfiguration> = Object.freeze({
    type: OpenRealmBehaviorType.DownloadBeforeOpen,
    timeOut: 30000,
    timeOutBehavior: OpenRealmTimeOutBehavior.ThrowException,
  });

  /** The sessions of a user's realms that are open in this page. */
  static getAllSyncSessions(user: AnyUser): SyncSession[] {
    return allCoordinators()
      .map(({ sync }) => sync)
      .filter((sync) => sync?.config.user.id === user.id && sync.config.user.app.id === user.app.id)
      .map((sync) => sync?.session as SyncSession);
  }

  /** The session of a user's open realm by its partition, or null. */
  static getSyncSession(user: AnyUser, partitionValue: PartitionValue): SyncSession | null {
    const name = serverRealmName(partitionValue);
    const isWanted = ({ config }: SyncSession) => !config.flexible && serverRealmName(config.partitionValue) === name;
    return Sync.getAllSyncSessions(user).find(isWanted) ?? null;
  }

  /**
   * Finishes a client reset that the application was told of: copies the realm to a backup and clears the original. Every
   * instance of the realm has to be closed. The next `Realm.open` of the path waits for it, and so may the application: it
   * resolves with the path of the backup.
   */
  static initiateClientReset(_app: AnyApp, path: string): Promise<string> {
    assertString(path, "path");
    // An instance that is still being opened closes by itself, since its opening fails.
    if ([...(openCoordinator(path)?.views ?? [])].some((view) => !view.isOpening)) {
      throw new Error(`Close every instance of the Realm at '${path}' before its client reset.`);
    }
    if (!isAwaitingReset(path) && !core.hasFileAction?.(path)) {
      throw new Error(`Realm was not configured correctly. Client Reset could not be run for Realm at: ${path}`);
    }
    return backUpStore(path).then((backup) => {
      resetIsFinished(path);
      return backup;
    });
  }

  /** Ebbtide's own: the backups that client resets have left. Open one with `{ path, readOnly: true }`. */
  static listBackups(): Promise<BackupInfo[]> {
    return core.listBackups();
  }

  /** Ebbtide's own: deletes a backup. */
  static async deleteBackup(path: string): Promise<void> {
    assertString(path, "path");
    await deleteStore(path);
  }

  /** @deprecated Use `session.reconnect()`. */
  static reconnect(app: AnyApp): void {
    for (const { sync } of allCoordinators()) if (sync?.config.user.app.id === app.id) sync.session.reconnect();
  }

  /** Accepted for code written for Realm: an app's realms always share a connection. */
  static enableSessionMultiplexing(_app: AnyApp): void {}

  /** Accepted for code written for Realm; a browser names itself. */
  static setUserAgent(_app: AnyApp, _userAgent: string): void {}

  /** @deprecated Use `Realm.setLogLevel(level, "Realm.Sync")`. */
  static setLogLevel(_app: AnyApp, level: LogLevel): void {
    setLogLevel(level, "Realm.Sync");
  }

  /** @deprecated Use `Realm.setLogger`. */
  static setLogger(_app: AnyApp, logger: Logger): void {
    setSyncLogger(logger);
  }
}

Object.assign(Sync, {
  BaseSubscriptionSet: SubscriptionsNS.BaseSubscriptionSet,
  ConnectionState: SyncSessionNS.ConnectionState,
  MutableSubscriptionSet: SubscriptionsNS.MutableSubscriptionSet,
  NumericLogLevel: LoggerNS.NumericLogLevel,
  Session: SyncSessionNS.SyncSession,
  Subscription: SubscriptionsNS.Subscription,
  SubscriptionSet: SubscriptionsNS.SubscriptionSet,
  SubscriptionSetState: SubscriptionsNS.SubscriptionSetState,
  SubscriptionsState: SubscriptionsNS.SubscriptionSetState,
});

export declare namespace Sync {
  export import BaseSubscriptionSet = SubscriptionsNS.BaseSubscriptionSet;
  export import ConnectionState = SyncSessionNS.ConnectionState;
  export type LogLevel = LoggerNS.LogLevel;
  export import MutableSubscriptionSet = SubscriptionsNS.MutableSubscriptionSet;
  export import NumericLogLevel = LoggerNS.NumericLogLevel;
  export type PartitionValue = SyncConfigurationNS.PartitionValue;
  export import Session = SyncSessionNS.SyncSession;
  export import Subscription = SubscriptionsNS.Subscription;
  export type SubscriptionOptions = SubscriptionsNS.SubscriptionOptions;
  export import SubscriptionSet = SubscriptionsNS.SubscriptionSet;
  export import SubscriptionSetState = SubscriptionsNS.SubscriptionSetState;
  export import SubscriptionsState = SubscriptionsNS.SubscriptionSetState;
}
