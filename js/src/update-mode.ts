/** What `Realm.create` does when an object with the same primary key exists. */
export enum UpdateMode {
  /** Throws. */
  Never = "never",
  /** Writes the given properties that differ. */
  Modified = "modified",
  /** Writes every given property. */
  All = "all",
}
