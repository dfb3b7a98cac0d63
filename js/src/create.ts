// Creating objects and assigning properties: everything is read and checked first, then written, so that a value that does
// not fit leaves nothing half-written behind.
import { assert } from "./assert.js";
import type { ClassModel } from "./class-model.js";
import type { CoreValue } from "./core.js";
import { createPacked } from "./create-packed.js";
import type { DictionarySource } from "./dictionary-source.js";
import { TypeAssertionError } from "./errors.js";
import { flags } from "./flags.js";
import { type ListSource, NestedListSource } from "./list-source.js";
import { checkKey, lowerMixed } from "./mixed.js";
import { RealmObject } from "./object.js";
import { Elements, Entries, ObjectPlan, type Planned } from "./plan.js";
import {
  converting,
  defaultOf,
  located,
  lowerPrimitive,
  misfit,
  type PropertyModel,
  sameCoreValue,
} from "./property.js";
import type { SetSource } from "./set-source.js";
import type { Source } from "./source.js";
import { KEY, MODEL, SOURCE } from "./symbols.js";
import { UpdateMode } from "./update-mode.js";
import type { View } from "./view.js";
import { Writer } from "./writer.js";

const COUNTER_RESET =
  "You can only reset a Counter instance when initializing a previously null Counter or resetting a nullable Counter to null. To update the value of the Counter, use its instance methods.";

/** Creates (or updates, as `mode` says) an object and whatever it links to. Gives its key. */
export function createObject(model: ClassModel, values: unknown, mode: UpdateMode): number {
  const created = mode === UpdateMode.Never ? createPacked(model, values) : undefined;
  if (created !== undefined) return created;
  const planner = new Planner(model.view, mode);
  const plan = planner.object(model, values);
  const writer = new Writer(model.view);
  const write = () => writer.resolve(plan) as number;
  return planner.updates ? writer.marked(write) : writer.undone(write);
}

/** Assigns one property of an object. */
export function assignProperty(model: ClassModel, key: number, property: PropertyModel, value: unknown): void {
  if (property === model.primaryKey && !model.view.realm.isInMigration) {
    throw new Error("Cannot change value of primary key outside migration function");
  }
  if (property.isCounter) checkCounterReset(model, key, property, value);
  const { view } = model;
  if (property.collection === undefined && property.kind !== "link") {
    const lowered = property.kind === "mixed" ? mixed(view, property, value) : lowerPrimitive(property, value);
    view.core.set(model.index, key, property.column, lowered);
    return;
  }
  const planned = new Planner(view, UpdateMode.Never).value(property, value);
  const writer = new Writer(view);
  const write = () => writer.write(model, key, property, planned);
  // A link is written whole or not at all; everything else takes several steps.
  if (planned instanceof Elements || planned instanceof Entries || planned instanceof ObjectPlan) writer.marked(write);
  else write();
}

/** Inserts elements into a list, with objects created where they were given as plain objects. */
export function insertElements(source: ListSource, at: number, items: unknown[]): void {
  const planned = planElements(source, items);
  const writer = new Writer(source.view);
  const write = () => {
    for (const [offset, element] of planned.entries()) {
      if (element instanceof ObjectPlan && source.property.isEmbedded) writer.embedInto(source, at + offset, element);
      else source.insert(at + offset, writer.resolve(element));
    }
  };
  if (planned.length === 1 && !(planned[0] instanceof ObjectPlan)) write();
  else if (planned.length > 0) writer.marked(write);
}

/** Puts a value in the place of an element of a list. */
export function replaceElement(source: ListSource, index: number, value: unknown): void {
  const [planned] = planElements(source, [value]);
  const writer = new Writer(source.view);
  if (!(planned instanceof ObjectPlan)) {
    source.set(index, planned as CoreValue);
    return;
  }
  writer.marked(() => {
    if (source.property.isEmbedded) writer.embedOver(source, index, planned);
    else source.set(index, writer.resolve(planned));
  });
}

/** Throws unless a value may be an element of a list. */
export function checkElement(source: ListSource, value: unknown): void {
  planElements(source, [value]);
}

function planElements(source: ListSource, items: unknown[]): Planned[] {
  const { view, property } = source;
  const planner = new Planner(view, UpdateMode.Never);
  const label = property.kind === "link" ? `element of ${property.name}` : undefined;
  if (source instanceof NestedListSource) return items.map((item) => mixed(view, property, item));
  return items.map((item) => planner.element(property, item, label));
}

/** Puts a value into a set. */
export function addToSet(source: SetSource, value: unknown): void {
  const { view, property } = source;
  const planned = new Planner(view, UpdateMode.Never).element(property, value, setLabel(property));
  const writer = new Writer(view);
  const write = () => view.core.setAdd(source.owner.index, source.key, property.column, writer.resolve(planned));
  if (planned instanceof ObjectPlan) writer.marked(write);
  else write();
}

/** Sets the value of a key of a dictionary. */
export function setEntry(source: DictionarySource, name: string, value: unknown): void {
  const planned = planEntry(source, name, value);
  const writer = new Writer(source.view);
  if (planned instanceof ObjectPlan) writer.marked(() => writeEntry(writer, source, name, planned));
  else writeEntry(writer, source, name, planned);
}

/** Sets the values of several keys of a dictionary, or of none. */
export function setEntries(source: DictionarySource, entries: [string, unknown][]): void {
  const planned = entries.map(([name, value]): [string, Planned] => [name, planEntry(source, name, value)]);
  const writer = new Writer(source.view);
  writer.marked(() => {
    for (const [name, value] of planned) writeEntry(writer, source, name, value);
  });
}

function planEntry({ view, property }: DictionarySource, name: string, value: unknown): Planned {
  converting(property, () => checkKey(name));
  if (property.kind === "mixed") return mixed(view, property, value);
  const label = property.kind === "link" ? `value in ${property.name}` : undefined;
  return new Planner(view, UpdateMode.Never).element(property, value, label);
}

function writeEntry(writer: Writer, source: DictionarySource, name: string, planned: Planned): void {
  if (planned instanceof ObjectPlan && source.property.isEmbedded) {
    writer.embedUnder(source.owner, source.key, source.property, name, planned);
  } else {
    source.set(name, writer.resolve(planned));
  }
}

/** Runs a write of several steps; if one fails, none of them is done. */
export function wholly(view: View, write: () => void): void {
  new Writer(view).marked(write);
}

/** The engine's form of a value that may be among the elements of a set; undefined for an object that cannot be. */
export function lowerElement(view: View, property: PropertyModel, value: unknown): CoreValue | undefined {
  if (property.kind === "mixed") return lowerMixed(view, value);
  if (property.kind !== "link") return lowerPrimitive(property, value);
  if (typeof value !== "object" || value === null) throw misfit(property, "an object", value, setLabel(property));
  if (!(value instanceof RealmObject)) throw misfit(property, "an instance of Realm.Object", value);
  const model = value[MODEL];
  const isHere = model !== undefined && model.view.core === view.core && model.name === property.target;
  return isHere && value.isValid() ? value[KEY] : undefined;
}

function mixed(view: View, property: PropertyModel, value: unknown): CoreValue {
  return converting(property, () => lowerMixed(view, value));
}

function setLabel({ kind, name }: PropertyModel): string | undefined {
  return kind === "link" ? `value in ${name}` : undefined;
}

function checkCounterReset(model: ClassModel, key: number, property: PropertyModel, value: unknown): void {
  const isNull = () => model.view.core.get(model.index, key, property.column) === null;
  const isAllowed = property.optional && (value === null || value === undefined || isNull());
  assert(isAllowed, () => new Error(COUNTER_RESET));
}

/** Reads and checks values, and says what is to be written. */
class Planner {
  /** Whether an object that existed before is to be written to. */
  updates = false;
  private readonly planned = new Map<object, ObjectPlan>();
  /** Plans by class and primary key, so that one create call knows what it is about to create. */
  private readonly byPrimaryKey = new Map<string, ObjectPlan>();

  constructor(
    private readonly view: View,
    private readonly mode: UpdateMode,
  ) {}

  object(model: ClassModel, input: unknown): ObjectPlan {
    if (Array.isArray(input)) return this.object(model, valuesOf(model, input));
    if (typeof input !== "object" || input === null) throw new TypeAssertionError("an object", input, "values");
    const running = this.planned.get(input);
    if (running) {
      if (model.schema.embedded) throw new Error(`An embedded object of type '${model.name}' cannot contain itself.`);
      return running;
    }
    const values = input as Record<string, unknown>;
    const plan = this.start(model, values);
    this.planned.set(input, plan);
    const isManaged = input instanceof RealmObject;
    try {
      for (const property of model.stored) {
        if (property !== model.primaryKey) this.property(plan, property, values[property.name], isManaged);
      }
    } finally {
      this.planned.delete(input);
    }
    return plan;
  }

  /** Finds the object that the primary key names, if there is one. */
  private start(model: ClassModel, values: Record<string, unknown>): ObjectPlan {
    const plan = new ObjectPlan(model);
    const { primaryKey } = model;
    if (!primaryKey) return plan;
    const given = values[primaryKey.name];
    const value = given === undefined || given === null ? (defaultOf(primaryKey) ?? given) : given;
    plan.primaryKey = lowerPrimitive(primaryKey, value);
    const identity = `${model.index} ${typeof plan.primaryKey} ${String(plan.primaryKey)}`;
    const earlier = this.byPrimaryKey.get(identity);
    const key = earlier ? 0 : this.view.core.find(model.index, plan.primaryKey);
    if (this.mode === UpdateMode.Never && (earlier || key > 0)) {
      throw new Error(
        `Attempting to create an object of type '${model.name}' with an existing primary key value '${String(value)}'.`,
      );
    }
    if (earlier) return earlier;
    plan.key = Math.max(key, 0);
    this.byPrimaryKey.set(identity, plan);
    return plan;
  }

  private property(plan: ObjectPlan, property: PropertyModel, given: unknown, isCopy: boolean): void {
    const { model, key } = plan;
    if (given !== undefined) {
      if (key > 0 && property.isCounter) checkCounterReset(model, key, property, given);
      const planned = this.value(property, given, isCopy);
      if (key > 0) {
        if (this.mode === UpdateMode.Modified && this.isCurrent(model, key, property, planned)) return;
        this.updates = true;
      }
      plan.values.push([property, planned]);
      return;
    }
    if (key > 0) return;
    const fallback = defaultOf(property);
    if (fallback !== undefined) plan.defaults.push([property, this.value(property, fallback)]);
    else if (property.collection === undefined && !property.optional) throw missing(property);
  }

  /** What is to be written for a property. */
  value(property: PropertyModel, value: unknown, isCopy = false): Planned {
    switch (property.collection) {
      case undefined:
        return this.element(property, value, property.kind === "link" ? property.name : undefined);
      case "list":
        return this.list(property, value);
      case "set":
        return this.set(property, value, isCopy);
      case "dictionary":
        return this.dictionary(property, value);
    }
  }

  private list(property: PropertyModel, value: unknown): Elements {
    const { name } = property;
    if (typeof value !== "object" || value === null) throw misfit(property, "an object", value);
    if (!(Symbol.iterator in value)) throw misfit(property, "iterable", value);
    const elements = Array.from(value as Iterable<unknown>);
    return new Elements(elements.map((element, index) => this.element(property, element, `${name}[${index}]`)));
  }

  private set(property: PropertyModel, value: unknown, isCopy: boolean): Elements {
    const isSet = isCopy && typeof value === "object" && value !== null && SOURCE in value;
    if (!Array.isArray(value) && !isSet) throw misfit(property, "an array", value, "values");
    const elements = isSet ? (value[SOURCE] as Source).values() : (value as unknown[]);
    return new Elements(elements.map((element) => this.element(property, element, setLabel(property))));
  }

  private dictionary(property: PropertyModel, value: unknown): Entries {
    const { name } = property;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw misfit(property, "an object", value, `values of ${name}`);
    }
    const entries = Object.entries(value).map(([key, element]): [string, Planned] => [
      converting(property, () => checkKey(key)),
      this.element(property, element, `${name}["${key}"]`),
    ]);
    return new Entries(entries);
  }

  /** What is to be written for one value, or one element of a collection. */
  element(property: PropertyModel, element: unknown, label: string | undefined): Planned {
    if (property.kind === "mixed") {
      const lowered = mixed(this.view, property, element);
      if (property.collection === "set") converting(property, () => refuseNested(lowered));
      return lowered;
    }
    if (property.kind !== "link") return lowerPrimitive(property, element, label);
    if ((element === null || element === undefined) && property.optional) return null;
    return this.link(property, element, label);
  }

  private link(property: PropertyModel, value: unknown, label: string | undefined): Planned {
    if (typeof value !== "object" || value === null) throw misfit(property, "an object", value, label);
    const target = this.view.model(property.target);
    if (value instanceof RealmObject && value[MODEL] !== undefined) {
      const model = value[MODEL];
      assert(model.isValid(value[KEY]), () => located(property, new Error("Target object not found")));
      const isOfOne = model.view.core === this.view.core && model.index === target.index;
      if (isOfOne && !property.isEmbedded) return value[KEY];
    }
    return this.object(target, value);
  }

  /** Whether JavaScript finds a value equal to the one that is there: objects of all kinds are written anew, as in Realm. */
  private isCurrent(model: ClassModel, key: number, property: PropertyModel, planned: Planned): boolean {
    const isIdentity = property.kind === "link" || typeof planned === "object";
    if (property.collection !== undefined || (isIdentity && planned !== null)) return false;
    return sameCoreValue(planned, this.view.core.get(model.index, key, property.column));
  }
}

function refuseNested(lowered: CoreValue): void {
  if (Array.isArray(lowered)) throw new Error("Lists within a Set are not supported.");
  if (typeof lowered === "object" && lowered !== null && Object.hasOwn(lowered, "map")) {
    throw new Error("Dictionaries within a Set are not supported.");
  }
}

/** An object from the values of its properties, in the order of the schema. */
function valuesOf(model: ClassModel, values: unknown[]): Record<string, unknown> {
  if (!flags.ALLOW_VALUES_ARRAYS) throw new Error("Array values on object creation is no longer supported");
  const { stored } = model;
  assert(values.length <= stored.length, `Too many values for '${model.name}': it has ${stored.length} properties`);
  return Object.fromEntries(values.map((value, index) => [(stored[index] as PropertyModel).name, value]));
}

function missing(property: PropertyModel): Error {
  return located(property, new Error(`Missing value for property '${property.name}'`));
}

/** Reads an update mode as applications write it. */
export function parseUpdateMode(mode: unknown): UpdateMode {
  if (mode === undefined || mode === false) return UpdateMode.Never;
  if (mode === true) return UpdateMode.All;
  const isKnown = mode === UpdateMode.Never || mode === UpdateMode.Modified || mode === UpdateMode.All;
  assert(isKnown, () => new Error("Unsupported 'updateMode'. Only 'never', 'modified' or 'all' is supported."));
  return mode as UpdateMode;
}
