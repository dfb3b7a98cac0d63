// What is found under `BSON.`: all that the package has, and the names that Realm has for it.
import { EJSON, ObjectId } from "bson";

export * from "bson";
export const ObjectID = ObjectId;
export type ObjectID = ObjectId;
const ExtendedJson = EJSON;
type ExtendedJson = typeof EJSON;

export { ExtendedJson as EJSON };
