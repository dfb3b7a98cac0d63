import { assert, assertFunction, assertString } from "./assert.js";
import { dictionaryChanges, noEntryChanges } from "./change-sets.js";
import { Collection } from "./collection.js";
import { setEntries, setEntry } from "./create.js";
import { DictionarySource, NestedDictionarySource } from "./dictionary-source.js";
import { IllegalConstructorError } from "./errors.js";
import { jsonCache, toPlain } from "./json.js";
import { parseKeyPaths, resolveKeyPaths } from "./key-paths.js";
import { registerNestedDictionary } from "./nested-maker.js";
import type { DefaultObject } from "./schema.js";
import { ENTRIES } from "./symbols.js";

/** What happened to a dictionary, by key. */
export type DictionaryChangeSet = {
  deletions: string[];
  modifications: string[];
  insertions: string[];
};

export type DictionaryChangeCallback<T = unknown> = (dictionary: Dictionary<T>, changes: DictionaryChangeSet) => void;

const NO_SYMBOLS = "Symbols cannot be used as keys of a dictionary";

/** @internal Turns `dictionary.name`, assignment, `delete` and `Object.keys` into calls to the source. */
const handler: ProxyHandler<DictionaryMethods> = {
  get(target, name) {
    const own = Reflect.get(target, name, target);
    return own === undefined && typeof name === "string" ? target[ENTRIES].get(name) : own;
  },
  set(target, name, value) {
    assert(typeof name === "string", NO_SYMBOLS);
    const source = target[ENTRIES];
    source.assertWritable();
    setEntry(source, name, value);
    return true;
  },
  deleteProperty(target, name) {
    if (typeof name !== "string") return false;
    const source = target[ENTRIES];
    source.assertWritable();
    source.remove(name);
    return true;
  },
  has(target, name) {
    return Reflect.has(target, name) || (typeof name === "string" && target[ENTRIES].raw(name) !== undefined);
  },
  ownKeys(target) {
    return target[ENTRIES].names();
  },
  getOwnPropertyDescriptor(target, name) {
    if (typeof name !== "string" || target[ENTRIES].raw(name) === undefined) return undefined;
    return { configurable: true, enumerable: true, writable: true, value: target[ENTRIES].get(name) };
  },
  defineProperty(target, name, descriptor) {
    return handler.set?.(target, name, descriptor.value, target) ?? false;
  },
};

/** The methods of a dictionary, without the values that are read by key. */
export class DictionaryMethods<T = unknown> extends Collection<
  string,
  T,
  [string, T],
  [string, T],
  DictionaryChangeCallback<T>
> {
  /** @internal */
  declare readonly [ENTRIES]: DictionarySource;

  /** @internal */
  constructor(source?: DictionarySource) {
    if (!(source instanceof DictionarySource)) throw new IllegalConstructorError("Dictionary");
    super();
    Object.defineProperty(this, ENTRIES, { value: source, configurable: true });
    // biome-ignore lint/correctness/noConstructorReturn: access by key needs a proxy
    return new Proxy(this as unknown as DictionaryMethods, handler) as unknown as this;
  }

  override isValid(): boolean {
    return this[ENTRIES].isValid();
  }

  override *keys(): Generator<string> {
    yield* this[ENTRIES].names();
  }

  override *values(): Generator<T> {
    for (const [, value] of this[ENTRIES].entries()) yield value as T;
  }

  override *entries(): Generator<[string, T]> {
    yield* this[ENTRIES].entries() as [string, T][];
  }

  override [Symbol.iterator](): Generator<[string, T]> {
    return this.entries();
  }

  /** Writes one value, or every value of an object. */
  set(elements: { [key: string]: T }): this;
  set(key: string, value: T): this;
  set(elementsOrKey: string | { [key: string]: T }, value?: T): this {
    const source = this[ENTRIES];
    source.assertWritable();
    if (typeof elementsOrKey === "string") {
      setEntry(source, elementsOrKey, value);
      return this;
    }
    const elements = typeof elementsOrKey === "object" ? elementsOrKey : { [elementsOrKey]: value };
    assert(Object.getOwnPropertySymbols(elements).length === 0, NO_SYMBOLS);
    setEntries(source, Object.entries(elements));
    return this;
  }

  /** Removes what is kept under one key or several. */
  remove(key: string | string[]): this {
    const source = this[ENTRIES];
    source.assertWritable();
    const names = typeof key === "string" ? [key] : [...key];
    for (const name of names) assertString(name, "key");
    for (const name of names) source.remove(name);
    return this;
  }

  override toJSON(_key?: string, cache?: unknown): DefaultObject {
    const seen = jsonCache(cache);
    return Object.fromEntries(this[ENTRIES].entries().map(([name, value]) => [name, toPlain(value, name, seen)]));
  }

  override addListener(callback: DictionaryChangeCallback<T>, keyPaths?: string | string[]): void {
    assertFunction(callback, "callback");
    const source = this[ENTRIES];
    source.view.assertOpen();
    const { coordinator } = source.view;
    assert(coordinator, "A frozen realm does not change: it takes no listeners");
    source.assertValid();
    const paths = parseKeyPaths(keyPaths);
    const { target } = source;
    assert(!paths || target, "Key paths lead from objects: this is a dictionary of values");
    coordinator.observations.add({
      view: source.view,
      subject: this,
      callback: callback as (subject: unknown, changes: unknown) => void,
      keyPaths: paths && target && resolveKeyPaths(target, paths),
      empty: noEntryChanges,
      start: (core) => source.observe(core),
      changes: dictionaryChanges,
    });
  }

  override removeListener(callback: DictionaryChangeCallback<T>): void {
    assertFunction(callback, "callback");
    this[ENTRIES].view.coordinator?.observations.remove(this, callback as never);
  }

  override removeAllListeners(): void {
    this[ENTRIES].view.coordinator?.observations.removeAll(this);
  }
}

/** Values by string keys that belong to an object, live and writable in place. */
export type Dictionary<T = unknown> = DictionaryMethods<T> & { [key: string]: T };

// A class cannot have both methods and a value of type T under every other name; the intersection of two types can.
export const Dictionary = DictionaryMethods as unknown as {
  new <T = unknown>(): Dictionary<T>;
  readonly prototype: Dictionary;
};
Object.defineProperty(DictionaryMethods, "name", { value: "Dictionary" });

registerNestedDictionary((place) => new DictionaryMethods(new NestedDictionarySource(place)));

/** Any dictionary. */
export type AnyDictionary = Dictionary<unknown>;
