// Where the elements of an ordered collection come from.
import type { ClassModel } from "./class-model.js";
import type { QueryCore, RealmCore } from "./core.js";
import { TypeAssertionError } from "./errors.js";
import { liftMixed, type Place } from "./mixed.js";
import { RealmObject } from "./object.js";
import { liftPrimitive, type PropertyModel } from "./property.js";
import { asKept, sameValue } from "./same-value.js";
import { KEY, MODEL } from "./symbols.js";
import type { View } from "./view.js";

/** What the elements are: objects of a class, or primitives of one kind. */
export interface Element {
  /** The class, for objects. */
  readonly model: ClassModel | undefined;
  readonly kind: PropertyModel["kind"];
  readonly optional: boolean;
  /** The property that the elements are of. */
  readonly property?: PropertyModel;
}

/** A source of elements; `List` and `Results` are the faces of one. */
export abstract class Source {
  constructor(
    readonly view: View,
    readonly element: Element,
  ) {}

  /** The orders asked for, as a query writes them. */
  readonly order: string = "";
  readonly collection: "list" | "set" | "results" = "results";
  abstract length(): number;
  /** The element in the engine's form. */
  abstract rawAt(index: number): unknown;
  /** All elements in the engine's form. */
  abstract raw(): unknown[] | Float64Array;
  abstract isValid(): boolean;
  /** The same elements as a query that can be filtered, sorted and aggregated. */
  abstract query(text?: string, args?: unknown[]): QueryCore;
  abstract observe(core: RealmCore): number;

  /** Whether these are objects in a collection whose owner is gone: then there are none to be found, as in Realm. */
  isDeserted(): boolean {
    return this.element.model !== undefined && this.view.isOpen && !this.isValid();
  }

  /** A query that finds none of them, where `text` is one. */
  protected nothing(model: ClassModel, text?: string, args: unknown[] = []): QueryCore {
    const { core } = this.view;
    if (text !== undefined) core.query(model.index, text, args);
    return core.query(model.index, "FALSEPREDICATE", []);
  }

  /** How many elements there are to be found. */
  count(): number {
    return this.isDeserted() ? 0 : this.length();
  }

  at(index: number): unknown {
    return index < this.length() ? this.lift(this.rawAt(index), index) : undefined;
  }

  values(): unknown[] {
    return Array.from(this.raw() as unknown[], (raw, index) => this.lift(raw, index));
  }

  /** The JavaScript form of the element at `index`. */
  lift(raw: unknown, index: number): unknown {
    const { model, kind } = this.element;
    if (kind === "mixed") return liftMixed(this.view, raw, () => this.place(index));
    if (!model) return liftPrimitive(kind, raw);
    return raw == null || (raw as number) < 0 ? null : model.wrap(raw as number);
  }

  /** The list whose elements these are, where they can be collections. */
  get base(): Place | undefined {
    return undefined;
  }

  /** Where the element at `index` lies, if it can be a collection. */
  place(_index: number): Place {
    throw new Error("invariant: only elements of a mixed are collections");
  }

  /** The position of a value that equals an element, or -1. */
  indexOf(value: unknown): number {
    const { model } = this.element;
    if (!model) {
      const kept = asKept(this.element.kind, value);
      return this.values().findIndex((element) => sameValue(element, kept));
    }
    const key = this.keyOf(value);
    return key === undefined ? -1 : this.query().indexOf(key);
  }

  /** The last position of an element up to one that is counted as arrays count it, or -1. */
  lastIndexOf(value: unknown, from: number): number {
    if (this.element.model) {
      const key = value instanceof RealmObject && value[MODEL] ? this.keyOf(value) : undefined;
      return key === undefined ? -1 : Array.from<unknown>(this.raw()).lastIndexOf(key, from);
    }
    const values = this.values();
    const start = from < 0 ? values.length + Math.trunc(from) : Math.min(Math.trunc(from), values.length - 1);
    for (let index = start; index >= 0; index--) if (sameValue(values[index], value)) return index;
    return -1;
  }

  /** The key of a managed object of this collection's class and realm. */
  protected keyOf(value: unknown): number | undefined {
    if (!(value instanceof RealmObject) || value[MODEL] === undefined) {
      throw new TypeAssertionError("an instance of Realm.Object", value);
    }
    const model = value[MODEL];
    const isHere = model.index === this.element.model?.index && model.view.core === this.view.core;
    if (!isHere) return undefined;
    if (!value.isValid()) throw new Error("Attempting to access an invalid object");
    return value[KEY];
  }
}
