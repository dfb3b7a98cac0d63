// Where the values of a dictionary are: in a property, or inside a mixed.
import type { ClassModel } from "./class-model.js";
import type { CoreValue, RealmCore } from "./core.js";
import { InvalidCollectionError } from "./errors.js";
import { liftMixed, type Place } from "./mixed.js";
import { liftPrimitive, type PropertyModel } from "./property.js";
import type { View } from "./view.js";

/** A dictionary that can be written in place. */
export abstract class DictionarySource {
  readonly view: View;
  protected readonly core: RealmCore;
  /** The class of the values, for objects. */
  readonly target: ClassModel | undefined;

  constructor(
    readonly owner: ClassModel,
    readonly key: number,
    readonly property: PropertyModel,
  ) {
    this.view = owner.view;
    this.core = owner.view.core;
    this.target = property.target === undefined ? undefined : owner.view.model(property.target);
  }

  abstract isValid(): boolean;
  /** The names, in order. */
  abstract names(): string[];
  /** The value under a name in the engine's form; undefined if there is none. */
  abstract raw(name: string): unknown;
  abstract set(name: string, value: CoreValue): void;
  abstract remove(name: string): void;
  abstract observe(core: RealmCore): number;
  abstract place(name: string): Place;

  /** The value under a name; undefined if there is none. */
  get(name: string): unknown {
    const raw = this.raw(name);
    return raw === undefined ? undefined : this.lift(raw, name);
  }

  /** Names and values, in the order of the names. */
  entries(): [string, unknown][] {
    return this.names().map((name) => [name, this.get(name)]);
  }

  lift(raw: unknown, name: string): unknown {
    const { kind } = this.property;
    if (kind === "mixed") return liftMixed(this.view, raw, () => this.place(name));
    if (!this.target) return liftPrimitive(kind, raw);
    return raw === null ? null : this.target.wrap(raw as number);
  }

  assertValid(): void {
    if (!this.isValid()) throw new InvalidCollectionError("Dictionary");
  }

  /** Throws unless values may be written now. */
  assertWritable(): void {
    this.assertValid();
    this.view.assertWritable();
  }
}

/** The dictionary of a property. */
export class PropertyDictionarySource extends DictionarySource {
  override isValid(): boolean {
    return this.owner.isValid(this.key);
  }

  override names(): string[] {
    this.assertValid();
    return this.core.dictionaryKeys(this.owner.index, this.key, this.property.column);
  }

  override raw(name: string): unknown {
    return this.isValid() ? this.core.dictionaryGet(this.owner.index, this.key, this.property.column, name) : undefined;
  }

  override entries(): [string, unknown][] {
    const names = this.names();
    const values = this.core.dictionaryValues(this.owner.index, this.key, this.property.column);
    return names.map((name, index) => [name, this.lift(values[index], name)]);
  }

  override set(name: string, value: CoreValue): void {
    this.core.dictionarySet(this.owner.index, this.key, this.property.column, name, value);
  }

  override remove(name: string): void {
    if (this.property.isEmbedded && this.view.coordinator) this.view.coordinator.deletions += 1;
    this.core.dictionaryRemove(this.owner.index, this.key, this.property.column, name);
  }

  override place(name: string): Place {
    return { owner: this.owner, key: this.key, property: this.property, path: [name] };
  }

  override observe(core: RealmCore): number {
    return core.observeCollection(this.owner.index, this.key, this.property.column);
  }
}

/** A dictionary inside a mixed. */
export class NestedDictionarySource extends DictionarySource {
  constructor(private readonly at: Place) {
    super(at.owner, at.key, at.property);
  }

  override isValid(): boolean {
    const { owner, key, property, at } = this;
    return owner.isValid(key) && this.core.isNestedDictionary(owner.index, key, property.column, at.path);
  }

  override names(): string[] {
    const names = this.found();
    if (!names) this.assertValid();
    return names as string[];
  }

  override raw(name: string): unknown {
    if (!this.owner.isValid(this.key)) return undefined;
    return this.core.nestedGet(this.owner.index, this.key, this.property.column, [...this.at.path, name]);
  }

  override set(name: string, value: CoreValue): void {
    this.core.nestedSet(this.owner.index, this.key, this.property.column, this.at.path, name, value);
  }

  override remove(name: string): void {
    this.core.nestedRemove(this.owner.index, this.key, this.property.column, this.at.path, name);
  }

  override place(name: string): Place {
    return { ...this.at, path: [...this.at.path, name] };
  }

  override observe(core: RealmCore): number {
    return core.observeNested(this.owner.index, this.key, this.property.column, this.at.path);
  }

  private found(): string[] | undefined {
    if (!this.owner.isValid(this.key)) return undefined;
    return this.core.nestedKeys(this.owner.index, this.key, this.property.column, this.at.path);
  }
}
