// Key paths: which changes a listener asks for, from names to what the engine follows.
import type { ClassModel } from "./class-model.js";
import { TypeAssertionError } from "./errors.js";
import type { CanonicalPropertySchema } from "./schema.js";

/** One way from an object to a property. */
export interface KeyPath {
  /** The property that it starts with. */
  root: string;
  /** Four numbers a step: 0, class, column, 0 for a property; 1, class, column, target for the objects that link here. */
  steps: number[];
}

/** How many ways the wildcards of one listener may stand for. */
const PATHS_MAX = 10_000;

/** What may be given as key paths: one, several, or nothing. */
export function parseKeyPaths(keyPaths: unknown): string[] | undefined {
  if (keyPaths === undefined || keyPaths === null) return undefined;
  const list: unknown = typeof keyPaths === "string" ? [keyPaths] : keyPaths;
  if (!Array.isArray(list)) throw new TypeAssertionError("a string or an array of strings", keyPaths, "keyPaths");
  for (const path of list) if (typeof path !== "string") throw new TypeAssertionError("a string", path, "key path");
  return list;
}

/** The ways that key paths from objects of a class stand for. */
export function resolveKeyPaths(model: ClassModel, keyPaths: string[]): KeyPath[] {
  const found: KeyPath[] = [];
  for (const path of keyPaths) {
    found.push(...walk(model, path.split("."), path, true));
    if (found.length > PATHS_MAX) throw new Error(`KeyPath '${path}' stands for more than ${PATHS_MAX} paths.`);
  }
  return found;
}

interface Step {
  name: string;
  numbers: number[];
  target: ClassModel | undefined;
}

/** Ways from a class. What comes after a wildcard need not be there everywhere. */
function walk(model: ClassModel, names: string[], path: string, isMandatory: boolean): KeyPath[] {
  const [name, ...rest] = names;
  if (name === "*") {
    return Object.values(model.schema.properties).flatMap((property) => {
      const step = stepTo(model, property);
      return step ? follow(step, rest, path, false) : [];
    });
  }
  const property = named(model, name as string);
  const step = property && stepTo(model, property);
  if (step) return follow(step, rest, path, isMandatory);
  if (!isMandatory) return [];
  throw new Error(`Property '${name}' in KeyPath '${path}' is not a valid property in ${model.name}.`);
}

function follow({ name, numbers, target }: Step, rest: string[], path: string, isMandatory: boolean): KeyPath[] {
  if (rest.length === 0) return [{ root: name, steps: numbers }];
  if (target) {
    const onward = walk(target, rest, path, isMandatory);
    return onward.map(({ steps }) => ({ root: name, steps: [...numbers, ...steps] }));
  }
  if (isMandatory) {
    throw new Error(
      `Property '${name}' in KeyPath '${path}' is not a collection of objects or an object reference, so it cannot be used as an intermediate keypath element.`,
    );
  }
  return rest.every((segment) => segment === "*") ? [{ root: name, steps: numbers }] : [];
}

function named(model: ClassModel, name: string): CanonicalPropertySchema | undefined {
  const { properties } = model.schema;
  if (Object.hasOwn(properties, name)) return properties[name];
  return Object.values(properties).find(({ mapTo }) => mapTo === name);
}

function stepTo(model: ClassModel, property: CanonicalPropertySchema): Step | undefined {
  const { view } = model;
  if (property.type === "linkingObjects") {
    const source = view.model(property.objectType);
    const origin = named(source, property.property as string);
    const column = origin && source.properties.get(origin.name)?.column;
    if (column === undefined) return undefined;
    return { name: property.name, numbers: [1, source.index, column, model.index], target: source };
  }
  const found = model.properties.get(property.name);
  if (!found) return undefined;
  const target = found.target === undefined ? undefined : view.model(found.target);
  return { name: property.name, numbers: [0, model.index, found.column, 0], target };
}
