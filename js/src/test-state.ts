// Closing and clearing everything, for tests.
import { assert } from "./assert.js";
import { flags } from "./flags.js";
import { resetLogger } from "./logger.js";
import { allCoordinators, deleteStore } from "./registry.js";

/** Closes every realm in this page, and lets the console be the logger again. */
export function shutdown(): void {
  resetLogger();
  for (const { views } of allCoordinators()) for (const view of [...views]) view.realm.close();
}

/** Closes every realm in this page and deletes them. */
export function clearTestState(): void {
  assert(flags.ALLOW_CLEAR_TEST_STATE, "Set the flags.ALLOW_CLEAR_TEST_STATE = true before calling this.");
  const open = allCoordinators();
  shutdown();
  for (const { path, isInMemory } of open) if (!isInMemory) void deleteStore(path);
}
