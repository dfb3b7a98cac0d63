// Ways to log in that the server does not have yet: they exist, and say so.
import { notAvailable } from "./errors.js";

const PASSWORDS = "Email and password authentication";
const KEYS = "Authentication by API keys";

/** A key that stands for a user, without the key itself. */
export type ApiKey = { _id: string; name: string; disabled: boolean };
export type SecretApiKey = ApiKey & { key: string };

/** The API keys of a user: not available. */
export class ApiKeyAuth {
  /** @internal */
  // biome-ignore lint/complexity/noUselessConstructor: it is not for applications to call
  constructor() {}

  /** Rejects: there are no API keys. */
  create(_keyName: string): Promise<SecretApiKey> {
    return notAvailable(KEYS);
  }

  /** Rejects: there are no API keys. */
  fetch(_keyId: string): Promise<ApiKey> {
    return notAvailable(KEYS);
  }

  /** Rejects: there are no API keys. */
  fetchAll(): Promise<ApiKey[]> {
    return notAvailable(KEYS);
  }

  /** Rejects: there are no API keys. */
  delete(_keyId: string): Promise<void> {
    return notAvailable(KEYS);
  }

  /** Rejects: there are no API keys. */
  enable(_keyId: string): Promise<void> {
    return notAvailable(KEYS);
  }

  /** Rejects: there are no API keys. */
  disable(_keyId: string): Promise<void> {
    return notAvailable(KEYS);
  }
}

/** Users with an email address and a password: not available. */
export class EmailPasswordAuth {
  /** @internal */
  // biome-ignore lint/complexity/noUselessConstructor: it is not for applications to call
  constructor() {}

  /** Rejects: nobody logs in by email. */
  registerUser(_details: { email: string; password: string }): Promise<void> {
    return notAvailable(PASSWORDS);
  }

  /** Rejects: nobody logs in by email. */
  confirmUser(_details: { token: string; tokenId: string }): Promise<void> {
    return notAvailable(PASSWORDS);
  }

  /** Rejects: nobody logs in by email. */
  resendConfirmationEmail(_details: { email: string }): Promise<void> {
    return notAvailable(PASSWORDS);
  }

  /** Rejects: nobody logs in by email. */
  retryCustomConfirmation(_details: { email: string }): Promise<void> {
    return notAvailable(PASSWORDS);
  }

  /** Rejects: nobody logs in by email. */
  resetPassword(_details: { password: string; token: string; tokenId: string }): Promise<void> {
    return notAvailable(PASSWORDS);
  }

  /** Rejects: nobody logs in by email. */
  sendResetPasswordEmail(_details: { email: string }): Promise<void> {
    return notAvailable(PASSWORDS);
  }

  /** Rejects: nobody logs in by email. */
  callResetPasswordFunction(_details: { email: string; password: string }, ..._args: unknown[]): Promise<void> {
    return notAvailable(PASSWORDS);
  }
}
