import { assert, assertNumber } from "./assert.js";
import { lowerElements } from "./create.js";
import { IllegalConstructorError } from "./errors.js";
import { ListSource } from "./list-source.js";
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
    const { property, view } = source;
    const size = source.length();
    if (index >= size) throw outOfRange(source, "set()", index, size);
    const [element] = lowerElements(view, property, [value], [`${property.name}[${index}]`]);
    view.core.listSet(source.owner.index, source.key, property.column, index, element);
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
    this.insert(source, source.length(), items);
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
    this.insert(source, 0, items);
    return source.length();
  }

  /** Removes and inserts elements; gives those removed. */
  splice(start: number, deleteCount?: number, ...items: T[]): T[] {
    assertNumber(start, "start");
    const source = this.writable();
    const size = source.length();
    const from = start < 0 ? Math.max(size + Math.trunc(start), 0) : Math.min(Math.trunc(start), size);
    const count = deleteCount === undefined ? size - from : Math.min(Math.max(Math.trunc(deleteCount), 0), size - from);
    const elements = this.lower(source, items, from);
    this.write(source, from, elements);
    const removed: T[] = [];
    for (let index = 0; index < count; index++) removed.push(this.take(source, from + elements.length) as T);
    return removed;
  }

  /** Removes the element at `index`. */
  remove(index: number): void {
    assertNumber(index, "index");
    const source = this.writable();
    assert(index >= 0, "Index cannot be smaller than 0");
    assert(index < source.length(), "Index cannot be greater than the size of the list");
    source.view.core.listRemove(source.owner.index, source.key, source.property.column, index);
  }

  /** Moves an element; those between shift by one. */
  move(from: number, to: number): void {
    const source = this.positions(from, "from", to, "to");
    source.view.core.listMove(source.owner.index, source.key, source.property.column, from, to);
  }

  /** Exchanges two elements. */
  swap(index1: number, index2: number): void {
    const source = this.positions(index1, "index1", index2, "index2");
    if (index1 === index2) return;
    const [low, high] = index1 < index2 ? [index1, index2] : [index2, index1];
    const { core } = source.view;
    const { index } = source.owner;
    const { column } = source.property;
    core.listMove(index, source.key, column, high, low);
    core.listMove(index, source.key, column, low + 1, high);
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
    source.view.core.listRemove(source.owner.index, source.key, source.property.column, index);
    return element;
  }

  private insert(source: ListSource, at: number, items: unknown[]): void {
    this.write(source, at, this.lower(source, items, at));
  }

  private lower(source: ListSource, items: unknown[], at: number): ReturnType<typeof lowerElements> {
    const labels = items.map((_, offset) => `${source.property.name}[${at + offset}]`);
    return lowerElements(source.view, source.property, items, labels);
  }

  private write(source: ListSource, at: number, elements: ReturnType<typeof lowerElements>): void {
    const { core } = source.view;
    const { owner, key, property } = source;
    let written = 0;
    try {
      for (const element of elements) {
        core.listInsert(owner.index, key, property.column, at + written, element);
        written += 1;
      }
    } catch (error) {
      for (; written > 0; written--) core.listRemove(owner.index, key, property.column, at + written - 1);
      throw error;
    }
  }
}

function outOfRange(source: ListSource, call: string, index: number, size: number): Error {
  const limit = size === 0 ? "when empty" : `when max is ${size - 1}`;
  return new Error(`Requested index ${index} calling ${call} on list '${source.label}' ${limit}`);
}
