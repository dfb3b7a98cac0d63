// Closing and clearing everything, for tests.
import { assert } from "./assert.js";
import { messageOf } from "./core.js";
import { flags } from "./flags.js";
import { log, resetLogger } from "./logger.js";
import { allCoordinators, deleteStore, storedPaths } from "./registry.js";

/** Closes every realm in this page, and lets the console be the logger again. */
export function shutdown(): void {
  resetLogger();
  for (const { views } of allCoordinators()) for (const view of [...views]) view.realm.close();
}

/**
 * Closes every realm in this page and deletes them, and with them those that are on disk beside `default.realm` and, like
 * it, have a name that ends in `.realm`.
 */
export function clearTestState(): void {
  assert(flags.ALLOW_CLEAR_TEST_STATE, "Set the flags.ALLOW_CLEAR_TEST_STATE = true before calling this.");
  const paths = new Set(storedPaths().filter((path) => /^\/[^/]+\.realm$/.test(path)));
  for (const { path, isInMemory } of allCoordinators()) if (!isInMemory) paths.add(path);
  shutdown();
  for (const path of paths) {
    deleteStore(path).catch((error: unknown) => {
      log("Realm.Storage", "warn", () => `'${path}' is still there: ${messageOf(error)}`);
    });
  }
}
