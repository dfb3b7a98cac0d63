import { assert } from "./assert.js";
import type { ClassModel } from "./class-model.js";
import { AssertionError, IllegalConstructorError, TypeAssertionError } from "./errors.js";
import type { PropertyModel } from "./property.js";
import { CELL } from "./symbols.js";

/** @internal Where a counter's number is. */
export class CounterCell {
  constructor(
    readonly owner: ClassModel,
    readonly key: number,
    readonly property: PropertyModel,
  ) {}
}

/** An integer whose increments add up when devices make them at the same time. */
export class Counter {
  /** @internal */
  declare readonly [CELL]: CounterCell;

  /** @internal */
  constructor(cell: CounterCell) {
    if (!(cell instanceof CounterCell)) throw new IllegalConstructorError("Counter");
    Object.defineProperty(this, CELL, { value: cell });
  }

  /** The count now. */
  get value(): number {
    const { owner, key, property } = this[CELL];
    assert(owner.isValid(key), "Accessing object which has been invalidated or deleted");
    return Number(owner.view.core.get(owner.index, key, property.column));
  }
  /** @internal Assigning is not counting. */
  set value(_value: number) {
    throw new Error("To update the value, use the methods on the Counter.");
  }

  /** Adds to the count. */
  increment(by = 1): void {
    const { owner, key, property } = this.writable();
    assertInteger(by, "by");
    owner.view.core.increment(owner.index, key, property.column, by);
  }

  /** Subtracts from the count. */
  decrement(by = 1): void {
    this.writable();
    assertInteger(by, "by");
    this.increment(-by);
  }

  /** Sets the count, whatever others add to it meanwhile. */
  set(value: number): void {
    const { owner, key, property } = this.writable();
    assertInteger(value, "value");
    owner.view.core.set(owner.index, key, property.column, value);
  }

  private writable(): CounterCell {
    const cell = this[CELL];
    cell.owner.view.assertWritable();
    if (!cell.owner.isValid(cell.key)) {
      throw new AssertionError("Accessing object which has been invalidated or deleted");
    }
    return cell;
  }
}

function assertInteger(value: unknown, name: string): void {
  if (!Number.isSafeInteger(value)) throw new TypeAssertionError("an integer", value, name);
}
