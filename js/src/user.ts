import type { App } from "./app.js";
import { assertFunction } from "./assert.js";
import { ProviderType } from "./credentials.js";
import { NotAvailableError } from "./errors.js";
import { callSafely } from "./listeners.js";

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

/** Somebody who has logged in to an app. */
export class User {
  /** The app that the user logged in to. */
  readonly app: App;
  readonly id: string;
  private readonly listeners = new Set<UserChangeCallback>();

  /** @internal */
  constructor(app: App, id: string) {
    this.app = app;
    this.id = id;
  }

  get providerType(): ProviderType {
    return (this.app.infoOf(this.id)?.providerType as ProviderType | undefined) ?? ProviderType.AnonUser;
  }

  get deviceId(): string | null {
    return this.app.infoOf(this.id)?.deviceId ?? null;
  }

  get state(): UserState {
    const info = this.app.infoOf(this.id);
    if (!info) return UserState.Removed;
    return info.isLoggedIn === false ? UserState.LoggedOut : UserState.LoggedIn;
  }

  get isLoggedIn(): boolean {
    return this.state === UserState.LoggedIn;
  }

  get identities(): UserIdentity[] {
    return [{ id: this.id, providerType: this.providerType }];
  }

  get accessToken(): string | null {
    return this.app.infoOf(this.id)?.accessToken ?? null;
  }

  get refreshToken(): string | null {
    return this.app.infoOf(this.id)?.refreshToken ?? null;
  }

  get customData(): Record<string, unknown> {
    return {};
  }

  get profile(): Record<string, string | undefined> {
    return {};
  }

  /** Forgets the user's tokens here. Realms stay on this device. */
  async logOut(): Promise<void> {
    if (!this.app.infoOf(this.id)) return;
    await this.app.core.logOut(this.id);
    for (const listener of [...this.listeners]) callSafely(listener);
    this.app.emit();
  }

  /** Not available yet. */
  linkCredentials(_credentials: object): Promise<void> {
    return Promise.reject(new NotAvailableError("Linking credentials"));
  }

  /** Not available: the server runs no functions. */
  callFunction(_name: string, ..._args: unknown[]): Promise<unknown> {
    return Promise.reject(new NotAvailableError("Calling functions"));
  }

  addListener(callback: UserChangeCallback): void {
    assertFunction(callback, "callback");
    this.listeners.add(callback);
  }

  removeListener(callback: UserChangeCallback): void {
    this.listeners.delete(callback);
  }

  removeAllListeners(): void {
    this.listeners.clear();
  }
}
