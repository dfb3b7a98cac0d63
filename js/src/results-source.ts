// The objects, or values, that a live query finds; and a snapshot of them that stays as it is.
import type { QueryCore, RealmCore } from "./core.js";
import type { Place } from "./mixed.js";
import { type Element, Source } from "./source.js";
import type { View } from "./view.js";

const INVALID = "Access to invalidated Results objects";

export class ResultsSource extends Source {
  constructor(
    view: View,
    element: Element,
    private readonly found: QueryCore,
    /** The orders asked for, as a query writes them. */
    override readonly order: string,
    /** The list whose elements these are. */
    private readonly list?: Place,
  ) {
    super(view, element);
  }

  override isValid(): boolean {
    return this.view.isOpen;
  }

  override length(): number {
    return this.query().length();
  }

  override rawAt(index: number): unknown {
    return this.element.model ? this.query().keyAt(index) : this.query().valueAt(index);
  }

  override raw(): unknown[] | Float64Array {
    return this.element.model ? this.query().keys() : this.query().values();
  }

  override get base(): Place | undefined {
    return this.list;
  }

  override place(index: number): Place {
    if (!this.list) return super.place(index);
    return { ...this.list, path: [...this.list.path, this.query().positionAt(index)] };
  }

  override query(text?: string, args?: unknown[]): QueryCore {
    if (!this.view.isOpen) throw new Error(INVALID);
    return text === undefined ? this.found : this.found.filter(text, args ?? []);
  }

  override observe(core: RealmCore): number {
    return core.observeQuery(this.query());
  }
}

/** What a source held at one moment. Objects that are gone read as null. */
export class SnapshotSource extends Source {
  private readonly held: unknown[] | Float64Array;

  constructor(private readonly origin: Source) {
    super(origin.view, origin.element);
    this.held = origin.raw();
  }

  override isValid(): boolean {
    return this.view.isOpen;
  }

  override length(): number {
    return this.held.length;
  }

  override rawAt(index: number): unknown {
    return this.held[index];
  }

  override raw(): unknown[] | Float64Array {
    return this.held;
  }

  override lift(raw: unknown, index: number): unknown {
    const { model } = this.element;
    return model && !model.isValid(raw as number) ? null : super.lift(raw, index);
  }

  override place(index: number): Place {
    return this.origin.place(index);
  }

  override indexOf(value: unknown): number {
    if (!this.element.model) return super.indexOf(value);
    const key = this.keyOf(value);
    return key === undefined ? -1 : (this.held as number[]).indexOf(key);
  }

  override query(text?: string, args?: unknown[]): QueryCore {
    return this.origin.query(text, args);
  }

  override observe(): number {
    throw new Error("Cannot create asynchronous query for snapshotted Results.");
  }
}
