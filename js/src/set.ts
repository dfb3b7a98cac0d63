import { addToSet, lowerElement } from "./create.js";
import { IllegalConstructorError } from "./errors.js";
import { OrderedCollection } from "./ordered-collection.js";
import { SetSource } from "./set-source.js";
import { SOURCE } from "./symbols.js";

/** Any set. */
export type AnySet = RealmSet<unknown>;

/** A set of values that belongs to an object, live and writable in place. It has its values in their order. */
export class RealmSet<T = unknown> extends OrderedCollection<T, [T, T]> {
  /** @internal */
  declare readonly [SOURCE]: SetSource;

  /** @internal */
  constructor(source: SetSource) {
    if (!(source instanceof SetSource)) throw new IllegalConstructorError("Set");
    super(source);
  }

  /** @internal What is assigned to a position is ignored, as a set has no say in its order. */
  override assign(): void {}

  /** The number of elements. */
  get size(): number {
    return this[SOURCE].length();
  }

  /** Adds a value unless it is there. */
  add(value: T): this {
    const source = this[SOURCE];
    source.assertWritable();
    addToSet(source, value);
    return this;
  }

  /** Removes a value and says whether it was there. */
  delete(value: T): boolean {
    const source = this[SOURCE];
    source.assertWritable();
    const lowered = lowerElement(source.view, source.property, value);
    return (
      lowered !== undefined &&
      source.view.core.setRemove(source.owner.index, source.key, source.property.column, lowered)
    );
  }

  /** Removes every value. */
  clear(): void {
    const source = this[SOURCE];
    source.assertWritable();
    source.view.core.setClear(source.owner.index, source.key, source.property.column);
  }

  /** Whether a value is there. */
  has(value: T): boolean {
    return this.includes(value);
  }

  /** Each value, twice: a set has no keys. */
  override *entries(): Generator<[T, T]> {
    for (const value of this.values()) yield [value, value];
  }
}
