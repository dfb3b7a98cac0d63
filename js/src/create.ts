// Creating objects and assigning properties: everything is read and checked first, then written, so that a value that does
// not fit leaves nothing half-written behind.
import { assert } from "./assert.js";
import type { ClassModel } from "./class-model.js";
import { type CoreValue, codeOf } from "./core.js";
import { AssertionError, TypeAssertionError } from "./errors.js";
import { flags } from "./flags.js";
import { RealmObject } from "./object.js";
import { PackedObject } from "./packed.js";
import { lowerPrimitive, type PropertyModel, sameCoreValue } from "./property.js";
import { KEY, MODEL } from "./symbols.js";
import { UpdateMode } from "./update-mode.js";
import type { View } from "./view.js";

/** An object that is to be created or updated. */
class ObjectPlan {
  /** 0 until the object exists. */
  key = 0;
  primaryKey: CoreValue;
  readonly values: [PropertyModel, Planned | Planned[]][] = [];
  readonly defaults: [PropertyModel, Planned | Planned[]][] = [];
  isRunning = false;

  constructor(readonly model: ClassModel) {}
}

type Planned = CoreValue | ObjectPlan;

/** Creates (or updates, as `mode` says) an object and whatever it links to. Gives its key. */
export function createObject(model: ClassModel, values: unknown, mode: UpdateMode): number {
  const key = mode === UpdateMode.Never ? createPacked(model, values) : undefined;
  if (key !== undefined) return key;
  const writer = new Writer(model.view, mode);
  return writer.run(writer.planObject(model, values));
}

const packed = new PackedObject();
let isPacking = false;

/**
 * Creates an object of plain values in one call. Gives undefined, having done nothing, where that is not possible: for
 * collections, for objects that are to be created as well, and for whatever has to be explained.
 */
function createPacked(model: ClassModel, input: unknown): number | undefined {
  // Reading a value or a default can run the application's code, which may create objects itself.
  if (isPacking || typeof input !== "object" || input === null || Array.isArray(input)) return undefined;
  const values = input as Record<string, unknown>;
  isPacking = true;
  try {
    packed.begin();
    for (const property of model.propertyList) {
      if (!pack(model, property, values[property.name])) return undefined;
    }
    return model.view.core.createPacked(model.index, packed.length);
  } catch (error) {
    // Whatever is wrong is found again, and explained, on the other way.
    if (codeOf(error) !== undefined || error instanceof TypeAssertionError) return undefined;
    throw error;
  } finally {
    isPacking = false;
  }
}

/** Writes one property of a new object; false if it takes the other way. */
function pack(model: ClassModel, property: PropertyModel, given: unknown): boolean {
  const { column, kind } = property;
  const isDefault = given === undefined;
  const value = isDefault ? defaultOf(property) : given;
  if (property.isList) return isDefault && value === undefined;
  if (value === undefined) return property.optional && property !== model.primaryKey;
  if (value === null) {
    if (!property.optional) return false;
    packed.null(column, isDefault);
    return true;
  }
  switch (kind) {
    case "string":
      if (typeof value !== "string") return false;
      packed.string(column, isDefault, value);
      return true;
    case "bool":
      if (typeof value !== "boolean") return false;
      packed.boolean(column, isDefault, value);
      return true;
    case "double":
      if (typeof value !== "number") return false;
      packed.number(column, isDefault, value);
      return true;
    case "int":
      if (typeof value === "number" ? !Number.isSafeInteger(value) : true) return false;
      packed.number(column, isDefault, value as number);
      return true;
    case "date":
      if (!(value instanceof Date) || Number.isNaN(value.getTime())) return false;
      packed.number(column, isDefault, value.getTime());
      return true;
    case "link": {
      if (!(value instanceof RealmObject)) return false;
      const target = value[MODEL];
      if (target?.view.core !== model.view.core || target.name !== property.target || !value.isValid()) return false;
      packed.number(column, isDefault, value[KEY]);
      return true;
    }
    case "data":
    case "objectId":
    case "uuid":
      packed.bytes(column, isDefault, lowerPrimitive(property, value, property.name) as Uint8Array);
      return true;
    default:
      return false;
  }
}

/** Assigns one property of an object. */
export function assignProperty(model: ClassModel, key: number, property: PropertyModel, value: unknown): void {
  const writer = new Writer(model.view, UpdateMode.Never);
  if (property === model.primaryKey) {
    const lowered = lowerPrimitive(property, value, property.name);
    if (sameCoreValue(lowered, model.view.core.get(model.index, key, property.column))) return;
    throw new Error(`Cannot modify primary key after creation: '${model.name}.${property.name}'`);
  }
  const planned = writer.planValue(property, value);
  writer.attempt(() => {
    // A single value is written whole or not at all; a list takes several steps.
    if (property.isList) writer.remember(model, key, property);
    writer.write(model, key, property, planned);
  });
}

/** Elements for a list in the engine's form, with linked objects created where they were given as plain objects. */
export function lowerElements(view: View, property: PropertyModel, elements: unknown[], label: string[]): CoreValue[] {
  const writer = new Writer(view, UpdateMode.Never);
  const planned = elements.map((element, index) => writer.planElement(property, element, label[index] as string));
  return writer.attempt(() => planned.map((element) => writer.resolve(element)));
}

class Writer {
  private readonly planned = new Map<object, ObjectPlan>();
  /** Plans by class and primary key, so that one create call knows what it is about to create. */
  private readonly byPrimaryKey = new Map<string, ObjectPlan>();
  /** What takes back what was written, in the order of writing. */
  private readonly undo: (() => void)[] = [];

  constructor(
    private readonly view: View,
    private readonly mode: UpdateMode,
  ) {}

  planObject(model: ClassModel, input: unknown): ObjectPlan {
    if (Array.isArray(input)) return this.planObject(model, valuesOf(model, input));
    if (typeof input !== "object" || input === null) throw new TypeAssertionError("an object", input, "values");
    const running = this.planned.get(input);
    if (running) return running;
    const values = input as Record<string, unknown>;
    const plan = this.startPlan(model, values);
    this.planned.set(input, plan);
    try {
      for (const property of model.properties.values()) {
        if (property !== model.primaryKey) this.planProperty(plan, property, values[property.name]);
      }
    } finally {
      this.planned.delete(input);
    }
    return plan;
  }

  /** Finds the object that the primary key names, if there is one. */
  private startPlan(model: ClassModel, values: Record<string, unknown>): ObjectPlan {
    const plan = new ObjectPlan(model);
    const { primaryKey } = model;
    if (!primaryKey) return plan;
    const given = values[primaryKey.name];
    const value = given === undefined ? defaultOf(primaryKey) : given;
    if (value === undefined && !primaryKey.optional) throw missing(primaryKey);
    plan.primaryKey = lowerPrimitive(primaryKey, value, primaryKey.name);
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

  private planProperty(plan: ObjectPlan, property: PropertyModel, given: unknown): void {
    if (given !== undefined) {
      const planned = this.planValue(property, given);
      const isUnchanged =
        plan.key > 0 && this.mode === UpdateMode.Modified && this.isCurrent(plan.model, plan.key, property, planned);
      if (!isUnchanged) plan.values.push([property, planned]);
      return;
    }
    if (plan.key > 0) return;
    const fallback = defaultOf(property);
    if (fallback !== undefined) plan.defaults.push([property, this.planValue(property, fallback)]);
    else if (!property.isList && !property.optional) throw missing(property);
  }

  planValue(property: PropertyModel, value: unknown): Planned | Planned[] {
    const { name } = property;
    if (!property.isList) {
      if (property.kind !== "link") return lowerPrimitive(property, value, name);
      return value === null || value === undefined ? null : this.planLink(property, value, name);
    }
    if (typeof value !== "object" || value === null) throw new TypeAssertionError("an object", value, name);
    if (!(Symbol.iterator in value)) throw new TypeAssertionError("iterable", value, name);
    const elements = Array.from(value as Iterable<unknown>);
    return elements.map((element, index) => this.planElement(property, element, `${name}[${index}]`));
  }

  planElement(property: PropertyModel, element: unknown, label: string): Planned {
    return property.kind === "link"
      ? this.planLink(property, element, label)
      : lowerPrimitive(property, element, label);
  }

  private planLink(property: PropertyModel, value: unknown, label: string): Planned {
    if (typeof value !== "object" || value === null) throw new TypeAssertionError("an object", value, label);
    const target = this.view.model(property.target);
    if (value instanceof RealmObject && value[MODEL] !== undefined) {
      const model = value[MODEL];
      if (!model.isValid(value[KEY]))
        throw new AssertionError("Accessing object which has been invalidated or deleted");
      if (model.view.core === this.view.core) {
        if (model.index !== target.index) throw new TypeAssertionError(`a ${target.name} object`, value, label);
        return value[KEY];
      }
    }
    return this.planObject(target, value);
  }

  private isCurrent(model: ClassModel, key: number, property: PropertyModel, planned: Planned | Planned[]): boolean {
    const { core } = this.view;
    const isSame = (value: Planned, current: unknown): boolean =>
      value instanceof ObjectPlan
        ? value.key > 0 && value.key === current && value.values.length === 0
        : sameCoreValue(value, current);
    const { column } = property;
    if (!Array.isArray(planned)) return isSame(planned, core.get(model.index, key, column));
    if (core.listLength(model.index, key, column) !== planned.length) return false;
    return planned.every((element, index) => isSame(element, core.listGet(model.index, key, column, index)));
  }

  run(plan: ObjectPlan): number {
    return this.attempt(() => this.resolve(plan) as number);
  }

  /** Runs `write`, and takes back what it wrote if it fails. */
  attempt<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      for (const takeBack of this.undo.reverse()) takeBack();
      throw error;
    }
  }

  /** The engine's form of a planned value; creates what has to be created. */
  resolve(planned: Planned): CoreValue {
    if (!(planned instanceof ObjectPlan)) return planned;
    if (planned.isRunning) return planned.key;
    planned.isRunning = true;
    const { model, values, defaults } = planned;
    const isNew = planned.key === 0;
    if (isNew) {
      const key = this.view.core.create(model.index, model.primaryKey ? planned.primaryKey : undefined);
      planned.key = key;
      this.undo.push(() => this.view.core.delete(model.index, key));
    }
    for (const [property, value] of defaults) this.writeDefault(model, planned.key, property, value);
    for (const [property, value] of values) {
      if (!isNew) this.remember(model, planned.key, property);
      this.write(model, planned.key, property, value);
    }
    return planned.key;
  }

  /** Notes how to give a property of an object that existed before its present value back. */
  remember(model: ClassModel, key: number, property: PropertyModel): void {
    const { core } = this.view;
    const { index } = model;
    const { column, kind, isList } = property;
    const again = (raw: unknown) => (kind === "date" && raw != null ? new Date(raw as number) : (raw as CoreValue));
    if (!isList) {
      const old = again(core.get(index, key, column));
      this.undo.push(() => core.set(index, key, column, old));
      return;
    }
    const length = core.listLength(index, key, column);
    const old = Array.from({ length }, (_, at) => again(core.listGet(index, key, column, at)));
    this.undo.push(() => {
      core.listClear(index, key, column);
      for (const [at, element] of old.entries()) core.listInsert(index, key, column, at, element);
    });
  }

  write(model: ClassModel, key: number, property: PropertyModel, value: Planned | Planned[]): void {
    const { core } = this.view;
    if (!Array.isArray(value)) {
      core.set(model.index, key, property.column, this.resolve(value));
      return;
    }
    const elements = value.map((element) => this.resolve(element));
    if (core.listLength(model.index, key, property.column) > 0) core.listClear(model.index, key, property.column);
    for (const [index, element] of elements.entries()) {
      core.listInsert(model.index, key, property.column, index, element);
    }
  }

  private writeDefault(model: ClassModel, key: number, property: PropertyModel, value: Planned | Planned[]): void {
    if (Array.isArray(value)) this.write(model, key, property, value);
    else this.view.core.setDefault(model.index, key, property.column, this.resolve(value));
  }
}

/** An object from the values of its properties, in the order of the schema. */
function valuesOf(model: ClassModel, values: unknown[]): Record<string, unknown> {
  if (!flags.ALLOW_VALUES_ARRAYS) throw new Error("Array values on object creation is no longer supported");
  assert(
    values.length <= model.names.length,
    `Too many values for '${model.name}': it has ${model.names.length} properties`,
  );
  return Object.fromEntries(values.map((value, index) => [model.names[index], value]));
}

function defaultOf({ schema }: PropertyModel): unknown {
  return typeof schema.default === "function" ? (schema.default as () => unknown)() : schema.default;
}

function missing(property: PropertyModel): Error {
  return new Error(`Missing value for property '${property.name}'`);
}

/** Reads an update mode as applications write it. */
export function parseUpdateMode(mode: unknown): UpdateMode {
  if (mode === undefined || mode === false) return UpdateMode.Never;
  if (mode === true) return UpdateMode.All;
  const isKnown = mode === UpdateMode.Never || mode === UpdateMode.Modified || mode === UpdateMode.All;
  assert(isKnown, () => new Error("Unsupported 'updateMode'. Only 'never', 'modified' or 'all' is supported."));
  return mode as UpdateMode;
}
