// The arguments of queries, in the engine's form.
import { decimalBytes, isDecimal, isObjectId, isUuid, objectIdBytes, uuidBytes } from "./bson.js";
import { Collection } from "./collection.js";
import { Counter } from "./counter.js";
import { lowerGeo } from "./geo.js";
import { RealmObject } from "./object.js";
import { KEY, MODEL } from "./symbols.js";
import type { View } from "./view.js";

/** The arguments of a query of a realm. */
export function lowerArguments(view: View, args: unknown[]): unknown[] {
  return args.map((arg) => (Array.isArray(arg) ? arg.map((value) => lower(view, value)) : lower(view, arg)));
}

function lower(view: View, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === "symbol" || typeof value === "function") {
    throw new Error(`Can't convert ${typeof value} to Mixed`);
  }
  if (typeof value !== "object" || value instanceof Date) return value;
  if (value instanceof RealmObject && value[MODEL] !== undefined) return lowerObject(view, value);
  if (value instanceof Counter) {
    throw new Error("Using a Counter as a query argument is not supported. Use 'Counter.value'.");
  }
  if (value instanceof Set || value instanceof Collection || Array.isArray(value)) {
    throw new Error(`Using a ${value.constructor.name} as a query argument is not supported.`);
  }
  if (isObjectId(value)) return { objectId: objectIdBytes(value) };
  if (isUuid(value)) return { uuid: uuidBytes(value) };
  if (isDecimal(value)) return { decimal128: decimalBytes(value) };
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  const shape = lowerGeo(value);
  if (shape) return shape;
  throw new Error(`Unable to convert an object with ctor '${value.constructor?.name}' to a Mixed`);
}

function lowerObject(view: View, object: RealmObject<unknown>): unknown {
  const model = object[MODEL];
  if (!object.isValid()) throw new Error("Accessing object which has been invalidated or deleted");
  if (view.isEmbedded(model.name)) {
    throw new Error(`Using an embedded object (${model.name}) as a query argument is not supported.`);
  }
  if (model.view.core !== view.core) throw new Error("Realm object is from another Realm");
  return { link: [model.index, object[KEY]] };
}
