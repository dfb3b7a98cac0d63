// One property of one class: how its values cross the boundary, with Realm's messages for values that do not fit.
import { BSON, decimalBytes, isDecimal, isObjectId, isUuid, objectIdBytes, uuidBytes } from "./bson.js";
import type { CoreProperty, CoreValue } from "./core.js";
import { TypeAssertionError } from "./errors.js";
import type { CanonicalPropertySchema } from "./schema.js";
import { CELL } from "./symbols.js";

/** What a value of a property, or an element of a collection, may be. */
export interface PropertyModel {
  /** The name that the application uses. */
  readonly name: string;
  /** Class and name, for messages. */
  readonly label: string;
  /** The position in the store; -1 for links the other way round, which are not stored. */
  readonly column: number;
  readonly kind: CoreProperty["type"];
  readonly collection: CoreProperty["collection"];
  readonly optional: boolean;
  /** The class that a link leads to, or comes from. */
  readonly target: string | undefined;
  /** Whether the objects linked to belong to this property. */
  readonly isEmbedded: boolean;
  readonly isCounter: boolean;
  /** The property of the target whose links these are, seen from the other end. */
  readonly origin: string | undefined;
  readonly schema: CanonicalPropertySchema;
}

/** The model of a stored property. */
export function propertyModel(
  className: string,
  schema: CanonicalPropertySchema,
  core: CoreProperty,
  column: number,
  isEmbedded: (className: string) => boolean,
): PropertyModel {
  const target = core.type === "link" ? (core.objectType as string) : undefined;
  return {
    name: schema.name,
    label: `${className}.${schema.name}`,
    column,
    kind: core.type,
    collection: core.collection,
    optional: schema.optional,
    target,
    isEmbedded: target !== undefined && isEmbedded(target),
    isCounter: schema.presentation === "counter",
    origin: undefined,
    schema,
  };
}

/** The model of a property of links the other way round. */
export function linkingModel(className: string, schema: CanonicalPropertySchema): PropertyModel {
  return {
    name: schema.name,
    label: `${className}.${schema.name}`,
    column: -1,
    kind: "link",
    collection: undefined,
    optional: false,
    target: schema.objectType,
    isEmbedded: false,
    isCounter: false,
    origin: schema.property,
    schema,
  };
}

/** The property's type as Realm's messages spell it: `string? property`, `int list`. */
export function typeInWords({ kind, collection, optional, origin }: PropertyModel): string {
  if (origin !== undefined) return "linking objects property";
  return `${coreTypeName(kind)}${optional ? "?" : ""} ${collection ?? "property"}`;
}

/** A type as the engine's schema messages spell it. */
export function coreTypeName(kind: string): string {
  return kind === "link" ? "object" : kind === "decimal128" ? "decimal" : kind;
}

/** The error of a value that does not fit. */
export function misfit(property: PropertyModel, expected: string, value: unknown, label?: string): TypeAssertionError {
  return located(property, new TypeAssertionError(expected, value, label));
}

/** An error that names class and property. */
export function located<E extends Error>(property: PropertyModel, error: E): E {
  error.message += ` (${property.label})`;
  return error;
}

/** Runs a conversion of a value for a property; its errors name class and property. */
export function converting<T>(property: PropertyModel, convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    throw error instanceof Error ? located(property, error) : error;
  }
}

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;

/**
 * The engine's form of a primitive value.
 * @throws TypeAssertionError naming `label`, or else the property, when the value does not fit.
 */
export function lowerPrimitive(property: PropertyModel, value: unknown, label?: string): CoreValue {
  if ((value === null || value === undefined) && property.optional) return null;
  switch (property.kind) {
    case "string":
      if (typeof value !== "string") throw misfit(property, "a string", value, label);
      return value;
    case "bool":
      if (typeof value !== "boolean") throw misfit(property, "a boolean", value, label);
      return value;
    case "float":
    case "double":
      if (typeof value !== "number") throw misfit(property, "a number", value, label);
      return value;
    case "int":
      return lowerInt(property, value, label);
    case "date":
      return lowerDate(property, value, label);
    case "data":
      return lowerData(property, value, label);
    case "decimal128":
      if (!isDecimal(value)) throw misfit(property, "an instance of Decimal128", value, label);
      return decimalBytes(value);
    case "objectId":
      if (!isObjectId(value)) throw misfit(property, "an instance of ObjectId", value, label);
      return objectIdBytes(value);
    case "uuid":
      if (!isUuid(value)) throw misfit(property, "an instance of UUID", value, label);
      return uuidBytes(value);
    case "link":
    case "mixed":
      throw misfit(property, "a primitive value", value, label);
  }
}

function lowerInt(property: PropertyModel, value: unknown, label: string | undefined): number | bigint {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  if (typeof value === "number" || typeof value === "bigint") {
    // A fraction, NaN or an infinity is a RangeError of BigInt's own.
    const exact = converting(property, () => BigInt(value));
    return inInt64(exact, label ?? property.label);
  }
  if (typeof value === "object" && value !== null && CELL in value) {
    if (property.isCounter) return (value as unknown as { value: number }).value;
    throw located(property, new Error("Counters can only be used when 'counter' is declared in the property schema."));
  }
  throw misfit(property, "a number or bigint", value, label);
}

/** Refuses an integer that 64 bits do not hold. */
export function inInt64(value: bigint, label: string): bigint {
  if (value < INT_MIN || value > INT_MAX) throw new RangeError(`Expected '${label}' to fit in 64 bits, got ${value}`);
  return value;
}

function lowerDate(property: PropertyModel, value: unknown, label: string | undefined): Date {
  const date = typeof value === "string" ? new Date(value) : value;
  if (!isDate(date)) throw misfit(property, "an instance of Date", value, label);
  if (Number.isNaN(date.getTime())) throw misfit(property, "a valid date", value, label);
  return date;
}

/** Whether `value` is a Date of this or of another realm of JavaScript. */
export function isDate(value: unknown): value is Date {
  return value instanceof Date || Object.prototype.toString.call(value) === "[object Date]";
}

function lowerData(property: PropertyModel, value: unknown, label: string | undefined): Uint8Array {
  const bytes = bytesOf(value);
  if (bytes) return bytes;
  if (typeof value === "string") {
    try {
      return Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
    } catch {
      throw misfit(property, "an ArrayBuffer, an ArrayBufferView or a base64 string", value, label);
    }
  }
  throw misfit(property, "an instance of ArrayBuffer", value, label);
}

/** The bytes of a buffer or of a view of one. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof ArrayBuffer || Object.prototype.toString.call(value) === "[object ArrayBuffer]") {
    return new Uint8Array(value as ArrayBuffer);
  }
  if (!ArrayBuffer.isView(value)) return undefined;
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
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
    case "decimal128":
      return new BSON.Decimal128(raw as Uint8Array);
    case "bool":
    case "int":
    case "float":
    case "double":
    case "string":
    case "link":
    case "mixed":
      return raw;
  }
}

/** The buffer of bytes, and of nothing else. */
export function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  return (
    byteOffset === 0 && byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)
  ) as ArrayBuffer;
}

/** The value, made now if it is a function, that an object created without one gets. */
export function defaultOf({ schema }: PropertyModel): unknown {
  return typeof schema.default === "function" ? (schema.default as () => unknown)() : schema.default;
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
