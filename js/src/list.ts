import { assert, assertNumber } from "./assert.js";
import { checkElement, insertElements, replaceElement } from "./create.js";
import { IllegalConstructorError } from "./errors.js";
import { ListSource, NestedListSource } from "./list-source.js";
import { registerNestedList } from "./nested-maker.js";
import { OrderedCollection } from "./ordered-collection.js";
import { SOURCE } from "./symbols.js";

/** Any list. */
export type AnyList = List<unknown>;

type Writeable<T> = Pick<Array<T>, "pop" | "push" | "shift" | "unshift" | "splice">;

/** A list of objects or primitives that belongs to an object, live and writable in place. */
export class List<T = unknown> extends OrderedCollection<T, [number, T]> implements Writeable<T> {
  /** @internal */
  declare readonly [SOURCE]: ListSource;

  /** @internal */
  constructor(source: ListSource) {
    if (!(source instanceof ListSource)) throw new IllegalConstructorError("List");
    super(source);
  }

  /** @internal */
  override assign(index: number, value: unknown): void {
    const source = this.writable();
    if (index < 0) throw new Error(`Cannot set item at negative index ${index}.`);
    const size = source.length();
    if (index >= size) {
      checkElement(source, value);
      throw outOfRange(source, "set()", index, size);
    }
    replaceElement(source, index, value);
  }

  /** Removes the last element and gives it. */
  pop(): T | undefined {
    const source = this.writable();
    const size = source.length();
    return size === 0 ? undefined : (this.take(source, size - 1) as T);
  }

  /** Adds elements at the end and gives the new length. */
  push(...items: T[]): number {
    const source = this.writable();
    insertElements(source, source.length(), items);
    return source.length();
  }

  /** Removes the first element and gives it. */
  shift(): T | undefined {
    const source = this.writable();
    return source.length() === 0 ? undefined : (this.take(source, 0) as T);
  }

  /** Adds elements at the start and gives the new length. */
  unshift(...items: T[]): number {
    const source = this.writable();
    insertElements(source, 0, items);
    return source.length();
  }

  /** Removes and inserts elements; gives those removed. */
  splice(start: number, deleteCount?: number, ...items: T[]): T[] {
    assertNumber(start, "start");
    const source = this.writable();
    const size = source.length();
    const from = start < 0 ? Math.max(size + Math.trunc(start), 0) : Math.min(Math.trunc(start), size);
    const count = deleteCount === undefined ? size - from : Math.min(Math.max(Math.trunc(deleteCount), 0), size - from);
    insertElements(source, from, items);
    const removed: T[] = [];
    for (let index = 0; index < count; index++) removed.push(this.take(source, from + items.length) as T);
    return removed;
  }

  /** Removes the element at `index`. */
  remove(index: number): void {
    assertNumber(index, "index");
    const source = this.writable();
    assert(index >= 0, "Index cannot be smaller than 0");
    assert(index < source.length(), "Index cannot be greater than the size of the list");
    source.remove(index);
  }

  /** Moves an element; those between shift by one. */
  move(from: number, to: number): void {
    const source = this.positions(from, "from", to, "to");
    source.move(from, to);
  }

  /** Exchanges two elements. */
  swap(index1: number, index2: number): void {
    const source = this.positions(index1, "index1", index2, "index2");
    if (index1 === index2) return;
    const [low, high] = index1 < index2 ? [index1, index2] : [index2, index1];
    source.move(high, low);
    source.move(low + 1, high);
  }

  private positions(a: number, nameOfA: string, b: number, nameOfB: string): ListSource {
    assertNumber(a, nameOfA);
    assertNumber(b, nameOfB);
    const source = this.writable();
    const size = source.length();
    assert(a >= 0 && b >= 0, "Indexes cannot be smaller than 0");
    assert(a < size && b < size, "Indexes cannot be greater than the size of the list");
    return source;
  }

  private writable(): ListSource {
    const source = this[SOURCE];
    source.assertWritable();
    return source;
  }

  private take(source: ListSource, index: number): unknown {
    const element = source.at(index);
    source.remove(index);
    return element;
  }
}

function outOfRange(source: ListSource, call: string, index: number, size: number): Error {
  const limit = size === 0 ? "when empty" : `when max is ${size - 1}`;
  return new Error(`Requested index ${index} calling ${call} on list '${source.label}' ${limit}`);
}

registerNestedList((place) => new List(new NestedListSource(place)));
