// Reads a schema as applications write it and turns it into its canonical form, with Realm's messages for what is wrong.
import { assertArray, assertBoolean, assertObject, assertString } from "./assert.js";
import {
  AssertionError,
  NotAvailableError,
  ObjectSchemaParseError,
  PropertySchemaParseError,
  TypeAssertionError,
} from "./errors.js";
import { RealmObject } from "./object.js";
import type {
  CanonicalObjectSchema,
  CanonicalPropertySchema,
  PropertyTypeName,
  RealmObjectConstructor,
} from "./schema.js";
import { PRIMITIVES } from "./schema-core.js";
import { validateSchema } from "./schema-validate.js";

const COLLECTIONS = new Set(["list", "dictionary", "set"]);
const COLLECTION_SUFFIXES: Record<string, PropertyTypeName> = { "[]": "list", "{}": "dictionary", "<>": "set" };
const OBJECT_KEYS = new Set(["name", "primaryKey", "embedded", "asymmetric", "properties", "ctor"]);
const PROPERTY_KEYS = new Set([
  "name",
  "type",
  "objectType",
  "presentation",
  "property",
  "optional",
  "indexed",
  "mapTo",
  "default",
]);

/** The canonical form of a whole schema. */
export function parseSchema(input: unknown, isSynced = false): CanonicalObjectSchema[] {
  assertArray(input, "realm schema");
  const classes = input.map(parseClass);
  const asymmetric = classes.find((declared) => declared.asymmetric);
  if (isSynced && asymmetric) throw new NotAvailableError(`The asymmetric class '${asymmetric.name}'`);
  validateSchema(classes);
  return classes;
}

/** The canonical form of one class. */
export function parseClass(input: unknown): CanonicalObjectSchema {
  let objectName = "";
  try {
    let declaration: unknown = input;
    let ctor: RealmObjectConstructor | undefined;
    if (typeof input === "function") {
      ctor = input as unknown as RealmObjectConstructor;
      objectName = ctor.name;
      if (!(ctor.prototype instanceof RealmObject)) {
        const declared = ctor.schema?.name;
        const detail = declared && declared !== ctor.name ? ` (declaring '${declared}' schema)` : "";
        throw new TypeError(`Class '${ctor.name}'${detail} must extend Realm.Object`);
      }
      declaration = ctor.schema;
      assertObject(declaration, "schema static");
    }
    assertObject(declaration, "object schema");
    const { name, primaryKey, embedded, asymmetric, properties } = declaration;
    objectName = name ? String(name) : objectName;
    assertString(name, "'name' on object schema");
    objectName = name;
    if (name.length === 0) throw new AssertionError("'name' must be specified.");
    assertObject(properties, `'properties' on '${name}'`);
    if (primaryKey !== undefined) assertString(primaryKey, `'primaryKey' on '${name}'`);
    if (embedded !== undefined) assertBoolean(embedded, `'embedded' on '${name}'`);
    if (asymmetric !== undefined) assertBoolean(asymmetric, `'asymmetric' on '${name}'`);
    const unexpected = Object.keys(declaration).filter((key) => !OBJECT_KEYS.has(key));
    if (unexpected.length > 0) {
      const list = unexpected.join("', '");
      throw new AssertionError(`Unexpected field(s) found on the schema for object '${name}': '${list}'.`);
    }
    if (primaryKey !== undefined && !Object.hasOwn(properties, primaryKey)) {
      throw new AssertionError(`'${primaryKey}' is set as the primary key field but was not found in 'properties'.`);
    }
    if (embedded && asymmetric) throw new AssertionError("Cannot be both asymmetric and embedded.");
    const canonical: CanonicalObjectSchema = {
      ctor,
      name,
      properties: {},
      embedded: embedded ?? false,
      asymmetric: asymmetric ?? false,
      primaryKey,
    };
    if (ctor === undefined) delete canonical.ctor;
    if (primaryKey === undefined) delete canonical.primaryKey;
    for (const [propertyName, property] of Object.entries(properties)) {
      canonical.properties[propertyName] = parseProperty(property, name, propertyName, propertyName === primaryKey);
    }
    return canonical;
  } catch (error) {
    if (error instanceof PropertySchemaParseError || error instanceof ObjectSchemaParseError) throw error;
    if (error instanceof AssertionError || error instanceof TypeError) {
      throw new ObjectSchemaParseError(error.message, objectName);
    }
    throw error;
  }
}

function parseProperty(
  input: unknown,
  objectName: string,
  propertyName: string,
  isPrimaryKey: boolean,
): CanonicalPropertySchema {
  const fail = (message: string): never => {
    throw new PropertySchemaParseError(message, objectName, propertyName);
  };
  try {
    return typeof input === "string"
      ? parseShorthand(input, propertyName, isPrimaryKey, fail)
      : parseDeclaration(input, objectName, propertyName, isPrimaryKey, fail);
  } catch (error) {
    if (error instanceof TypeAssertionError) return fail(error.message);
    throw error;
  }
}

type Fail = (message: string) => never;

function parseShorthand(shorthand: string, name: string, isPrimaryKey: boolean, fail: Fail): CanonicalPropertySchema {
  let rest = shorthand;
  let type: string | undefined;
  let objectType: string | undefined;
  let optional: boolean | undefined;
  let presentation: "counter" | undefined;
  if (rest.length === 0) fail("The type must be specified.");
  const suffix = rest.slice(-2);
  const collection = COLLECTION_SUFFIXES[suffix];
  if (collection) {
    type = collection;
    rest = rest.slice(0, -2);
    if (rest.length === 0) fail(`The element type must be specified (Example: 'int${suffix}')`);
    if (COLLECTION_SUFFIXES[rest.slice(-2)]) fail("Nested collections are not supported.");
  }
  if (rest.endsWith("?")) {
    optional = true;
    rest = rest.slice(0, -1);
    if (rest.length === 0) fail("The type must be specified. (Examples: 'int?' and 'int?[]')");
    if (COLLECTION_SUFFIXES[rest.slice(-2)]) {
      fail(
        "Collections cannot be optional. To allow elements of the collection to be optional, use '?' after the element type. (Examples: 'int?[]', 'int?{}', and 'int?<>')",
      );
    }
  }
  if (rest === "counter") {
    if (type !== undefined) fail("Counters cannot be used in collections.");
    presentation = "counter";
    rest = "int";
  }
  if (PRIMITIVES.has(rest)) {
    if (type === undefined) type = rest;
    else objectType = rest;
    if (rest === "mixed") optional = true;
  } else if (COLLECTIONS.has(rest)) {
    fail(`Cannot use the collection name ${rest}. (Examples: 'int[]' (list), 'int{}' (dictionary), and 'int<>' (set))`);
  } else if (rest === "object") {
    fail("To define a relationship, use either 'MyObjectType' or { type: 'object', objectType: 'MyObjectType' }");
  } else if (rest === "linkingObjects") {
    fail(
      "To define an inverse relationship, use { type: 'linkingObjects', objectType: 'MyObjectType', property: 'myObjectTypesProperty' }",
    );
  } else {
    objectType = rest;
    if (type === "list" || type === "set") {
      if (optional) {
        fail(
          "User-defined types in lists and sets are always non-optional and cannot be made optional. Remove '?' or change the type.",
        );
      }
      optional = false;
    } else {
      type ??= "object";
      optional = true;
    }
  }
  return canonicalProperty(name, type as PropertyTypeName, {
    objectType,
    presentation,
    optional: optional ?? false,
    indexed: isPrimaryKey,
  });
}

function parseDeclaration(
  input: unknown,
  objectName: string,
  name: string,
  isPrimaryKey: boolean,
  fail: Fail,
): CanonicalPropertySchema {
  const label = (key: string) => `'${name}.${key}' on '${objectName}'`;
  assertObject(input, `'${name}' on '${objectName}'`);
  const unexpected = Object.keys(input).filter((key) => !PROPERTY_KEYS.has(key));
  if (unexpected.length > 0) {
    const list = unexpected.join("', '");
    fail(`Unexpected field(s) found on the schema for property '${name}' on '${objectName}': '${list}'.`);
  }
  const { type, objectType, presentation, property, optional, indexed, mapTo } = input;
  assertString(type, label("type"));
  if (objectType !== undefined) assertString(objectType, label("objectType"));
  if (presentation !== undefined) assertString(presentation, label("presentation"));
  if (property !== undefined) assertString(property, label("property"));
  if (optional !== undefined) assertBoolean(optional, label("optional"));
  if (indexed !== undefined && indexed !== "full-text" && typeof indexed !== "boolean") {
    fail(`Expected ${label("indexed")} to be a boolean or 'full-text'.`);
  }
  if (mapTo !== undefined) assertString(mapTo, label("mapTo"));
  if (type.length === 0) fail("'type' must be specified.");
  checkNoShorthand(type, objectType, fail);
  checkDeclaredType(type, objectType, property, fail);
  if (presentation === "counter" && type !== "int") fail("Counters can only be used when 'type' is 'int'.");
  const links = objectType !== undefined && !PRIMITIVES.has(objectType);
  let isOptional = optional ?? false;
  if (type === "mixed" || objectType === "mixed" || type === "object" || (type === "dictionary" && links)) {
    if (optional === false) {
      const what =
        type === "mixed" || objectType === "mixed"
          ? "'mixed' types"
          : "User-defined types as standalone objects and in dictionaries";
      fail(`${what} are always optional and cannot be made non-optional.`);
    }
    isOptional = true;
  }
  if ((type === "list" || type === "set" || type === "linkingObjects") && links) {
    if (optional === true) {
      fail("User-defined types in lists and sets are always non-optional and cannot be made optional.");
    }
    isOptional = false;
  }
  if (isPrimaryKey && indexed === false) fail("Primary keys must always be indexed.");
  if (isPrimaryKey && indexed === "full-text") fail("Primary keys cannot be full-text indexed.");
  if (isPrimaryKey && presentation === "counter") fail("Counters cannot be primary keys.");
  const canonical = canonicalProperty(name, type as PropertyTypeName, {
    objectType,
    presentation: presentation as "counter" | undefined,
    property,
    optional: isOptional,
    indexed: (indexed as boolean | "full-text" | undefined) ?? isPrimaryKey,
    mapTo,
  });
  if (input.default !== undefined) canonical.default = input.default;
  return canonical;
}

function checkNoShorthand(type: string, objectType: string | undefined, fail: Fail): void {
  for (const text of [type, objectType ?? ""]) {
    const used: string[] = [];
    let rest = text;
    if (COLLECTION_SUFFIXES[rest.slice(-2)]) {
      used.push(rest.slice(-2));
      rest = rest.slice(0, -2);
    }
    if (rest.endsWith("?")) {
      used.push("?");
      rest = rest.slice(0, -1);
    }
    const isCounter = rest === "counter";
    if (isCounter) used.push(rest);
    if (used.length === 0) continue;
    const hint = isCounter ? " To use presentation types such as 'counter', use the field 'presentation'." : "";
    const list = used.join("' and '");
    fail(`Cannot use shorthand '${list}' in 'type' or 'objectType' when defining property objects.${hint}`);
  }
}

function checkDeclaredType(
  type: string,
  objectType: string | undefined,
  property: string | undefined,
  fail: Fail,
): void {
  const isUser = (name: string | undefined): boolean =>
    !!name && !PRIMITIVES.has(name) && !COLLECTIONS.has(name) && name !== "object" && name !== "linkingObjects";
  if (PRIMITIVES.has(type)) {
    if (objectType !== undefined) fail(`'objectType' cannot be defined when 'type' is '${type}'.`);
  } else if (COLLECTIONS.has(type)) {
    if (!objectType || !(PRIMITIVES.has(objectType) || isUser(objectType))) {
      fail(`A ${type} must contain only primitive or user-defined types specified through 'objectType'.`);
    }
  } else if (type === "object") {
    if (!isUser(objectType)) fail("A user-defined type must be specified through 'objectType'.");
  } else if (type === "linkingObjects") {
    if (!isUser(objectType)) fail("A user-defined type must be specified through 'objectType'.");
    if (!property) fail("The linking object's property name must be specified through 'property'.");
  } else {
    fail(
      `If you meant to define a relationship, use { type: 'object', objectType: '${type}' } or { type: 'linkingObjects', objectType: '${type}', property: 'The ${type} property' }`,
    );
  }
  if (type !== "linkingObjects" && property !== undefined) {
    fail("'property' can only be specified if 'type' is 'linkingObjects'.");
  }
}

function canonicalProperty(
  name: string,
  type: PropertyTypeName,
  rest: Partial<CanonicalPropertySchema>,
): CanonicalPropertySchema {
  const { objectType } = rest;
  const canonical: CanonicalPropertySchema = {
    name,
    indexed: rest.indexed ?? false,
    mapTo: rest.mapTo || name,
    type,
    ...(objectType === undefined ? {} : { objectType }),
    optional: rest.optional ?? false,
  };
  if (rest.presentation !== undefined) canonical.presentation = rest.presentation;
  if (rest.property !== undefined) canonical.property = rest.property;
  return canonical;
}
