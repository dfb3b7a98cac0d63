import { AssertionError, TypeAssertionError } from "./errors.js";

/** Throws an AssertionError with `message` (or the given error) unless `condition` holds. */
export function assert(condition: unknown, message: string | (() => Error)): asserts condition {
  if (!condition) throw typeof message === "string" ? new AssertionError(message) : message();
}

export function assertString(value: unknown, name?: string): asserts value is string {
  if (typeof value !== "string") throw new TypeAssertionError("a string", value, name);
}

export function assertNumber(value: unknown, name?: string): asserts value is number {
  if (typeof value !== "number") throw new TypeAssertionError("a number", value, name);
}

export function assertBoolean(value: unknown, name?: string): asserts value is boolean {
  if (typeof value !== "boolean") throw new TypeAssertionError("a boolean", value, name);
}

export function assertFunction(value: unknown, name?: string): asserts value is (...args: never[]) => unknown {
  if (typeof value !== "function") throw new TypeAssertionError("a function", value, name);
}

export function assertObject(value: unknown, name?: string): asserts value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeAssertionError("an object", value, name);
  }
}

export function assertArray(value: unknown, name?: string): asserts value is unknown[] {
  if (!Array.isArray(value)) throw new TypeAssertionError("an array", value, name);
}
