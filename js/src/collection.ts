import { IllegalConstructorError } from "./errors.js";
import type { DefaultObject } from "./schema.js";

/** Any collection. */
export type AnyCollection = Collection<unknown, unknown, unknown, unknown, never>;

/** What lists and results have in common. */
export abstract class Collection<
  KeyType = unknown,
  ValueType = unknown,
  EntryType = [KeyType, ValueType],
  T = ValueType,
  ChangeCallbackType = unknown,
> implements Iterable<T>
{
  /** @internal */
  constructor() {
    if (new.target === (Collection as unknown)) throw new IllegalConstructorError("Collection");
  }

  /** The positions, or the keys of a dictionary. */
  abstract keys(): Iterable<KeyType>;
  /** The elements, or the values of a dictionary. */
  abstract values(): Iterable<ValueType>;
  /** Pairs of position or key, and element. */
  abstract entries(): Iterable<EntryType>;
  abstract [Symbol.iterator](): Iterator<T>;
  /** Whether the collection can be read: its realm is open, and its owner there. */
  abstract isValid(): boolean;
  /** A copy as plain arrays and objects. */
  abstract toJSON(): DefaultObject[] | DefaultObject;

  /** Calls `callback(collection, changes)`: first asynchronously with no changes, then after each change. */
  abstract addListener(callback: ChangeCallbackType, keyPaths?: string | string[]): void;
  /** Ends the calls of a callback. */
  abstract removeListener(callback: ChangeCallbackType): void;
  /** Ends the calls of all callbacks. */
  abstract removeAllListeners(): void;
}
