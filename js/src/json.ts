// Objects and collections as plain values.
import { Collection } from "./collection.js";
import type { AnyRealmObject } from "./object.js";
import type { DefaultObject } from "./schema.js";
import { MODEL } from "./symbols.js";

/** Objects already turned to JSON, by class and key: what makes cycles possible. */
export type JsonCache = Map<string, DefaultObject>;

/** The cache that a call of toJSON was given, or a new one. */
export function jsonCache(cache: unknown): JsonCache {
  return cache instanceof Map ? cache : new Map();
}

/** A value as it stands in JSON: plain where it is live, and a number where JSON has no integers of its size. */
export function toPlain(value: unknown, name: string, cache: JsonCache): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  const isLive = value instanceof Collection || MODEL in value;
  return isLive ? (value as unknown as AnyRealmObject).toJSON(name, cache) : value;
}
