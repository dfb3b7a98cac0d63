/** Switches for tests. */
export const flags = {
  /** Allows `Realm.clearTestState`. */
  ALLOW_CLEAR_TEST_STATE: false,
  /** Accepted for code written for Realm. */
  THROW_ON_GLOBAL_REALM: false,
};
