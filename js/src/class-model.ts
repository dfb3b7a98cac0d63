// A class of one realm: its properties, and the prototype whose accessors read and write the engine, one call a property.

import type { CoreClass } from "./core.js";
import { assignProperty } from "./create.js";
import { AssertionError, NotAvailableError } from "./errors.js";
import { List } from "./list.js";
import { ListSource } from "./list-source.js";
import { RealmObject } from "./object.js";
import { stringAt } from "./packed.js";
import { liftPrimitive, type PropertyModel, propertyModel } from "./property.js";
import type { CanonicalObjectSchema } from "./schema.js";
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
  /** The same, in order. */
  readonly propertyList: PropertyModel[];
  readonly primaryKey: PropertyModel | undefined;
  /** The object with this key. */
  wrap(key: number): RealmObject<unknown>;
  /** Reads a property: one call to the engine. */
  read(key: number, property: PropertyModel): unknown;
  isValid(key: number): boolean;
  property(name: string): PropertyModel;
}

const INVALID = "Accessing object which has been invalidated or deleted";

export function createClassModel(
  view: View,
  index: number,
  schema: CanonicalObjectSchema,
  core: CoreClass,
): ClassModel {
  const properties = new Map<string, PropertyModel>();
  for (const declared of Object.values(schema.properties)) {
    const column = core.properties.findIndex(({ name }) => name === declared.name);
    const found = core.properties[column];
    if (found) properties.set(declared.name, propertyModel(declared, found, column));
  }
  const names = [...properties.keys()];
  const readers = new Map<PropertyModel, (key: number) => unknown>();
  const handler = objectHandler(names, properties);
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
    propertyList: [...properties.values()],
    primaryKey: schema.primaryKey === undefined ? undefined : properties.get(schema.primaryKey),
    wrap: (key) => new Proxy(new Managed(key), handler) as RealmObject<unknown>,
    read(key, property) {
      if (!view.isOpen) throw new AssertionError(INVALID);
      try {
        return readers.get(property)?.(key);
      } catch (error) {
        throw explain(model, key, error);
      }
    },
    isValid: (key) => view.isOpen && view.core.isValid(index, key),
    property(name) {
      const property = properties.get(name);
      if (!property) throw new Error(`Property '${name}' does not exist on '${schema.name}' objects`);
      return property;
    },
  };

  const prototype = Object.create(prototypeOf(schema));
  Object.defineProperty(prototype, MODEL, { value: model });
  for (const property of properties.values()) {
    const readValue = reader(model, property);
    readers.set(property, readValue);
    Object.defineProperty(prototype, property.name, accessor(model, property, readValue));
  }
  Managed.prototype = prototype;
  return model;
}

function prototypeOf(schema: CanonicalObjectSchema): object {
  if (schema.ctor) return schema.ctor.prototype as object;
  const Unnamed = class extends RealmObject<unknown> {};
  Object.defineProperty(Unnamed, "name", { value: schema.name });
  return Unnamed.prototype;
}

type Keyed = { [KEY]: number };

function accessor(model: ClassModel, property: PropertyModel, readValue: (key: number) => unknown): PropertyDescriptor {
  const { view, index } = model;
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
      view.assertWritable();
      if (!view.core.isValid(index, this[KEY])) throw new AssertionError(INVALID);
      assignProperty(model, this[KEY], property, value);
    },
  };
}

/** Reads a property of the object with a key, in the cheapest way that its type allows. */
function reader(model: ClassModel, property: PropertyModel): (key: number) => unknown {
  const { view, index } = model;
  const { core } = view;
  const { column, kind } = property;
  if (property.isList) return (key) => new List(new ListSource(model, key, property));
  switch (kind) {
    case "string":
      return (key) => {
        const place = core.stringAt(index, key, column);
        if (place >= 0) return stringAt(place);
        return place === -1 ? null : core.get(index, key, column);
      };
    case "bool":
      return (key) => core.get(index, key, column);
    case "double":
      return (key) => core.getNumber(index, key, column) ?? null;
    case "int":
      return (key) => {
        const value = core.getNumber(index, key, column);
        if (value === undefined) return null;
        // What a double cannot hold exactly is read again, as a bigint.
        return Number.isSafeInteger(value) ? value : core.get(index, key, column);
      };
    case "date":
      return (key) => {
        const value = core.getNumber(index, key, column);
        return value === undefined ? null : new Date(value);
      };
    case "link": {
      let target: ClassModel | undefined;
      return (key) => {
        const value = core.getNumber(index, key, column);
        if (value === undefined) return null;
        target ??= view.model(property.target);
        return target.wrap(value);
      };
    }
    case "float":
    case "decimal128":
    case "mixed":
      throw new NotAvailableError(`The type '${kind}'`);
    case "data":
    case "objectId":
    case "uuid":
      return (key) => liftPrimitive(kind, core.get(index, key, column));
  }
}

function explain(model: ClassModel, key: number, error: unknown): unknown {
  return model.isValid(key) ? error : new AssertionError(INVALID);
}

/** Makes `Object.keys`, spread and class fields see properties that live on the prototype; reads do not pass here. */
function objectHandler(names: string[], properties: Map<string, PropertyModel>): ProxyHandler<object> {
  return {
    ownKeys(target) {
      const own = Reflect.ownKeys(target);
      return own.length === 1 ? names : [...names, ...own.filter((key) => key !== KEY)];
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
