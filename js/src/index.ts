/**
 * Ebbtide: an offline-first object database for web apps, used through the API that Realm JS made familiar.
 * Importing it loads the engine; `init()` tells whether that worked.
 * @packageDocumentation
 */
import { init } from "./core.js";
import { Realm } from "./realm.js";
import "./realm-names.js";
import "./statics.js";
import "./global.js";

export * from "./exports.js";
export { Realm, RealmEvent, type RealmEventName, type RealmListenerCallback } from "./realm.js";
export { clearTestState, shutdown } from "./test-state.js";
export { init };
export default Realm;

// An import that fails could not say why; what is used of the package does.
await init().catch(() => undefined);
