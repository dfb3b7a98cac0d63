// The global `Realm`, for code from the time before imports.
import { flags } from "./flags.js";
import * as ns from "./namespace.js";

declare global {
  /** @deprecated Import it. */
  export import Realm = ns.Realm;
}

let hasWarned = false;

Object.defineProperty(globalThis, "Realm", {
  get() {
    if (flags.THROW_ON_GLOBAL_REALM) {
      throw new Error(
        "Accessed global Realm, please update your code to ensure you import Realm:\nimport Realm from 'ebbtide';",
      );
    }
    if (!hasWarned) {
      hasWarned = true;
      console.warn(
        "Your app is relying on a Realm global, please update your code to ensure you import Realm:\n\n" +
          'import Realm from "ebbtide";\n\n' +
          "To determine where, put this in the top of your index file:\nRealm.flags.THROW_ON_GLOBAL_REALM = true",
      );
    }
    return ns.Realm;
  },
  configurable: true,
});
