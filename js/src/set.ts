import { IllegalConstructorError, NotAvailableError } from "./errors.js";
import { OrderedCollection } from "./ordered-collection.js";
import { Source } from "./source.js";

/** Any set. */
export type AnySet = RealmSet<unknown>;

/** A set of values that belongs to an object, live and writable in place: not available yet. */
export class RealmSet<T = unknown> extends OrderedCollection<T, [T, T]> {
  /** @internal */
  constructor(source: Source) {
    if (!(source instanceof Source)) throw new IllegalConstructorError("Set");
    super(source);
  }

  /** The number of elements. */
  get size(): number {
    return this.length;
  }

  /** Adds a value unless it is there. */
  add(_value: T): this {
    throw new NotAvailableError("A set");
  }

  /** Removes a value and says whether it was there. */
  delete(_value: T): boolean {
    throw new NotAvailableError("A set");
  }

  /** Removes every value. */
  clear(): void {
    throw new NotAvailableError("A set");
  }

  /** Whether a value is there. */
  has(value: T): boolean {
    return this.includes(value);
  }
}
