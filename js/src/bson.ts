import * as BSON from "./bson-names.js";

export { BSON };

/** Whether `value` is an ObjectId of this or of another copy of bson. */
export function isObjectId(value: unknown): value is BSON.ObjectId {
  return value instanceof BSON.ObjectId || hasBsonType(value, "ObjectId") || hasBsonType(value, "ObjectID");
}

/** Whether `value` is a UUID of this or of another copy of bson. */
export function isUuid(value: unknown): value is BSON.UUID {
  return (
    value instanceof BSON.UUID || (hasBsonType(value, "Binary") && (value as { sub_type?: number }).sub_type === 4)
  );
}

/** Whether `value` is a Decimal128 of this or of another copy of bson. */
export function isDecimal(value: unknown): value is BSON.Decimal128 {
  return value instanceof BSON.Decimal128 || hasBsonType(value, "Decimal128");
}

function hasBsonType(value: unknown, type: string): boolean {
  return typeof value === "object" && value !== null && (value as { _bsontype?: unknown })._bsontype === type;
}

/** The 12 bytes of an ObjectId. */
export function objectIdBytes(value: BSON.ObjectId): Uint8Array {
  return Uint8Array.from(value.id as unknown as Uint8Array);
}

/** The 16 bytes of a UUID. */
export function uuidBytes(value: BSON.UUID): Uint8Array {
  return Uint8Array.from((value as unknown as { buffer: Uint8Array }).buffer);
}

/** The 16 bytes of a Decimal128. */
export function decimalBytes(value: BSON.Decimal128): Uint8Array {
  return Uint8Array.from(value.bytes);
}
