import { IllegalConstructorError, NotAvailableError } from "./errors.js";

/** An integer whose increments add up when devices make them at the same time: not available yet. */
export class Counter {
  /** @internal */
  constructor() {
    throw new IllegalConstructorError("Counter");
  }

  /** The count now. */
  get value(): number {
    throw new NotAvailableError("A counter");
  }

  /** Adds to the count. */
  increment(_by?: number): void {
    throw new NotAvailableError("A counter");
  }

  /** Subtracts from the count. */
  decrement(_by?: number): void {
    throw new NotAvailableError("A counter");
  }

  /** Sets the count, whatever others add to it meanwhile. */
  set(_value: number): void {
    throw new NotAvailableError("A counter");
  }
}
