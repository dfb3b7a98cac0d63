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

  abstract keys(): Iterable<KeyType>;
  abstract values(): Iterable<ValueType>;
  abstract entries(): Iterable<EntryType>;
  abstract [Symbol.iterator](): Iterator<T>;
  abstract isValid(): boolean;
  abstract toJSON(): DefaultObject[] | DefaultObject;

  /** Calls `callback(collection, changes)`: first asynchronously with no changes, then after each change. */
  abstract addListener(callback: ChangeCallbackType, keyPaths?: string | string[]): void;
  abstract removeListener(callback: ChangeCallbackType): void;
  abstract removeAllListeners(): void;
}
