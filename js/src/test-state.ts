// Closing and clearing everything, for tests.
import { assert } from "./assert.js";
import { flags } from "./flags.js";
import { allCoordinators, deleteStore } from "./registry.js";

/** Closes every realm in this page. */
export function shutdown(): void {
  for (const { views } of allCoordinators()) for (const view of [...views]) view.realm.close();
}

/** Closes every realm in this page and deletes them. */
export function clearTestState(): void {
  assert(flags.ALLOW_CLEAR_TEST_STATE, "Set the flags.ALLOW_CLEAR_TEST_STATE = true before calling this.");
  const open = allCoordinators();
  shutdown();
  for (const { path, isInMemory } of open) if (!isInMemory) void deleteStore(path);
}
