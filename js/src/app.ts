import { assert, assertFunction, assertNumber, assertObject, assertString } from "./assert.js";
import { EmailPasswordAuth } from "./auth.js";
import { type AppCore, assertReady, type CoreUserInfo, core, init, messageOf } from "./core.js";
import * as CredentialsNS from "./credentials.js";
import { Credentials, ProviderType } from "./credentials.js";
import { NotAvailableError, notAvailable, TypeAssertionError } from "./errors.js";
import type { AnyFunctionsFactory, DefaultFunctionsFactory } from "./functions.js";
import { callSafely } from "./listeners.js";
import { log } from "./logger.js";
import type { DefaultObject } from "./schema.js";
import * as SyncNS from "./sync.js";
import { type AnyUser, User } from "./user.js";

export type AppChangeCallback = () => void;

export type LocalAppConfiguration = { name?: string; version?: string };

export enum MetadataMode {
  NoEncryption = "noEncryption",
  Encryption = "encryption",
  NoMetadata = "noMetadata",
  InMemory = "inMemory",
}

/** How Realm keeps what it knows of users. */
export type Metadata = { mode: MetadataMode; encryptionKey?: ArrayBuffer };

export type AppConfiguration = {
  /** The app's name on the server. */
  id: string;
  /** The server's address; the page's own origin if left out. */
  baseUrl?: string;
  timeout?: number;
  /** Part of the paths of the app's synced realms. */
  baseFilePath?: string;
  app?: LocalAppConfiguration;
  multiplexSessions?: boolean;
  /** Accepted for code written for Realm: a browser keeps what it stores to itself. */
  metadata?: Metadata;
  /** Accepted for code written for Realm. */
  fetch?: typeof fetch;
};

/** Any app, whatever is known of its functions and its users' data. */
export type AnyApp = App<AnyFunctionsFactory, DefaultObject>;

/** The engine's handles, by id and address: several App objects share one. */
const cores = new Map<string, AppCore>();

/** An app on a server, and the users who logged in to it here. */
export class App<
  FunctionsFactoryType extends AnyFunctionsFactory = DefaultFunctionsFactory,
  CustomDataType extends DefaultObject = DefaultObject,
> {
  private static byId = new Map<string, App>();
  /** @internal */
  readonly baseUrl: string;
  /** @internal */
  readonly baseFilePath: string;
  private readonly config: AppConfiguration;
  private readonly users = new Map<string, User<FunctionsFactoryType, CustomDataType>>();
  private readonly listeners = new Set<AppChangeCallback>();
  /** The user who was switched to since the last login. */
  private chosen: string | undefined;

  /** The app that was made with this id before, or a new one. */
  static get(id: string): App {
    return App.byId.get(id) ?? new App(id);
  }

  /** @deprecated Use `App.get`. */
  static getApp(id: string): App {
    return App.get(id);
  }

  constructor(id: string);
  constructor(config: AppConfiguration);
  constructor(idOrConfig: string | AppConfiguration) {
    const config = typeof idOrConfig === "string" ? { id: idOrConfig } : idOrConfig;
    assertObject(config, "config");
    assertString(config.id, "id");
    if (config.baseUrl !== undefined) assertString(config.baseUrl, "baseUrl");
    if (config.timeout !== undefined) assertNumber(config.timeout, "timeout");
    if (config.baseFilePath !== undefined) assertString(config.baseFilePath, "baseFilePath");
    this.config = config;
    this.baseUrl = (config.baseUrl ?? globalThis.location?.origin ?? "").replace(/\/+$/, "");
    this.baseFilePath = (config.baseFilePath ?? "").replace(/\/+$/, "");
    App.byId.set(config.id, this as AnyApp as App);
  }

  /** The app's name on the server. */
  get id(): string {
    return this.config.id;
  }

  /** @internal */
  get core(): AppCore {
    assertReady();
    const identity = `${this.id} ${this.baseUrl}`;
    let found = cores.get(identity);
    if (!found) {
      found = new core.AppCore(this.id, this.baseUrl);
      cores.set(identity, found);
    }
    return found;
  }

  /** Logs a user in: `Realm.Credentials.anonymous()` is what the server knows. */
  async logIn(credentials: Credentials): Promise<User<FunctionsFactoryType, CustomDataType>> {
    if (!(credentials instanceof Credentials)) {
      throw new TypeAssertionError("an instance of Credentials", credentials, "credentials");
    }
    const { provider } = credentials.payload;
    if (provider !== ProviderType.AnonUser) throw new NotAvailableError(`Logging in with '${provider}'`);
    await init();
    const user = this.userOf(await this.core.logIn(credentials.payload));
    this.chosen = user.id;
    this.emit();
    return user;
  }

  /** The user who logged in or was switched to last and has not logged out. */
  get currentUser(): User<FunctionsFactoryType, CustomDataType> | null {
    const chosen = this.chosen === undefined ? undefined : this.infoOf(this.chosen);
    const info = chosen ?? this.core.currentUser();
    return info ? this.userOf(info) : null;
  }

  /** Every user known on this device, by id. */
  get allUsers(): Readonly<Record<string, User<FunctionsFactoryType, CustomDataType>>> {
    return Object.fromEntries(this.core.users().map((info) => [info.id, this.userOf(info)]));
  }

  /** Makes another user, who has logged in before, the current one. */
  switchUser(user: AnyUser): void {
    assert(user instanceof User, () => new TypeAssertionError("an instance of User", user, "user"));
    if (!user.isLoggedIn) throw new Error(`Cannot switch to user '${user.id}', who is not logged in.`);
    this.chosen = user.id;
    this.core
      .switchUser(user.id)
      .catch((error) => log("Realm.App", "error", () => `App '${this.id}': ${messageOf(error)}`));
    this.emit();
  }

  /** Logs a user out. */
  async removeUser(user: AnyUser): Promise<void> {
    await user.logOut();
  }

  /** Not available yet. */
  deleteUser(_user: AnyUser): Promise<void> {
    return notAvailable("Deleting a user");
  }

  /** Not available yet: what it gives rejects. */
  get emailPasswordAuth(): EmailPasswordAuth {
    return new EmailPasswordAuth();
  }

  /** Ebbtide's own: cuts every connection of the app, or allows them again. */
  setOffline(isOffline: boolean): void {
    this.core.setOffline(isOffline);
  }

  /** Calls `callback` whenever a user logs in or out, or is switched to. */
  addListener(callback: AppChangeCallback): void {
    assertFunction(callback, "callback");
    this.listeners.add(callback);
  }

  /** Ends the calls of a callback. */
  removeListener(callback: AppChangeCallback): void {
    this.listeners.delete(callback);
  }

  /** Ends the calls of all callbacks. */
  removeAllListeners(): void {
    this.listeners.clear();
  }

  /** @internal */
  emit(): void {
    for (const listener of [...this.listeners]) callSafely(listener);
  }

  /** @internal What the engine knows of a user; undefined after logging out. */
  infoOf(userId: string): CoreUserInfo | undefined {
    return this.core.users().find(({ id }) => id === userId);
  }

  private userOf(info: CoreUserInfo): User<FunctionsFactoryType, CustomDataType> {
    let user = this.users.get(info.id);
    if (!user) {
      user = new User(this as AnyApp as App, info.id);
      this.users.set(info.id, user);
    }
    return user;
  }
}

Object.assign(App, { Credentials, Sync: SyncNS.Sync });

export declare namespace App {
  export import Credentials = CredentialsNS.Credentials;
  export import Sync = SyncNS.Sync;
}
