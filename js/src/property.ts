// One property of one class: how its values cross the boundary, with Realm's messages for values that do not fit.
import { BSON, isObjectId, isUuid, objectIdBytes, uuidBytes } from "./bson.js";
import type { CoreProperty, CoreValue } from "./core.js";
import { TypeAssertionError } from "./errors.js";
import type { CanonicalPropertySchema } from "./schema.js";

/** What a value of a property, or an element of a list, may be. */
export interface PropertyModel {
  readonly name: string;
  readonly column: number;
  readonly kind: CoreProperty["type"];
  readonly isList: boolean;
  readonly optional: boolean;
  /** The class that a link leads to. */
  readonly target: string | undefined;
  readonly schema: CanonicalPropertySchema;
}

export function propertyModel(schema: CanonicalPropertySchema, core: CoreProperty, column: number): PropertyModel {
  return {
    name: schema.name,
    column,
    kind: core.type,
    isList: core.collection === "list",
    optional: schema.optional,
    target: core.type === "link" ? (core.objectType as string) : undefined,
    schema,
  };
}

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;

/**
 * The engine's form of a primitive value.
 * @throws TypeAssertionError naming `label` when the value does not fit.
 */
export function lowerPrimitive(property: PropertyModel, value: unknown, label: string): CoreValue {
  if ((value === null || value === undefined) && property.optional) return null;
  switch (property.kind) {
    case "string":
      if (typeof value !== "string") throw new TypeAssertionError("a string", value, label);
      return value;
    case "bool":
      if (typeof value !== "boolean") throw new TypeAssertionError("a boolean", value, label);
      return value;
    case "double":
      if (typeof value !== "number") throw new TypeAssertionError("a number", value, label);
      return value;
    case "int":
      return lowerInt(value, label);
    case "date":
      return lowerDate(value, label);
    case "data":
      return lowerData(value, label);
    case "objectId":
      if (!isObjectId(value)) throw new TypeAssertionError("an instance of ObjectId", value, label);
      return objectIdBytes(value);
    case "uuid":
      if (!isUuid(value)) throw new TypeAssertionError("an instance of UUID", value, label);
      return uuidBytes(value);
    case "link":
      throw new TypeAssertionError("a primitive value", value, label);
  }
}

function lowerInt(value: unknown, label: string): number | bigint {
  if (typeof value === "number") {
    if (Number.isSafeInteger(value)) return value;
    const exact = BigInt(value); // throws a RangeError that names a fraction, NaN or an infinity
    if (exact < INT_MIN || exact > INT_MAX) throw new RangeError(`Expected '${label}' to fit in 64 bits, got ${value}`);
    return exact;
  }
  if (typeof value === "bigint") {
    if (value < INT_MIN || value > INT_MAX) throw new RangeError(`Expected '${label}' to fit in 64 bits, got ${value}`);
    return value;
  }
  throw new TypeAssertionError("a number or bigint", value, label);
}

function lowerDate(value: unknown, label: string): Date {
  const date = typeof value === "string" ? new Date(value) : value;
  if (!isDate(date)) throw new TypeAssertionError("an instance of Date", value, label);
  if (Number.isNaN(date.getTime())) throw new TypeAssertionError("a valid date", value, label);
  return date;
}

function isDate(value: unknown): value is Date {
  return value instanceof Date || Object.prototype.toString.call(value) === "[object Date]";
}

function lowerData(value: unknown, label: string): Uint8Array {
  if (value instanceof ArrayBuffer || Object.prototype.toString.call(value) === "[object ArrayBuffer]") {
    return new Uint8Array(value as ArrayBuffer);
  }
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (typeof value === "string") {
    try {
      return Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
    } catch {
      throw new TypeAssertionError("an ArrayBuffer, an ArrayBufferView or a base64 string", value, label);
    }
  }
  throw new TypeAssertionError("an instance of ArrayBuffer", value, label);
}

/** The JavaScript form of a primitive that the engine gave. */
export function liftPrimitive(kind: CoreProperty["type"], raw: unknown): unknown {
  if (raw === null || raw === undefined) return null;
  switch (kind) {
    case "date":
      return new Date(raw as number);
    case "data":
      return bufferOf(raw as Uint8Array);
    case "objectId":
      return new BSON.ObjectId(raw as Uint8Array);
    case "uuid":
      return new BSON.UUID(raw as Uint8Array);
    case "bool":
    case "int":
    case "double":
    case "string":
    case "link":
      return raw;
  }
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  return (
    byteOffset === 0 && byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)
  ) as ArrayBuffer;
}

/** Whether two values in the engine's form are the same. */
export function sameCoreValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a == null || b == null) return a == null && b == null;
  if (a instanceof Date || b instanceof Date) return Number(a) === Number(b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, index) => byte === b[index]);
  }
  const numeric = (value: unknown) => typeof value === "number" || typeof value === "bigint";
  // biome-ignore lint/suspicious/noDoubleEquals: an int is a number or a bigint, and these are equal only loosely
  return numeric(a) && numeric(b) && a == b;
}
