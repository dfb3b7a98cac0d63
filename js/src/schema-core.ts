// Between the canonical schema and the engine's.
import type { CoreClass, CoreProperty } from "./core.js";
import type { CanonicalObjectSchema, CanonicalPropertySchema, PropertyTypeName } from "./schema.js";

/** The engine's form of a schema. Links the other way round are not stored; a property's stored name is its `mapTo`. */
export function toCoreSchema(classes: CanonicalObjectSchema[]): CoreClass[] {
  return classes.map(({ name, primaryKey, embedded, properties }) => ({
    name,
    ...(primaryKey === undefined ? {} : { primaryKey: properties[primaryKey]?.mapTo ?? primaryKey }),
    embedded: embedded ?? false,
    properties: Object.values(properties)
      .filter(({ type }) => type !== "linkingObjects")
      .map(toCoreProperty),
  }));
}

function toCoreProperty(property: CanonicalPropertySchema): CoreProperty {
  const { mapTo, type, objectType, optional, indexed } = property;
  const isCollection = type === "list" || type === "set" || type === "dictionary";
  const element = isCollection ? (objectType as string) : type;
  const kind = isPrimitive(element) ? (element as CoreProperty["type"]) : "link";
  const core: CoreProperty = {
    name: mapTo,
    type: kind,
    optional,
    indexed: indexed === "full-text" ? "fullText" : indexed ? "general" : "none",
  };
  if (isCollection) core.collection = type;
  if (kind === "link") core.objectType = objectType;
  return core;
}

/**
 * A schema as `realm.schema` gives it, in Realm's order: classes by name, links the other way round before what is stored.
 * What a class or property does not have is there as undefined.
 */
export function described(classes: CanonicalObjectSchema[]): CanonicalObjectSchema[] {
  const inOrder = [...classes].sort((a, b) => (a.name < b.name ? -1 : 1));
  return inOrder.map((declared) => {
    const all = Object.entries(declared.properties);
    const computed = all.filter(([, { type }]) => type === "linkingObjects");
    const stored = all.filter(([, { type }]) => type !== "linkingObjects");
    const properties = [...computed, ...stored].map(([name, property]): [string, CanonicalPropertySchema] => [
      name,
      { ...property, default: property.default, presentation: property.presentation },
    ]);
    return { ...declared, ctor: declared.ctor, properties: Object.fromEntries(properties) };
  });
}

/** The canonical form of a schema that was read from a store. */
export function fromCoreSchema(classes: CoreClass[]): CanonicalObjectSchema[] {
  return classes.filter(isThere).map((declared) => {
    const properties: Record<string, CanonicalPropertySchema> = {};
    for (const property of declared.properties) {
      properties[property.name] = fromCoreProperty(property, property.name === declared.primaryKey);
    }
    return {
      name: declared.name,
      properties,
      embedded: declared.embedded ?? false,
      asymmetric: false,
      ...(declared.primaryKey == null ? {} : { primaryKey: declared.primaryKey }),
    };
  });
}

/** What is left of a deleted class keeps its place, under a name that no class can have. */
function isThere({ name }: CoreClass): boolean {
  return !name.startsWith("\0");
}

function fromCoreProperty(property: CoreProperty, isPrimaryKey: boolean): CanonicalPropertySchema {
  const { collection } = property;
  const isLink = property.type === "link";
  const type: PropertyTypeName = collection ?? (isLink ? "object" : (property.type as PropertyTypeName));
  const canonical: CanonicalPropertySchema = {
    name: property.name,
    indexed: property.indexed === "fullText" ? "full-text" : isPrimaryKey || property.indexed === "general",
    mapTo: property.name,
    type,
    optional: isLink ? collection === undefined || collection === "dictionary" : property.optional,
  };
  if (isLink) canonical.objectType = property.objectType;
  else if (collection) canonical.objectType = property.type;
  return canonical;
}

/** The types that are not classes. */
export const PRIMITIVES: ReadonlySet<string> = new Set([
  "bool",
  "int",
  "float",
  "double",
  "decimal128",
  "string",
  "data",
  "date",
  "objectId",
  "uuid",
  "mixed",
]);

function isPrimitive(type: string): boolean {
  return PRIMITIVES.has(type);
}

/** How a wanted schema differs from the one that is there. */
export interface SchemaDifference {
  addedClasses: string[];
  /** One line a property that the wanted schema adds, such as `Property 'Dog.age' has been added.` */
  addedProperties: string[];
  /** One line a property that is missing in the wanted schema. */
  removedProperties: string[];
  /** One line a change that no additive schema mode allows. */
  breaking: string[];
}

/** Compares what is there with what is wanted, in Realm's words. */
export function compareSchemas(existing: CoreClass[], wanted: CoreClass[]): SchemaDifference {
  const difference: SchemaDifference = { addedClasses: [], addedProperties: [], removedProperties: [], breaking: [] };
  for (const next of wanted) {
    const old = existing.find(({ name }) => name === next.name);
    if (!old) {
      difference.addedClasses.push(next.name);
      continue;
    }
    if ((old.embedded ?? false) !== (next.embedded ?? false)) {
      const [from, to] = next.embedded ? ["TopLevel", "Embedded"] : ["Embedded", "TopLevel"];
      difference.breaking.push(`Class '${next.name}' has been changed from ${from} to ${to}.`);
    }
    if ((old.primaryKey ?? "") !== (next.primaryKey ?? "")) {
      difference.breaking.push(
        `Primary Key for class '${next.name}' has changed from '${old.primaryKey ?? ""}' to '${next.primaryKey ?? ""}'.`,
      );
    }
    for (const property of next.properties) {
      const label = `Property '${next.name}.${property.name}'`;
      const before = old.properties.find(({ name }) => name === property.name);
      if (!before) difference.addedProperties.push(`${label} has been added.`);
      else if (typeText(before) !== typeText(property)) {
        difference.breaking.push(`${label} has been changed from '${typeText(before)}' to '${typeText(property)}'.`);
      } else if (before.type !== "link" && before.optional !== property.optional) {
        difference.breaking.push(`${label} has been made ${property.optional ? "optional" : "required"}.`);
      }
    }
    for (const property of old.properties) {
      if (!next.properties.some(({ name }) => name === property.name)) {
        difference.removedProperties.push(`Property '${next.name}.${property.name}' has been removed.`);
      }
    }
  }
  return difference;
}

function typeText(property: CoreProperty): string {
  const { type, collection, objectType } = property;
  const names: Partial<Record<string, string>> = { decimal128: "decimal", objectId: "object id", link: objectType };
  const element = names[type] ?? type;
  if (!collection) return type === "link" ? `<${element}>` : element;
  if (collection === "dictionary") return `dictionary<string, ${element}>`;
  return `${collection === "list" ? "array" : "set"}<${element}>`;
}
