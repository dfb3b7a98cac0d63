import { assertObject, assertString } from "./assert.js";
import { NotAvailableError } from "./errors.js";

/** How a user logged in. */
export enum ProviderType {
  AnonUser = "anon-user",
  ApiKey = "api-key",
  LocalUserPass = "local-userpass",
  CustomFunction = "custom-function",
  CustomToken = "custom-token",
  OAuth2Google = "oauth2-google",
  OAuth2Facebook = "oauth2-facebook",
  OAuth2Apple = "oauth2-apple",
}

/** What a user logs in with. */
export class Credentials {
  /** What is sent to the server. */
  readonly payload: { provider: ProviderType; [key: string]: unknown };

  private constructor(payload: { provider: ProviderType; [key: string]: unknown }) {
    this.payload = payload;
  }

  /** Logs in without saying who one is; with `reuse`, as the anonymous user who is there already, if any. */
  static anonymous(reuse = true): Credentials {
    return new Credentials({ provider: ProviderType.AnonUser, reuse });
  }

  /** Not available yet: its fields are checked, and logging in fails. */
  static emailPassword(credentials: { email: string; password: string }): Credentials;
  static emailPassword(email: string, password: string): Credentials;
  static emailPassword(first: string | { email: string; password: string }, second?: string): Credentials {
    if (typeof first !== "string") assertObject(first, "credentials");
    const { email, password } = typeof first === "string" ? { email: first, password: second } : first;
    assertString(email, "email");
    assertString(password, "password");
    return new Credentials({ provider: ProviderType.LocalUserPass, username: email, password });
  }

  /** Not available yet. */
  static apiKey(key: string): Credentials {
    assertString(key, "key");
    return new Credentials({ provider: ProviderType.ApiKey, key });
  }

  /** Not available yet. */
  static jwt(token: string): Credentials {
    assertString(token, "token");
    return new Credentials({ provider: ProviderType.CustomToken, token });
  }

  /** Not available yet. */
  static function(payload: object): Credentials {
    return new Credentials({ provider: ProviderType.CustomFunction, ...payload });
  }

  /** Not available yet. */
  static apple(_token: string): Credentials {
    throw new NotAvailableError("Logging in with Apple");
  }

  /** Not available yet. */
  static facebook(_token: string): Credentials {
    throw new NotAvailableError("Logging in with Facebook");
  }

  /** Not available yet. */
  static google(_authObject: { authCode: string } | { idToken: string }): Credentials {
    throw new NotAvailableError("Logging in with Google");
  }
}
