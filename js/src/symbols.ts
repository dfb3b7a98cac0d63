// The names under which managed objects and collections keep what is theirs, out of the way of an application's own.

/** On an object: its key in the store. */
export const KEY: unique symbol = Symbol("Ebbtide.key");
/** On the prototype of a class's objects: its model. */
export const MODEL: unique symbol = Symbol("Ebbtide.model");
/** On a collection: where its elements come from. */
export const SOURCE: unique symbol = Symbol("Ebbtide.source");
/** On a dictionary: where its values are. */
export const ENTRIES: unique symbol = Symbol("Ebbtide.entries");
/** On a counter: where its number is. */
export const CELL: unique symbol = Symbol("Ebbtide.cell");
