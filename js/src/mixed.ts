// The values of a mixed, which are of any type: how they cross the boundary.
import { BSON, decimalBytes, isDecimal, isObjectId, isUuid, objectIdBytes, uuidBytes } from "./bson.js";
import type { ClassModel } from "./class-model.js";
import type { CorePath, CoreValue } from "./core.js";
import { AssertionError } from "./errors.js";
import { nestedDictionary, nestedList } from "./nested-maker.js";
import { RealmObject } from "./object.js";
import { bufferOf, bytesOf, inInt64, isDate, type PropertyModel } from "./property.js";
import type { Source } from "./source.js";
import { CELL, ENTRIES, KEY, MODEL, SOURCE } from "./symbols.js";
import type { View } from "./view.js";

/** Where a value lies: in a property, or in a collection within it. */
export interface Place {
  readonly owner: ClassModel;
  readonly key: number;
  readonly property: PropertyModel;
  readonly path: CorePath;
}

/** How deep lists and dictionaries may lie in one another. */
const NESTED_MAX = 100;

/** The engine's form of a value of a mixed. */
export function lowerMixed(view: View, value: unknown, depth = 0): CoreValue {
  switch (typeof value) {
    case "undefined":
      return null;
    case "string":
    case "number":
    case "boolean":
      return value;
    case "bigint":
      return inInt64(value, "a mixed value");
    case "object":
      return value === null ? null : lowerObject(view, value, depth);
    case "function":
    case "symbol":
      throw new Error(`Can't convert ${typeof value} to Mixed`);
  }
}

function lowerObject(view: View, value: object, depth: number): CoreValue {
  if (isDate(value)) {
    if (Number.isNaN(value.getTime())) throw new Error("Expected a valid date as a Mixed value");
    return value;
  }
  if (value instanceof RealmObject) return lowerLink(view, value);
  if (isObjectId(value)) return { objectId: objectIdBytes(value) };
  if (isUuid(value)) return { uuid: uuidBytes(value) };
  if (isDecimal(value)) return { decimal128: decimalBytes(value) };
  const bytes = bytesOf(value);
  if (bytes) return bytes;
  if (value instanceof Set || (SOURCE in value && (value[SOURCE] as Source).collection === "set")) {
    throw new Error(`Using a ${value.constructor.name} as a Mixed value is not supported.`);
  }
  if (CELL in value) throw new Error("Using a Counter as a Mixed value is not supported.");
  const isList = Array.isArray(value) || (SOURCE in value && (value[SOURCE] as Source).collection === "list");
  if (!isList && !isPlain(value) && !(ENTRIES in value)) {
    throw new Error(`Unable to convert an object with ctor '${value.constructor?.name}' to a Mixed`);
  }
  if (depth === NESTED_MAX)
    throw new Error(`Lists and dictionaries may lie at most ${NESTED_MAX} deep in a Mixed value.`);
  if (isList) return Array.from(value as unknown[], (element) => lowerMixed(view, element, depth + 1));
  const map: Record<string, CoreValue> = Object.create(null);
  for (const [key, element] of Object.entries(value)) map[checkKey(key)] = lowerMixed(view, element, depth + 1);
  return { map };
}

function lowerLink(view: View, object: RealmObject<unknown>): CoreValue {
  const model = object[MODEL];
  if (model === undefined) throw new Error("Cannot use a detached RealmObject instance as a Mixed value");
  if (model.schema.embedded) {
    throw new Error(`Using an embedded object (${model.name}) as a Mixed value is not supported.`);
  }
  if (model.view.core !== view.core) throw new AssertionError("Realm object is from another Realm");
  if (!object.isValid()) throw new Error("Target object not found");
  return { link: [model.index, object[KEY]] };
}

/** Whether an object is a mere set of named values. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || value.constructor === Object;
}

/** Refuses what no dictionary has for a key. */
export function checkKey(key: string): string {
  if (key.startsWith("$")) throw new Error("Dictionary::insert: key must not start with '$'");
  if (key.includes(".")) throw new Error("Dictionary::insert: key must not contain '.'");
  return key;
}

type Raw = {
  nested?: "list" | "dictionary";
  link?: [number, number];
  objectId?: Uint8Array;
  uuid?: Uint8Array;
  decimal128?: Uint8Array;
};

/** The JavaScript form of a value of a mixed; `place` says where it lies, for collections. */
export function liftMixed(view: View, raw: unknown, place: () => Place): unknown {
  if (raw === null || raw === undefined) return null;
  if (typeof raw !== "object" || raw instanceof Date) return raw;
  if (raw instanceof Uint8Array) return bufferOf(raw);
  const { nested, link, objectId, uuid, decimal128 } = raw as Raw;
  if (nested === "list") return nestedList(place());
  if (nested === "dictionary") return nestedDictionary(place());
  if (link) return view.modelAt(link[0]).wrap(link[1]);
  if (objectId) return new BSON.ObjectId(objectId);
  if (uuid) return new BSON.UUID(uuid);
  return new BSON.Decimal128(decimal128 as Uint8Array);
}
