import { Collection } from "./collection.js";
import { IllegalConstructorError, NotAvailableError } from "./errors.js";
import type { DefaultObject } from "./schema.js";

/** What happened to a dictionary, by key. */
export type DictionaryChangeSet = {
  deletions: string[];
  modifications: string[];
  insertions: string[];
};

export type DictionaryChangeCallback<T = unknown> = (dictionary: Dictionary<T>, changes: DictionaryChangeSet) => void;

/** The methods of a dictionary, without the values that are read by key. */
export class DictionaryMethods<T = unknown> extends Collection<
  string,
  T,
  [string, T],
  [string, T],
  DictionaryChangeCallback<T>
> {
  constructor() {
    super();
    throw new IllegalConstructorError("Dictionary");
  }

  override isValid(): boolean {
    throw new NotAvailableError("A dictionary");
  }

  override keys(): Generator<string> {
    throw new NotAvailableError("A dictionary");
  }

  override values(): Generator<T> {
    throw new NotAvailableError("A dictionary");
  }

  override entries(): Generator<[string, T]> {
    throw new NotAvailableError("A dictionary");
  }

  override [Symbol.iterator](): Generator<[string, T]> {
    return this.entries();
  }

  /** Writes one value, or every value of an object. */
  set(elements: { [key: string]: T }): this;
  set(key: string, value: T): this;
  set(_elementsOrKey: string | { [key: string]: T }, _value?: T): this {
    throw new NotAvailableError("A dictionary");
  }

  /** Removes what is kept under one key or several. */
  remove(_key: string | string[]): this {
    throw new NotAvailableError("A dictionary");
  }

  override toJSON(_key?: string, _cache?: unknown): DefaultObject {
    throw new NotAvailableError("A dictionary");
  }

  override addListener(_callback: DictionaryChangeCallback<T>, _keyPaths?: string | string[]): void {
    throw new NotAvailableError("A dictionary");
  }

  override removeListener(_callback: DictionaryChangeCallback<T>): void {
    throw new NotAvailableError("A dictionary");
  }

  override removeAllListeners(): void {
    throw new NotAvailableError("A dictionary");
  }
}

/** Values by string keys that belong to an object, live and writable in place: not available yet. */
export type Dictionary<T = unknown> = DictionaryMethods<T> & { [key: string]: T };

// A class cannot have both methods and a value of type T under every other name; the intersection of two types can.
export const Dictionary = DictionaryMethods as unknown as {
  new <T = unknown>(): Dictionary<T>;
  readonly prototype: Dictionary;
};
Object.defineProperty(DictionaryMethods, "name", { value: "Dictionary" });

/** Any dictionary. */
export type AnyDictionary = Dictionary<unknown>;
