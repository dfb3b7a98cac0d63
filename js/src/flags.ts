/** Switches for tests, and for code that has not caught up with Realm yet. */
export const flags = {
  /** Lets objects be created from an array of values, in the order in which the schema declares its properties. */
  ALLOW_VALUES_ARRAYS: false,
  /** Makes the global `Realm` throw, to find code that has not imported it. */
  THROW_ON_GLOBAL_REALM: false,
  /** Allows `Realm.clearTestState`. */
  ALLOW_CLEAR_TEST_STATE: false,
};
