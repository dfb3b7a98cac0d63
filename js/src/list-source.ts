// A list of one object.
import type { ClassModel } from "./class-model.js";
import type { CoreValue, QueryCore, RealmCore } from "./core.js";
import { InvalidCollectionError } from "./errors.js";
import type { Place } from "./mixed.js";
import type { PropertyModel } from "./property.js";
import { Source } from "./source.js";

/** A list that can be written in place: a property's, or one inside a mixed. */
export abstract class ListSource extends Source {
  override readonly collection = "list";

  constructor(
    readonly owner: ClassModel,
    readonly key: number,
    readonly property: PropertyModel,
  ) {
    const { view } = owner;
    const { kind, target, optional } = property;
    super(view, { kind, optional, property, model: target === undefined ? undefined : view.model(target) });
  }

  abstract set(index: number, value: CoreValue): void;
  abstract insert(index: number, value: CoreValue): void;
  abstract remove(index: number): void;
  abstract move(from: number, to: number): void;

  /** The list as error messages call it. */
  get label(): string {
    return this.property.label;
  }

  assertValid(): void {
    if (!this.isValid()) throw new InvalidCollectionError("List");
  }

  /** Throws unless elements may be written now. */
  assertWritable(): void {
    this.assertValid();
    this.view.assertWritable();
  }
}

/** The list of a property. */
export class PropertyListSource extends ListSource {
  private readonly core: RealmCore;

  constructor(owner: ClassModel, key: number, property: PropertyModel) {
    super(owner, key, property);
    this.core = owner.view.core;
  }

  override isValid(): boolean {
    return this.owner.isValid(this.key);
  }

  override length(): number {
    this.assertValid();
    return this.core.listLength(this.owner.index, this.key, this.property.column);
  }

  override rawAt(index: number): unknown {
    return this.core.listGet(this.owner.index, this.key, this.property.column, index);
  }

  override raw(): unknown[] | Float64Array {
    if (this.element.model) return this.query().keys();
    this.assertValid();
    return this.core.listValues(this.owner.index, this.key, this.property.column);
  }

  override get base(): Place {
    return { owner: this.owner, key: this.key, property: this.property, path: [] };
  }

  override place(index: number): Place {
    return { ...this.base, path: [index] };
  }

  override query(text?: string, args?: unknown[]): QueryCore {
    const { model } = this.element;
    if (model && this.isDeserted()) return this.nothing(model, text, args);
    this.assertValid();
    return this.core.listQuery(this.owner.index, this.key, this.property.column, text, args);
  }

  override observe(core: RealmCore): number {
    return core.observeCollection(this.owner.index, this.key, this.property.column);
  }

  override set(index: number, value: CoreValue): void {
    this.core.listSet(this.owner.index, this.key, this.property.column, index, value);
  }

  override insert(index: number, value: CoreValue): void {
    this.core.listInsert(this.owner.index, this.key, this.property.column, index, value);
  }

  override remove(index: number): void {
    // The object of an embedded list goes with its element.
    if (this.property.isEmbedded && this.view.coordinator) this.view.coordinator.deletions += 1;
    this.core.listRemove(this.owner.index, this.key, this.property.column, index);
  }

  override move(from: number, to: number): void {
    this.core.listMove(this.owner.index, this.key, this.property.column, from, to);
  }
}

/** A list inside a mixed. */
export class NestedListSource extends ListSource {
  private readonly core: RealmCore;

  constructor(private readonly where: Place) {
    super(where.owner, where.key, where.property);
    this.core = where.owner.view.core;
  }

  override isValid(): boolean {
    const { owner, key } = this;
    if (!owner.isValid(key)) return false;
    return this.core.nestedLength(owner.index, key, this.property.column, this.where.path) >= 0;
  }

  override length(): number {
    if (!this.owner.isValid(this.key)) this.assertValid();
    const length = this.core.nestedLength(this.owner.index, this.key, this.property.column, this.where.path);
    if (length < 0) this.assertValid();
    return length;
  }

  override rawAt(index: number): unknown {
    return this.core.nestedGet(this.owner.index, this.key, this.property.column, [...this.where.path, index]);
  }

  override raw(): unknown[] {
    return Array.from({ length: this.length() }, (_, index) => this.rawAt(index));
  }

  override place(index: number): Place {
    return { ...this.where, path: [...this.where.path, index] };
  }

  override get base(): Place {
    return this.where;
  }

  override query(text?: string, args?: unknown[]): QueryCore {
    this.assertValid();
    return this.core.nestedQuery(this.owner.index, this.key, this.property.column, this.where.path, text, args);
  }

  override observe(core: RealmCore): number {
    return core.observeNested(this.owner.index, this.key, this.property.column, this.where.path);
  }

  override set(index: number, value: CoreValue): void {
    this.core.nestedSet(this.owner.index, this.key, this.property.column, this.where.path, index, value);
  }

  override insert(index: number, value: CoreValue): void {
    this.core.nestedInsert(this.owner.index, this.key, this.property.column, this.where.path, index, value);
  }

  override remove(index: number): void {
    this.core.nestedRemove(this.owner.index, this.key, this.property.column, this.where.path, index);
  }

  override move(from: number, to: number): void {
    this.core.nestedMove(this.owner.index, this.key, this.property.column, this.where.path, from, to);
  }
}
