import type { App } from "./app.js";
import { assertFunction, assertString } from "./assert.js";
import { ApiKeyAuth } from "./auth.js";
import { type Credentials, ProviderType } from "./credentials.js";
import { notAvailable } from "./errors.js";
import { type AnyFunctionsFactory, type DefaultFunctionsFactory, functionsFactory } from "./functions.js";
import { callSafely } from "./listeners.js";
import { type MongoDBService, mongoDBService } from "./mongodb.js";
import { PushClient } from "./push.js";
import type { DefaultObject } from "./schema.js";

export enum UserState {
  Active = "active",
  LoggedIn = "LoggedIn",
  LoggedOut = "LoggedOut",
  Removed = "Removed",
}

export type UserChangeCallback = () => void;

export interface UserIdentity {
  id: string;
  providerType: ProviderType;
}

/** What may be known of a user. */
export type DefaultUserProfileData = {
  name?: string;
  email?: string;
  pictureUrl?: string;
  firstName?: string;
  lastName?: string;
  gender?: string;
  birthday?: string;
  minAge?: string;
  maxAge?: string;
} & { [key: string]: unknown };

/** Any user, whatever is known of its functions and data. */
export type AnyUser = User<AnyFunctionsFactory, DefaultObject, DefaultUserProfileData>;

/** Somebody who has logged in to an app. */
export class User<
  UserFunctionsFactoryType extends AnyFunctionsFactory = DefaultFunctionsFactory,
  UserCustomDataType extends DefaultObject = DefaultObject,
  UserProfileDataType extends DefaultUserProfileData = DefaultUserProfileData,
> {
  /** The app that the user logged in to. */
  readonly app: App;
  /** The user's name on the server. */
  readonly id: string;
  private readonly listeners = new Set<UserChangeCallback>();

  /** @internal */
  constructor(app: App, id: string) {
    this.app = app;
    this.id = id;
  }

  /** How the user logged in. */
  get providerType(): ProviderType {
    return (this.app.infoOf(this.id)?.providerType as ProviderType | undefined) ?? ProviderType.AnonUser;
  }

  /** What the server calls this device. */
  get deviceId(): string | null {
    return this.app.infoOf(this.id)?.deviceId ?? null;
  }

  /** Whether the user is logged in. */
  get state(): UserState {
    const info = this.app.infoOf(this.id);
    if (!info) return UserState.Removed;
    return info.isLoggedIn === false ? UserState.LoggedOut : UserState.LoggedIn;
  }

  /** Whether the user is logged in. */
  get isLoggedIn(): boolean {
    return this.state === UserState.LoggedIn;
  }

  /** How the user can log in. */
  get identities(): UserIdentity[] {
    return [{ id: this.id, providerType: this.providerType }];
  }

  /** What the server knows the user by, for a while. */
  get accessToken(): string | null {
    return this.app.infoOf(this.id)?.accessToken ?? null;
  }

  /** What gets the next access token. */
  get refreshToken(): string | null {
    return this.app.infoOf(this.id)?.refreshToken ?? null;
  }

  /** Always empty: the server keeps none. */
  get customData(): UserCustomDataType {
    return {} as UserCustomDataType;
  }

  /** Always empty: the server knows nothing of its users but their ids. */
  get profile(): UserProfileDataType {
    return {} as UserProfileDataType;
  }

  /** The server's functions, each under its name: it has none, and calls reject. */
  get functions(): UserFunctionsFactoryType {
    return functionsFactory((name, ...args) => this.callFunction(name, ...args));
  }

  /** Not available: what it gives rejects. */
  get apiKeys(): ApiKeyAuth {
    return new ApiKeyAuth();
  }

  /** Forgets the user's tokens here. Realms stay on this device. */
  async logOut(): Promise<void> {
    if (!this.app.infoOf(this.id)) return;
    await this.app.core.logOut(this.id);
    for (const listener of [...this.listeners]) callSafely(listener);
    this.app.emit();
  }

  /** Not available yet. */
  linkCredentials(_credentials: Credentials): Promise<void> {
    return notAvailable("Linking credentials");
  }

  /** Not available: the server runs no functions. */
  callFunction(_name: string, ..._args: unknown[]): Promise<unknown> {
    return notAvailable("Calling functions");
  }

  /** Not available: the server keeps no custom data. */
  refreshCustomData(): Promise<UserCustomDataType> {
    return notAvailable("Custom user data");
  }

  /** Not available: what it gives rejects. */
  push(serviceName: string): PushClient {
    assertString(serviceName, "serviceName");
    return new PushClient();
  }

  /** Not available: what it gives rejects. */
  mongoClient(serviceName: string): MongoDBService {
    assertString(serviceName, "serviceName");
    return mongoDBService(serviceName);
  }

  /** Calls `callback` when the user logs out. */
  addListener(callback: UserChangeCallback): void {
    assertFunction(callback, "callback");
    this.listeners.add(callback);
  }

  /** Ends the calls of a callback. */
  removeListener(callback: UserChangeCallback): void {
    this.listeners.delete(callback);
  }

  /** Ends the calls of all callbacks. */
  removeAllListeners(): void {
    this.listeners.clear();
  }
}
