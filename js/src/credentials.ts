import { assert, assertObject, assertString } from "./assert.js";

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

  /** Not available yet: logging in fails. */
  static apiKey(key: string): Credentials {
    assertString(key, "key");
    return new Credentials({ provider: ProviderType.ApiKey, key });
  }

  /** Not available yet: logging in fails. */
  static jwt(token: string): Credentials {
    assertString(token, "token");
    return new Credentials({ provider: ProviderType.CustomToken, token });
  }

  /** Not available yet: logging in fails. */
  static function(payload: object): Credentials {
    return new Credentials({ provider: ProviderType.CustomFunction, ...payload });
  }

  /** Not available yet: logging in fails. */
  static apple(token: string): Credentials {
    assertString(token, "token");
    return new Credentials({ provider: ProviderType.OAuth2Apple, id_token: token });
  }

  /** Not available yet: logging in fails. */
  static facebook(token: string): Credentials {
    assertString(token, "token");
    return new Credentials({ provider: ProviderType.OAuth2Facebook, accessToken: token });
  }

  /** Not available yet: its fields are checked, and logging in fails. */
  static google(authObject: { authCode: string } | { idToken: string }): Credentials {
    assertObject(authObject, "authObject");
    const { authCode, idToken } = authObject as { authCode?: string; idToken?: string };
    assert(authCode === undefined || idToken === undefined, "Must not supply both an authCode or idToken field");
    assert(authCode !== undefined || idToken !== undefined, "Must supply either an authCode or idToken field");
    if (authCode === undefined) assertString(idToken, "idToken");
    else assertString(authCode, "authCode");
    const token = authCode === undefined ? { id_token: idToken } : { authCode };
    return new Credentials({ provider: ProviderType.OAuth2Google, ...token });
  }
}
