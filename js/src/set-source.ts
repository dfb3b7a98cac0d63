// A set of one object.
import type { ClassModel } from "./class-model.js";
import type { QueryCore, RealmCore } from "./core.js";
import { InvalidCollectionError } from "./errors.js";
import type { PropertyModel } from "./property.js";
import { Source } from "./source.js";

export class SetSource extends Source {
  override readonly collection = "set";
  private readonly core: RealmCore;

  constructor(
    readonly owner: ClassModel,
    readonly key: number,
    readonly property: PropertyModel,
  ) {
    const { view } = owner;
    const { kind, target, optional } = property;
    super(view, { kind, optional, property, model: target === undefined ? undefined : view.model(target) });
    this.core = view.core;
  }

  override isValid(): boolean {
    return this.owner.isValid(this.key);
  }

  override length(): number {
    if (this.isDeserted()) return 0;
    this.assertValid();
    return this.core.setLength(this.owner.index, this.key, this.property.column);
  }

  override rawAt(index: number): unknown {
    return this.core.setAt(this.owner.index, this.key, this.property.column, index);
  }

  override raw(): unknown[] | Float64Array {
    if (this.isDeserted()) return [];
    this.assertValid();
    return this.core.setValues(this.owner.index, this.key, this.property.column);
  }

  override query(text?: string, args?: unknown[]): QueryCore {
    const { model } = this.element;
    if (model && this.isDeserted()) return this.nothing(model, text, args);
    this.assertValid();
    return this.core.setQuery(this.owner.index, this.key, this.property.column, text, args);
  }

  override observe(core: RealmCore): number {
    return core.observeCollection(this.owner.index, this.key, this.property.column);
  }

  assertValid(): void {
    if (!this.isValid()) throw new InvalidCollectionError("Set");
  }

  /** Throws unless elements may be written now. */
  assertWritable(): void {
    this.assertValid();
    this.view.assertWritable();
  }
}
