// What is found under `Realm.Services.`: parts of a MongoDB app that this server does not have.
import type { PushClient } from "./push.js";

export type { MongoDBDatabase } from "./mongodb.js";
export * as MongoDB from "./mongodb-names.js";
export type Push = PushClient;
