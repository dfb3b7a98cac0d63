// Between the canonical schema and the engine's.
import type { CoreClass, CoreProperty } from "./core.js";
import type { CanonicalObjectSchema, CanonicalPropertySchema, PropertyTypeName } from "./schema.js";

/** The engine's form of a schema. */
export function toCoreSchema(classes: CanonicalObjectSchema[]): CoreClass[] {
  return classes.map(({ name, primaryKey, properties }) => ({
    name,
    ...(primaryKey === undefined ? {} : { primaryKey }),
    properties: Object.values(properties).map(toCoreProperty),
  }));
}

function toCoreProperty(property: CanonicalPropertySchema): CoreProperty {
  const { name, type, objectType, optional, indexed } = property;
  const isList = type === "list";
  const element = isList ? (objectType as string) : type;
  const kind = isPrimitive(element) ? (element as CoreProperty["type"]) : "link";
  const core: CoreProperty = { name, type: kind, optional, indexed: indexed === false ? "none" : "general" };
  if (isList) core.collection = "list";
  if (kind === "link") core.objectType = objectType;
  return core;
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
      embedded: false,
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
  const isList = property.collection === "list";
  const isLink = property.type === "link";
  const type: PropertyTypeName = isList ? "list" : isLink ? "object" : (property.type as PropertyTypeName);
  const canonical: CanonicalPropertySchema = {
    name: property.name,
    indexed: isPrimaryKey || property.indexed === "general",
    mapTo: property.name,
    type,
    optional: isLink ? !isList : property.optional,
  };
  if (isLink) canonical.objectType = property.objectType;
  else if (isList) canonical.objectType = property.type;
  return canonical;
}

function isPrimitive(type: string): boolean {
  return ["bool", "int", "double", "string", "data", "date", "objectId", "uuid"].includes(type);
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
  const element = property.type === "link" ? `<${property.objectType}>` : property.type;
  return property.collection === "list" ? `array<${element}>` : element;
}
