// A class of one realm: its properties, and the prototype whose accessors read and write the engine, one call a property.

import type { CoreClass } from "./core.js";
import { Counter, CounterCell } from "./counter.js";
import { assignProperty } from "./create.js";
import { DictionaryMethods } from "./dictionary.js";
import { PropertyDictionarySource } from "./dictionary-source.js";
import { AssertionError, InvalidCollectionError } from "./errors.js";
import { List } from "./list.js";
import { type ListSource, PropertyListSource } from "./list-source.js";
import { liftMixed } from "./mixed.js";
import { RealmObject } from "./object.js";
import { liftPrimitive, linkingModel, lowerPrimitive, type PropertyModel, propertyModel } from "./property.js";
import type { Results } from "./results.js";
import { makeResults } from "./results-maker.js";
import { Rows, stringAt } from "./rows.js";
import type { CanonicalObjectSchema } from "./schema.js";
import { RealmSet } from "./set.js";
import { SetSource } from "./set-source.js";
import { KEY, MODEL } from "./symbols.js";
import type { View } from "./view.js";

export interface ClassModel {
  readonly view: View;
  /** The class's position in the engine's schema. */
  readonly index: number;
  readonly name: string;
  readonly schema: CanonicalObjectSchema;
  readonly names: string[];
  readonly properties: Map<string, PropertyModel>;
  /** Those that are in the store: all but links the other way round. */
  readonly stored: PropertyModel[];
  readonly primaryKey: PropertyModel | undefined;
  /** Where the values of its objects lie. */
  readonly rows: Rows;
  /** The object with this key. */
  wrap(key: number): RealmObject<unknown>;
  /** Reads a property: one call to the engine. */
  read(key: number, property: PropertyModel): unknown;
  isValid(key: number): boolean;
  /** The key of the object with a primary key, which is the value of `property`; -1 if there is none. */
  find(property: PropertyModel, primaryKey: unknown): number;
  /** The objects of a class that link to one by a property, live. */
  linksFrom(key: number, from: ClassModel, property: PropertyModel): Results<unknown>;
  property(name: string): PropertyModel;
}

const INVALID = "Accessing object which has been invalidated or deleted";

export function createClassModel(
  view: View,
  index: number,
  schema: CanonicalObjectSchema,
  core: CoreClass,
): ClassModel {
  const stored: PropertyModel[] = [];
  const computed: PropertyModel[] = [];
  for (const declared of Object.values(schema.properties)) {
    if (declared.type === "linkingObjects") {
      computed.push(linkingModel(schema.name, declared));
      continue;
    }
    const column = core.properties.findIndex(({ name }) => name === declared.mapTo);
    const found = core.properties[column];
    if (found) stored.push(propertyModel(schema.name, declared, found, column, (name) => view.isEmbedded(name)));
  }
  const properties = new Map([...stored, ...computed].map((property) => [property.name, property]));
  const names = [...properties.keys()];
  const readers = new Map<PropertyModel, (key: number) => unknown>();
  const readersByName = new Map<string | symbol, (key: number) => unknown>();
  // A plain constructor makes objects faster than Object.create does.
  const Managed = function (this: { [KEY]: number }, key: number) {
    this[KEY] = key;
  } as unknown as { new (key: number): object; prototype: object };

  const model: ClassModel = {
    view,
    index,
    name: schema.name,
    schema,
    names,
    properties,
    stored,
    primaryKey: schema.primaryKey === undefined ? undefined : properties.get(schema.primaryKey),
    rows: new Rows(view.core, index, core.properties.length),
    wrap: (key) => new Proxy(new Managed(key), handler as ProxyHandler<object>) as RealmObject<unknown>,
    read(key, property) {
      if (!view.isOpen) throw new AssertionError(INVALID);
      try {
        return readers.get(property)?.(key);
      } catch (error) {
        throw explain(model, key, error);
      }
    },
    find(property, primaryKey) {
      if (property.kind === "int" && Number.isSafeInteger(primaryKey)) {
        const key = findInt(model, property, primaryKey as number);
        if (!Number.isNaN(key)) return key;
      }
      return view.core.find(index, lowerPrimitive(property, primaryKey));
    },
    isValid: (key) => view.isOpen && view.core.isValid(index, key),
    linksFrom: (key, from, property) => backlinks(model, key, from, property),
    property(name) {
      const property = properties.get(name);
      if (!property) throw new Error(`Property '${name}' does not exist on '${schema.name}' objects`);
      return property;
    },
  };

  const handler = objectHandler(model, readersByName);
  const prototype = Object.create(prototypeOf(schema));
  Object.defineProperty(prototype, MODEL, { value: model });
  for (const property of properties.values()) {
    const readValue = reader(model, property);
    readers.set(property, readValue);
    readersByName.set(property.name, readValue);
    Object.defineProperty(prototype, property.name, accessor(model, property, readValue));
  }
  Managed.prototype = prototype;
  return model;
}

/** NaN if the engine has something to complain about. */
function findInt({ view, index, rows }: ClassModel, { column }: PropertyModel, primaryKey: number): number {
  // In a migration several objects may have one primary key for a while.
  const guess = view.coordinator?.isInMigration ? 0 : rows.guess(primaryKey, column);
  if (guess > 0) return guess;
  const key = view.core.findInt(index, primaryKey);
  if (key > 0) rows.learn(primaryKey, key);
  return key;
}

function prototypeOf(schema: CanonicalObjectSchema): object {
  if (schema.ctor) return schema.ctor.prototype as object;
  const Unnamed = class extends RealmObject<unknown> {};
  Object.defineProperty(Unnamed, "name", { value: schema.name });
  return Unnamed.prototype;
}

type Keyed = { [KEY]: number };

function accessor(model: ClassModel, property: PropertyModel, readValue: (key: number) => unknown): PropertyDescriptor {
  const { view } = model;
  return {
    enumerable: true,
    configurable: true,
    get(this: Keyed) {
      if (!view.isOpen) throw new AssertionError(INVALID);
      const key = this[KEY];
      try {
        return readValue(key);
      } catch (error) {
        throw explain(model, key, error);
      }
    },
    set(this: Keyed, value: unknown) {
      assign(model, this[KEY], property, value);
    },
  };
}

/** Assigns one property of the object with a key: most numbers by one call that refuses what needs more care. */
function assign(model: ClassModel, key: number, property: PropertyModel, value: unknown): void {
  const { view, index } = model;
  view.assertWritable();
  if (
    typeof value === "number" &&
    property !== model.primaryKey &&
    takesNumbers(property) &&
    view.core.setNumber(index, key, property.column, value)
  )
    return;
  if (!view.core.isValid(index, key)) throw new AssertionError(INVALID);
  if (property.origin !== undefined) throw new Error("Not supported");
  assignProperty(model, key, property, value);
}

/** Whether any number may be assigned that the engine's type has room for. */
function takesNumbers({ kind, collection, isCounter }: PropertyModel): boolean {
  const isNumeric = kind === "int" || kind === "double" || kind === "float";
  return isNumeric && collection === undefined && !isCounter;
}

/** Reads a property of the object with a key, in the cheapest way that its type allows. */
function reader(model: ClassModel, property: PropertyModel): (key: number) => unknown {
  const { view, index } = model;
  const { core } = view;
  const { column, kind } = property;
  if (property.origin !== undefined) return (key) => linksTo(model, key, property);
  switch (property.collection) {
    case "list":
      return (key) => new List(valid(new PropertyListSource(model, key, property)));
    case "set":
      return (key) => new RealmSet(valid(new SetSource(model, key, property)));
    case "dictionary":
      return (key) => new DictionaryMethods(new PropertyDictionarySource(model, key, property));
    case undefined:
      break;
  }
  if (property.isCounter) {
    return (key) =>
      core.getNumber(index, key, column) === undefined ? null : new Counter(new CounterCell(model, key, property));
  }
  const { rows } = model;
  const integer = (key: number): number | undefined => {
    if (rows.find(key)) return rows.isNull(column) ? undefined : rows.integer(column);
    return core.getNumber(index, key, column);
  };
  switch (kind) {
    case "string":
      return (key) => {
        if (rows.find(key)) return rows.isNull(column) ? null : rows.string(column);
        const place = core.stringAt(index, key, column);
        if (place >= 0) return stringAt(place);
        return place === -1 ? null : core.get(index, key, column);
      };
    case "bool":
      return (key) => {
        if (rows.find(key)) return rows.isNull(column) ? null : rows.boolean(column);
        return core.get(index, key, column);
      };
    case "mixed":
      return (key) => liftMixed(view, core.get(index, key, column), () => ({ owner: model, key, property, path: [] }));
    case "float":
      return (key) => {
        if (rows.find(key)) return rows.isNull(column) ? null : rows.float(column);
        return core.getNumber(index, key, column) ?? null;
      };
    case "double":
      return (key) => {
        if (rows.find(key)) return rows.isNull(column) ? null : rows.double(column);
        return core.getNumber(index, key, column) ?? null;
      };
    case "int":
      return (key) => {
        const value = integer(key);
        if (value === undefined) return null;
        // What a double cannot hold exactly is read again, as a bigint.
        return Number.isSafeInteger(value) ? value : core.get(index, key, column);
      };
    case "date":
      return (key) => {
        const value = integer(key);
        return value === undefined ? null : new Date(value);
      };
    case "link": {
      let target: ClassModel | undefined;
      return (key) => {
        const value = integer(key);
        if (value === undefined) return null;
        target ??= view.model(property.target);
        return target.wrap(value);
      };
    }
    case "data":
    case "decimal128":
    case "objectId":
    case "uuid":
      return (key) => liftPrimitive(kind, core.get(index, key, column));
  }
}

/** The objects that a property of links the other way round has. */
function linksTo(model: ClassModel, key: number, { target, origin }: PropertyModel): Results<unknown> {
  const from = model.view.model(target);
  const property = originOf(from, origin as string);
  if (!property) throw new Error(`Expected a '${origin}' property on ${target}`);
  return backlinks(model, key, from, property);
}

/** The property of a class that another class sees from the other end: by its name, or else by its name in the store. */
export function originOf({ stored }: ClassModel, origin: string): PropertyModel | undefined {
  return stored.find(({ name }) => name === origin) ?? stored.find(({ schema }) => schema.mapTo === origin);
}

/** The objects of a class that link to one by a property, live. */
function backlinks(model: ClassModel, key: number, from: ClassModel, property: PropertyModel): Results<unknown> {
  const query = model.view.core.backlinks(model.index, key, from.index, property.column);
  return makeResults(model.view, { model: from, kind: "link", optional: false }, query, "");
}

function explain(model: ClassModel, key: number, error: unknown): unknown {
  return model.isValid(key) || error instanceof InvalidCollectionError ? error : new AssertionError(INVALID);
}

/** As Realm does, refuses a list or set whose owner is gone when it is read, and not when it is first used. */
function valid<T extends ListSource | SetSource>(source: T): T {
  source.assertValid();
  return source;
}

/**
 * Makes `Object.keys`, spread and class fields see properties that live on the prototype. Reads pass here too: a trap that
 * finds the reader by name is faster than a proxy without one.
 */
function objectHandler(
  model: ClassModel,
  readers: Map<string | symbol, (key: number) => unknown>,
): ProxyHandler<Keyed> {
  const { names, properties, view } = model;
  return {
    get(target, name, receiver) {
      const readValue = readers.get(name);
      if (readValue === undefined) {
        if (name === KEY) return target[KEY];
        return name === MODEL ? model : Reflect.get(target, name, receiver);
      }
      if (!view.isOpen) throw new AssertionError(INVALID);
      try {
        return readValue(target[KEY]);
      } catch (error) {
        throw explain(model, target[KEY], error);
      }
    },
    set(target, name, value, receiver) {
      const property = typeof name === "string" ? properties.get(name) : undefined;
      if (property === undefined) return Reflect.set(target, name, value, receiver);
      assign(model, target[KEY], property, value);
      return true;
    },
    ownKeys(target) {
      const own = Reflect.ownKeys(target);
      return own.length === 1 ? names : [...own.filter((key) => key !== KEY), ...names];
    },
    getOwnPropertyDescriptor(target, name) {
      if (typeof name === "string" && properties.has(name)) {
        return { enumerable: true, configurable: true, writable: true };
      }
      return name === KEY ? undefined : Reflect.getOwnPropertyDescriptor(target, name);
    },
    defineProperty(target, name, descriptor) {
      // A class field of a model, compiled to a definition, must not hide the property that it declares.
      if (typeof name === "string" && properties.has(name)) {
        return descriptor.value === undefined || Reflect.set(target, name, descriptor.value);
      }
      return Reflect.defineProperty(target, name, descriptor);
    },
  };
}
