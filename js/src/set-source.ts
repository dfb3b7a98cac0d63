// A set of one object.
import type { ClassModel } from "./class-model.js";
import type { CoreValue, QueryCore, RealmCore } from "./core.js";
import { InvalidCollectionError } from "./errors.js";
import { lowerMixed } from "./mixed.js";
import { lowerPrimitive, type PropertyModel } from "./property.js";
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

  /** Elements stand in their order, and none twice: a search in that order finds what equals one. */
  override indexOf(value: unknown): number {
    const { element, property, view } = this;
    // A float is kept with fewer digits than a number has.
    if (element.kind === "float") return super.indexOf(value);
    let lowered: CoreValue | undefined;
    if (element.model) {
      lowered = this.keyOf(value);
    } else {
      this.assertValid();
      try {
        lowered = element.kind === "mixed" ? lowerMixed(view, value) : lowerPrimitive(property, value);
      } catch {
        // A value of another type.
        return -1;
      }
    }
    if (lowered === undefined || this.isDeserted()) return -1;
    return this.core.setFind(this.owner.index, this.key, property.column, lowered);
  }

  override lastIndexOf(value: unknown): number {
    return this.indexOf(value);
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
