// The types of properties under the names that schemas give them, for class models that declare theirs.
import { BSON } from "./bson.js";
import { Results } from "./results.js";

export { Counter } from "./counter.js";
export { Dictionary } from "./dictionary.js";
export { List } from "./list.js";
export { RealmSet as Set } from "./set.js";

export type Bool = boolean;
export type String = string;
export type Int = number;
export type Float = number;
export type Double = number;
export type Mixed = unknown;

export const Decimal128 = BSON.Decimal128;
export type Decimal128 = BSON.Decimal128;
export const ObjectId = BSON.ObjectId;
export type ObjectId = BSON.ObjectId;
export const UUID = BSON.UUID;
export type UUID = BSON.UUID;

export const Date: DateConstructor = globalThis.Date;
export type Date = InstanceType<DateConstructor>;
export const Data: ArrayBufferConstructor = ArrayBuffer;
export type Data = ArrayBuffer;

export const LinkingObjects = Results;
/** The objects of type `ObjectType` that link here by their property `_Property`. */
export type LinkingObjects<ObjectType, _Property> = Results<ObjectType>;
