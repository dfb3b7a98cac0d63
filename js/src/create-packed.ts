// Creating an object of plain values in one call: most are such, and one call costs less than one for each value.
import type { ClassModel } from "./class-model.js";
import { codeOf } from "./core.js";
import { TypeAssertionError } from "./errors.js";
import { RealmObject } from "./object.js";
import { PackedObject } from "./packed.js";
import { defaultOf, lowerPrimitive, type PropertyModel } from "./property.js";
import { KEY, MODEL } from "./symbols.js";

const packed = new PackedObject();
let isPacking = false;

/**
 * Creates an object of plain values. Gives undefined, having done nothing, where that is not possible: for collections, for
 * objects that are to be created as well, and for whatever is wrong, which the other way finds again and explains.
 */
export function createPacked(model: ClassModel, input: unknown): number | undefined {
  // Reading a value or a default can run the application's code, which may create objects itself.
  if (isPacking || typeof input !== "object" || input === null || Array.isArray(input)) return undefined;
  if (model.schema.embedded || input instanceof RealmObject) return undefined;
  const values = input as Record<string, unknown>;
  isPacking = true;
  try {
    packed.begin();
    let isWhole = true;
    for (const property of model.stored) {
      const value = values[property.name];
      if (value !== undefined) {
        if (!pack(model, property, value, false)) return undefined;
        continue;
      }
      // Defaults are asked for once, when it is certain that this way leads to the end.
      if (!hasPlainDefault(model, property)) return undefined;
      isWhole = false;
    }
    if (!isWhole) {
      for (const property of model.stored) {
        if (values[property.name] === undefined && !packDefault(model, property)) return undefined;
      }
    }
    return model.view.core.createPacked(model.index, packed.length);
  } catch (error) {
    if (codeOf(error) !== undefined || error instanceof TypeAssertionError) return undefined;
    throw error;
  } finally {
    isPacking = false;
  }
}

/** Whether a property may be left out, as far as can be told without asking for its default. */
function hasPlainDefault(model: ClassModel, property: PropertyModel): boolean {
  if (property.schema.default === undefined) {
    if (property === model.primaryKey) return false;
    return property.collection !== undefined || property.optional;
  }
  const { collection, kind, isCounter } = property;
  return collection === undefined && kind !== "mixed" && kind !== "link" && !isCounter;
}

function packDefault(model: ClassModel, property: PropertyModel): boolean {
  if (property.schema.default === undefined) return true;
  const value = defaultOf(property);
  return value !== undefined && pack(model, property, value, true);
}

/** Writes one property of a new object; false if it takes the other way. */
function pack(model: ClassModel, property: PropertyModel, value: unknown, isDefault: boolean): boolean {
  const { column, kind } = property;
  if (property.collection !== undefined || property.isCounter) return false;
  if (value === null) {
    if (!property.optional || property === model.primaryKey) return false;
    packed.null(column, isDefault);
    return true;
  }
  switch (kind) {
    case "string":
      if (typeof value !== "string") return false;
      packed.string(column, isDefault, value);
      return true;
    case "bool":
      if (typeof value !== "boolean") return false;
      packed.boolean(column, isDefault, value);
      return true;
    case "float":
    case "double":
      if (typeof value !== "number") return false;
      packed.number(column, isDefault, value);
      return true;
    case "int":
      if (typeof value === "bigint" && BigInt.asIntN(64, value) === value) {
        packed.bigint(column, isDefault, value);
        return true;
      }
      if (typeof value !== "number" || !Number.isSafeInteger(value)) return false;
      packed.number(column, isDefault, value);
      return true;
    case "date":
      if (!(value instanceof Date) || Number.isNaN(value.getTime())) return false;
      packed.number(column, isDefault, value.getTime());
      return true;
    case "link": {
      if (property.isEmbedded || !(value instanceof RealmObject) || value[MODEL] === undefined) return false;
      const target = value[MODEL];
      if (target.view.core !== model.view.core || target.name !== property.target || !value.isValid()) return false;
      packed.number(column, isDefault, value[KEY]);
      return true;
    }
    case "data":
    case "decimal128":
    case "objectId":
    case "uuid":
      packed.bytes(column, isDefault, lowerPrimitive(property, value) as Uint8Array);
      return true;
    case "mixed":
      return false;
  }
}
