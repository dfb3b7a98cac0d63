// What only the whole schema can show, in the words of Realm's own validation.
import type { CanonicalObjectSchema, CanonicalPropertySchema } from "./schema.js";
import { PRIMITIVES } from "./schema-core.js";

const KEY_TYPES = new Set(["int", "string", "objectId", "uuid"]);
const INDEXABLE = new Set(["int", "string", "bool", "date", "objectId", "uuid", "mixed"]);
/** Bytes of a name in the store: a class's is kept with a prefix. */
const CLASS_NAME_MAX = 57;
const PROPERTY_NAME_MAX = 63;

/** Throws one error with everything that is wrong. */
export function validateSchema(classes: CanonicalObjectSchema[]): void {
  const byName = new Map(classes.map((declared) => [declared.name, declared]));
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const { name } of classes) {
    if (seen.has(name)) problems.push(`Type '${name}' appears more than once in the schema.`);
    seen.add(name);
  }
  for (const declared of classes) problems.push(...problemsOf(declared, byName));
  problems.push(...embeddedCycles(classes, byName));
  if (problems.length > 0) {
    const lines = problems.map((problem) => `- ${problem}`).join("\n");
    throw new Error(`Schema validation failed due to the following errors:\n${lines}`);
  }
  for (const declared of classes) checkNames(declared);
}

function problemsOf(declared: CanonicalObjectSchema, byName: Map<string, CanonicalObjectSchema>): string[] {
  const { name, embedded, asymmetric, primaryKey } = declared;
  const properties = Object.values(declared.properties);
  const problems = nameClashes(name, properties);
  if (embedded && primaryKey !== undefined) problems.push(`Embedded object type '${name}' cannot have a primary key.`);
  for (const property of properties) {
    const { type, objectType } = property;
    const label = `Property '${name}.${property.name}' of type '${inWords(type)}'`;
    const canBeKey = KEY_TYPES.has(type) || (objectType !== undefined && KEY_TYPES.has(objectType));
    if (property.name === primaryKey && !canBeKey) problems.push(`${label} cannot be made the primary key.`);
    if (property.indexed === "full-text") {
      if (type !== "string") problems.push(`${label} cannot have a full-text index: only a string can.`);
    } else if (property.indexed && !INDEXABLE.has(type) && !(type === "list" && objectType === "string")) {
      problems.push(`${label} cannot be indexed.`);
    }
    problems.push(...targetProblems(name, property, byName));
  }
  if (asymmetric) problems.push(`Asymmetric table '${name}' not allowed in a local Realm`);
  return problems;
}

/** Stored names that are used twice, and public names that are the stored name of another property. */
function nameClashes(className: string, properties: CanonicalPropertySchema[]): string[] {
  const problems: string[] = [];
  const stored = new Set<string>();
  for (const { name, mapTo } of properties) {
    if (stored.has(mapTo)) {
      problems.push(`Property '${mapTo}' appears more than once in the schema for type '${className}'.`);
    } else if (name !== mapTo && properties.some((other) => other.name !== name && other.mapTo === name)) {
      problems.push(
        `Property '${className}.${mapTo}' has an alias '${name}' that conflicts with a property of the same name.`,
      );
    }
    stored.add(mapTo);
  }
  return problems;
}

function targetProblems(
  className: string,
  property: CanonicalPropertySchema,
  byName: Map<string, CanonicalObjectSchema>,
): string[] {
  const { type, objectType, name } = property;
  if (objectType === undefined || PRIMITIVES.has(objectType)) return [];
  const label = `Property '${className}.${name}' of type '${inWords(type)}'`;
  const target = byName.get(objectType);
  if (!target) return [`${label} has unknown object type '${objectType}'`];
  if (type === "linkingObjects") return originProblems(className, property, target);
  if (target.asymmetric) return [`${label} cannot be a link to an asymmetric object.`];
  if (type === "set" && target.embedded) {
    return [
      `Set property '${className}.${name}' cannot contain embedded object type '${objectType}'. Set semantics are not applicable to embedded objects.`,
    ];
  }
  return [];
}

function originProblems(className: string, property: CanonicalPropertySchema, target: CanonicalObjectSchema): string[] {
  const wanted = property.property as string;
  const declared = Object.values(target.properties);
  const origin = declared.find(({ name }) => name === wanted) ?? declared.find(({ mapTo }) => mapTo === wanted);
  const where = `Property '${target.name}.${wanted}' declared as origin of linking objects property '${className}.${property.name}'`;
  if (!origin) return [`${where} does not exist`];
  const isLink = origin.objectType !== undefined && !PRIMITIVES.has(origin.objectType);
  if (!isLink || origin.type === "linkingObjects") return [`${where} is not a link`];
  return origin.objectType === className ? [] : [`${where} links to type '${origin.objectType}'`];
}

/** Embedded classes that would contain themselves. */
function embeddedCycles(classes: CanonicalObjectSchema[], byName: Map<string, CanonicalObjectSchema>): string[] {
  const problems: string[] = [];
  const leadsBack = (from: string, to: string, seen: Set<string>): boolean => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return embeddedTargets(byName.get(from), byName).some((next) => leadsBack(next, to, seen));
  };
  for (const { name, embedded, properties } of classes) {
    if (!embedded) continue;
    for (const property of Object.values(properties)) {
      const { objectType, type } = property;
      if (type === "linkingObjects" || !byName.get(objectType ?? "")?.embedded) continue;
      if (leadsBack(objectType as string, name, new Set())) {
        problems.push(`Cycles containing embedded objects are not currently supported: '${name}.${property.name}'`);
      }
    }
  }
  return problems;
}

function embeddedTargets(
  declared: CanonicalObjectSchema | undefined,
  byName: Map<string, CanonicalObjectSchema>,
): string[] {
  return Object.values(declared?.properties ?? {})
    .filter(({ type, objectType }) => type !== "linkingObjects" && byName.get(objectType ?? "")?.embedded)
    .map(({ objectType }) => objectType as string);
}

function checkNames({ name, properties }: CanonicalObjectSchema): void {
  const size = (text: string) => new TextEncoder().encode(text).length;
  if (size(name) > CLASS_NAME_MAX) throw new Error(`Name too long: class_${name}`);
  for (const { mapTo } of Object.values(properties)) {
    if (size(mapTo) > PROPERTY_NAME_MAX) throw new Error(`Name too long: ${mapTo}`);
  }
}

/** A type as Realm's messages spell it. */
function inWords(type: string): string {
  if (type === "list") return "array";
  if (type === "decimal128") return "decimal";
  return type === "linkingObjects" ? "linking objects" : type;
}
