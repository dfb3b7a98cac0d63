import { lowerArguments } from "./arguments.js";
import { assert, assertBoolean, assertFunction, assertString } from "./assert.js";
import { collectionChanges, noChanges, valueChanges } from "./change-sets.js";
import { type AnyCollection, Collection } from "./collection.js";
import { IllegalConstructorError, TypeAssertionError } from "./errors.js";
import { jsonCache, toPlain } from "./json.js";
import { parseKeyPaths, resolveKeyPaths } from "./key-paths.js";
import { liftMixed } from "./mixed.js";
import { coreTypeName, liftPrimitive, typeInWords } from "./property.js";
import type { Results } from "./results.js";
import { makeResults } from "./results-maker.js";
import { SnapshotSource } from "./results-source.js";
import type { DefaultObject } from "./schema.js";
import type { Source } from "./source.js";
import { SOURCE } from "./symbols.js";

/** A property to sort by, with whether to sort in reverse. */
export type SortDescriptor = string | [string, boolean];

/** What happened to a collection: deletions and old modifications index the old state, the others the new one. */
export type CollectionChangeSet = {
  insertions: number[];
  deletions: number[];
  newModifications: number[];
  oldModifications: number[];
};

export type CollectionChangeCallback<T = unknown, EntryType extends [unknown, unknown] = [unknown, unknown]> = (
  collection: OrderedCollection<T, EntryType>,
  changes: CollectionChangeSet,
) => void;

/** @internal Turns `collection[3]`, `length`, `Object.keys` and assignment into calls to the source. */
const handler: ProxyHandler<OrderedCollection> = {
  get(target, name) {
    if (typeof name === "string") {
      if (name === "length") return target[SOURCE].length();
      const index = indexOf(name);
      if (index !== undefined) return index < 0 ? undefined : target[SOURCE].at(index);
    }
    return Reflect.get(target, name, target);
  },
  set(target, name, value) {
    if (name === "length") throw new Error("Cannot assign to read only property 'length'");
    const index = typeof name === "string" ? indexOf(name) : undefined;
    if (index === undefined) return Reflect.set(target, name, value, target);
    target.assign(index, value);
    return true;
  },
  has(target, name) {
    const index = typeof name === "string" ? indexOf(name) : undefined;
    if (index === undefined) return Reflect.has(target, name);
    return index >= 0 && index < target[SOURCE].count();
  },
  ownKeys(target) {
    return Array.from({ length: target[SOURCE].count() }, (_, index) => String(index));
  },
  getOwnPropertyDescriptor(target, name) {
    const index = typeof name === "string" ? indexOf(name) : undefined;
    if (index === undefined) return name === SOURCE ? undefined : Reflect.getOwnPropertyDescriptor(target, name);
    if (index < 0 || index >= target[SOURCE].count()) return undefined;
    return { configurable: true, enumerable: true, writable: true, value: target[SOURCE].at(index) };
  },
};

/** The position that a property's name stands for, if it begins like a number. */
function indexOf(name: string): number | undefined {
  const first = name.charCodeAt(0);
  if (!((first >= 48 && first <= 57) || first === 45)) return undefined;
  const index = Number.parseInt(name, 10);
  return Number.isNaN(index) ? undefined : index;
}

/** A collection whose elements have an order: it indexes, iterates and slices like an array, and it is live. */
export abstract class OrderedCollection<T = unknown, EntryType extends [unknown, unknown] = [number, T]>
  extends Collection<number, T, EntryType, T, CollectionChangeCallback<T, EntryType>>
  implements
    Omit<ReadonlyArray<T>, "entries" | "with" | "toReversed" | "toSorted" | "toSpliced" | "findLast" | "findLastIndex">
{
  [n: number]: T;
  /** @internal */
  declare readonly [SOURCE]: Source;

  /** @internal */
  constructor(source: Source) {
    super();
    if (source === undefined) throw new IllegalConstructorError("OrderedCollection");
    Object.defineProperty(this, SOURCE, { value: source, configurable: true });
    // biome-ignore lint/correctness/noConstructorReturn: indexing needs a proxy
    return new Proxy(this as unknown as OrderedCollection, handler) as unknown as this;
  }

  /** @internal */
  assign(_index: number, _value: unknown): void {
    throw new Error(`Modifying a ${this.constructor.name} collection is not supported.`);
  }

  /** The number of elements. */
  get length(): number {
    return this[SOURCE].length();
  }
  set length(_value: number) {
    throw new Error("Cannot assign to read only property 'length'");
  }

  /** What the elements are: `"object"`, or a primitive type. */
  get type(): string {
    const { kind } = this[SOURCE].element;
    return kind === "link" ? "object" : kind;
  }

  /** Whether elements may be null. */
  get optional(): boolean {
    return this[SOURCE].element.optional;
  }

  override isValid(): boolean {
    return this[SOURCE].isValid();
  }

  /** Whether there are no elements. */
  isEmpty(): boolean {
    return this[SOURCE].count() === 0;
  }

  /** The elements now, as an array of plain objects. */
  override toJSON(_key?: string, cache?: unknown): DefaultObject[] {
    const seen = jsonCache(cache);
    return this[SOURCE].values().map((element, index) => toPlain(element, String(index), seen) as DefaultObject);
  }

  override *keys(): Generator<number> {
    yield* this[SOURCE].values().keys();
  }

  /** The elements there are now, in order; changes made meanwhile do not disturb the iteration. */
  override *values(): Generator<T> {
    const source = this[SOURCE];
    const raw = source.raw();
    const { model } = source.element;
    const { coordinator } = source.view;
    let deletions = coordinator?.deletions;
    let mayBeGone = false;
    for (let index = 0; index < raw.length; index++) {
      if (deletions !== coordinator?.deletions) {
        deletions = coordinator?.deletions;
        mayBeGone = true;
      }
      const isGone = mayBeGone && model !== undefined && !model.isValid(raw[index] as number);
      yield (isGone ? null : source.lift(raw[index], index)) as T;
    }
  }

  override *entries(): Generator<EntryType> {
    let index = 0;
    for (const value of this.values()) yield [index++, value] as unknown as EntryType;
  }

  override [Symbol.iterator](): IterableIterator<T> {
    return this.values();
  }

  get [Symbol.unscopables](): (typeof Array.prototype)[typeof Symbol.unscopables] {
    return Array.prototype[Symbol.unscopables];
  }

  /** As of an array. */
  override toString(): string {
    return this.array().toString();
  }

  /** As of an array. */
  override toLocaleString(): string {
    return this.array().toLocaleString();
  }

  /** An array of the elements and of what is given. */
  concat(...items: (T | ConcatArray<T>)[]): T[] {
    return this.array().concat(...items.map((item) => (isCollection(item) ? ([...item] as T[]) : item)));
  }

  /** As of an array. */
  join(separator?: string): string {
    return this.array().join(separator);
  }

  /** An array of some of the elements. */
  slice(start?: number, end?: number): T[] {
    const source = this[SOURCE];
    const length = source.count();
    const place = (at: number) => (at < 0 ? Math.max(length + at, 0) : Math.min(at, length));
    const from = place(Math.trunc(Number(start ?? 0)) || 0);
    const to = end === undefined ? length : place(Math.trunc(Number(end)) || 0);
    // A few elements are read by themselves, many at once.
    if ((to - from) * 2 > length) return this.array().slice(from, to);
    return Array.from({ length: Math.max(to - from, 0) }, (_, index) => source.at(from + index) as T);
  }

  /** The position of an element, or -1. */
  indexOf(searchElement: T, fromIndex?: number): number {
    assert(fromIndex === undefined, "The second fromIndex argument is not yet supported");
    return this[SOURCE].indexOf(searchElement);
  }

  /** The last position of an element, or -1. */
  lastIndexOf(searchElement: T, fromIndex?: number): number {
    assert(fromIndex === undefined, "The second fromIndex argument is not yet supported");
    if (this[SOURCE].element.model === undefined) return this[SOURCE].lastIndexOf(searchElement);
    const reversed = [...this[SOURCE].raw()].reverse();
    const at = this[SOURCE].indexOf(searchElement);
    return at < 0 ? -1 : reversed.length - 1 - reversed.indexOf(this[SOURCE].raw()[at] as never);
  }

  /** Whether an element is there. */
  includes(searchElement: T, fromIndex?: number): boolean {
    return this.indexOf(searchElement, fromIndex) !== -1;
  }

  /** As of an array. */
  every<S extends T>(
    predicate: (value: T, index: number, array: readonly T[]) => value is S,
    thisArg?: unknown,
  ): this is readonly S[];
  every(predicate: (value: T, index: number, array: readonly T[]) => unknown, thisArg?: unknown): boolean;
  every(predicate: (value: T, index: number, array: readonly T[]) => unknown, thisArg?: unknown): boolean {
    return this.array().every(predicate, thisArg);
  }

  /** As of an array. */
  some(predicate: (value: T, index: number, array: readonly T[]) => unknown, thisArg?: unknown): boolean {
    return this.array().some(predicate, thisArg);
  }

  /** As of an array. */
  forEach(callback: (value: T, index: number, array: readonly T[]) => void, thisArg?: unknown): void {
    this.array().forEach(callback, thisArg);
  }

  /** As of an array. */
  map<U>(callback: (value: T, index: number, array: readonly T[]) => U, thisArg?: unknown): U[] {
    return this.array().map(callback, thisArg);
  }

  /** As of an array: `filtered` gives what stays live. */
  filter<S extends T>(predicate: (value: T, index: number, array: readonly T[]) => value is S, thisArg?: unknown): S[];
  filter(predicate: (value: T, index: number, array: readonly T[]) => unknown, thisArg?: unknown): T[];
  filter(predicate: (value: T, index: number, array: readonly T[]) => unknown, thisArg?: unknown): T[] {
    return this.array().filter(predicate, thisArg);
  }

  /** As of an array. */
  reduce(callback: (previous: T, current: T, index: number, array: readonly T[]) => T): T;
  reduce(callback: (previous: T, current: T, index: number, array: readonly T[]) => T, initial: T): T;
  reduce<U>(callback: (previous: U, current: T, index: number, array: readonly T[]) => U, initial: U): U;
  reduce(...args: unknown[]): unknown {
    return (this.array().reduce as (...all: unknown[]) => unknown).apply(this.array(), args);
  }

  /** As of an array. */
  reduceRight(callback: (previous: T, current: T, index: number, array: readonly T[]) => T): T;
  reduceRight(callback: (previous: T, current: T, index: number, array: readonly T[]) => T, initial: T): T;
  reduceRight<U>(callback: (previous: U, current: T, index: number, array: readonly T[]) => U, initial: U): U;
  reduceRight(...args: unknown[]): unknown {
    return (this.array().reduceRight as (...all: unknown[]) => unknown).apply(this.array(), args);
  }

  /** As of an array. */
  find<S extends T>(
    predicate: (this: void, value: T, index: number, array: readonly T[]) => value is S,
    thisArg?: unknown,
  ): S | undefined;
  find(predicate: (value: T, index: number, array: readonly T[]) => unknown, thisArg?: unknown): T | undefined;
  find(predicate: (value: T, index: number, array: readonly T[]) => unknown, thisArg?: unknown): T | undefined {
    return this.array().find(predicate, thisArg);
  }

  /** As of an array. */
  findIndex(predicate: (value: T, index: number, array: readonly T[]) => unknown, thisArg?: unknown): number {
    return this.array().findIndex(predicate, thisArg);
  }

  /** As of an array. */
  flatMap<U, This = undefined>(
    callback: (this: This, value: T, index: number, array: T[]) => U | readonly U[],
    thisArg?: This,
  ): U[] {
    return this.array().flatMap(callback, thisArg);
  }

  /** Throws, as in Realm. */
  flat<A, D extends number = 1>(this: A, _depth?: D): FlatArray<A, D>[] {
    throw new Error("Method not implemented.");
  }

  /** The element at `index`, counted from the end if negative. */
  at(index: number): T | undefined {
    const source = this[SOURCE];
    const position = index < 0 ? source.count() + Math.trunc(index) : Math.trunc(index) || 0;
    return position < 0 || source.isDeserted() ? undefined : (source.at(position) as T | undefined);
  }

  /** The query behind the collection, as text. */
  description(): string {
    const { order } = this[SOURCE];
    const text = this[SOURCE].query().description();
    return order && !text.endsWith(" ") ? `${text} ${order}` : text + order;
  }

  /** The smallest value of a property (or of the elements); undefined where there is none. */
  min(property?: string): number | Date | undefined {
    return this.aggregate("min", property) as number | Date | undefined;
  }

  /** The largest value of a property (or of the elements); undefined where there is none. */
  max(property?: string): number | Date | undefined {
    return this.aggregate("max", property) as number | Date | undefined;
  }

  /** The sum of the values of a property (or of the elements). */
  sum(property?: string): number {
    return (this.aggregate("sum", property) as number | undefined) ?? 0;
  }

  /** Their average; undefined where there is none. */
  avg(property?: string): number | undefined {
    return this.aggregate("avg", property) as number | undefined;
  }

  private aggregate(operation: Aggregate, name: string | undefined): unknown {
    const { element, view } = this[SOURCE];
    const { model } = element;
    let property = element.property;
    if (model) {
      assertString(name, "name");
      property = model.property(name);
    } else if (name !== undefined && name !== "self") {
      throw new Error(`Cannot get property named '${name}' on a list of primitives`);
    }
    assert(property, "invariant: values are of a property");
    const isMany = model !== undefined && (property.collection !== undefined || property.origin !== undefined);
    if (isMany || !canAggregate(operation, property.kind)) {
      const spelled = operation === "avg" ? "average" : operation;
      throw new Error(`Operation '${spelled}' not supported for ${typeInWords(property)} '${property.label}'`);
    }
    const result = this[SOURCE].query()[operation](property.column);
    if (result == null) return undefined;
    // An average of whole numbers is none itself.
    if (typeof result === "number") return property.kind === "date" ? new Date(result) : result;
    if (property.kind === "mixed") return liftMixed(view, result, () => this[SOURCE].place(0));
    return liftPrimitive(property.kind, result);
  }

  /** A live collection of those elements that match a query; `$0`, `$1` ... in it stand for the arguments. */
  filtered(queryString: string, ...args: unknown[]): Results<T> {
    assertString(queryString, "query");
    const source = this[SOURCE];
    const query = source.query(queryString, lowerArguments(source.view, args));
    return makeResults<T>(source.view, source.element, query, source.order, source.base);
  }

  /** A live collection of the elements in another order. */
  sorted(reverse?: boolean): Results<T>;
  sorted(descriptors: SortDescriptor[]): Results<T>;
  sorted(descriptor: string, reverse?: boolean): Results<T>;
  sorted(first: boolean | string | SortDescriptor[] = "self", reverse?: boolean): Results<T> {
    const source = this[SOURCE];
    const keys = sortKeys(first, reverse);
    const { model, kind } = source.element;
    if (!model) checkValueOrder(keys, coreTypeName(kind));
    if (keys.length === 0)
      return makeResults<T>(source.view, source.element, source.query(), source.order, source.base);
    const order = keys.map(([path, isAscending]) => `${path} ${isAscending ? "ASC" : "DESC"}`).join(", ");
    // An earlier order decides where this one does not.
    const whole = source.order ? `SORT(${order}, ${source.order.slice("SORT(".length)}` : `SORT(${order})`;
    return makeResults<T>(source.view, source.element, source.query().sort(keys), whole, source.base);
  }

  /** The elements as they are now: what is deleted later reads as null. */
  snapshot(): Results<T> {
    return makeResults<T>(new SnapshotSource(this[SOURCE]));
  }

  override addListener(callback: CollectionChangeCallback<T, EntryType>, keyPaths?: string | string[]): void {
    assertFunction(callback, "callback");
    const source = this[SOURCE];
    source.view.assertOpen();
    const { coordinator } = source.view;
    assert(coordinator, "A frozen realm does not change: it takes no listeners");
    // What is gone does not change any more.
    if (!source.isValid()) return;
    const paths = parseKeyPaths(keyPaths);
    const { model } = source.element;
    assert(!paths || model, "Key paths lead from objects: this is a collection of values");
    coordinator.observations.add({
      view: source.view,
      subject: this,
      callback: callback as (subject: unknown, changes: unknown) => void,
      keyPaths: paths && model && resolveKeyPaths(model, paths),
      empty: noChanges,
      start: (core) => source.observe(core),
      changes: model ? collectionChanges : valueChanges,
    });
  }

  override removeListener(callback: CollectionChangeCallback<T, EntryType>): void {
    assertFunction(callback, "callback");
    this[SOURCE].view.coordinator?.observations.remove(this, callback as never);
  }

  override removeAllListeners(): void {
    this[SOURCE].view.coordinator?.observations.removeAll(this);
  }

  private array(): T[] {
    return [...this.values()];
  }
}

function isCollection(item: unknown): item is AnyCollection {
  return item instanceof OrderedCollection;
}

function sortKeys(first: boolean | string | SortDescriptor[], reverse: boolean | undefined): [string, boolean][] {
  if (typeof first === "boolean") return [["self", !first]];
  if (typeof first === "string") return [[first, reverse !== true]];
  if (!Array.isArray(first)) {
    throw new TypeAssertionError("property name and optional bool or an array of descriptors", first, "argument");
  }
  if (reverse !== undefined) throw new TypeAssertionError("undefined", reverse, "second 'argument'");
  return first.map((descriptor, index) => {
    if (typeof descriptor === "string") return [descriptor, true];
    if (!Array.isArray(descriptor)) {
      const expected = "string or array with two elements [string, boolean]";
      throw new TypeAssertionError(expected, descriptor, `descriptor[${index}]`);
    }
    const [property, isReverse] = descriptor;
    assertString(property, "property");
    assertBoolean(isReverse, "direction");
    return [property, !isReverse];
  });
}

/** Values have no properties to sort by. */
function checkValueOrder(keys: [string, boolean][], type: string): void {
  if (keys.length > 1) throw new Error(`Cannot sort array of '${type}' on more than one key path`);
  for (const [path] of keys) {
    if (path !== "self") {
      throw new Error(`Cannot sort on key path '${path}': arrays of '${type}' can only be sorted on 'self'`);
    }
  }
}

type Aggregate = "min" | "max" | "sum" | "avg";

const NUMERIC = new Set(["int", "float", "double", "decimal128", "mixed"]);

function canAggregate(operation: Aggregate, kind: string): boolean {
  return NUMERIC.has(kind) || (kind === "date" && (operation === "min" || operation === "max"));
}
