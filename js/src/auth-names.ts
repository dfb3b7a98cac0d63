// What is found under `Realm.Auth.`.
export { type ApiKey, ApiKeyAuth, EmailPasswordAuth } from "./auth.js";
