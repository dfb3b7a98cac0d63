// Schemas by chance: two or three classes, each with a key by which a program names its objects.
import { primitivesOf } from "./values.mjs";

const LETTERS = "abcdefghij";

/** A schema as a program holds it: `{ name, key, embedded, properties: { name: { type, collection, optional, target, ... } } }`. */
export function makeSchema(random, features) {
  const count = 2 + random.below(2);
  const classes = Array.from({ length: count }, (_, index) => ({ name: `C${index}`, embedded: false, properties: {} }));
  if (features.embedded && random.chance(40)) classes.push({ name: "E0", embedded: true, properties: {} });
  for (const declared of classes) fill(random, features, declared, classes);
  for (const { name, properties } of classes.filter((declared) => isSelfContained(classes, declared))) {
    const target = random.pick(classes.filter((other) => !other.embedded && other.name !== name)).name;
    properties.out = { type: "link", target, optional: true };
  }
  if (features.linkingObjects && random.chance(60)) addBacklinks(random, classes);
  return classes;
}

/**
 * Whether a class has links, and all of them lead to itself: the oracle's notifications take it for one without links,
 * as its shortcut for a single table.
 */
export function isSelfContained(classes, { name }) {
  const targets = (of) =>
    Object.values(classes.find((declared) => declared.name === of).properties)
      .filter(({ type }) => type === "link" || type === "inner")
      .map(({ target }) => target);
  const reached = targets(name);
  return reached.length > 0 && reached.every((target) => target === name);
}

function fill(random, features, declared, classes) {
  if (!declared.embedded) {
    declared.primaryKey = random.chance(70);
    declared.properties._id = {
      type: random.weighted([
        [3, "int"],
        [1, "string"],
      ]),
      optional: false,
    };
  }
  const names = LETTERS.slice(0, 2 + random.below(5));
  for (const name of names) declared.properties[name] = makeProperty(random, features, declared, classes);
}

function makeProperty(random, features, declared, classes) {
  const shape = random.weighted([
    [10, "plain"],
    [4, "list"],
    [features.set ? 3 : 0, "set"],
    [features.dictionary ? 3 : 0, "dictionary"],
    [declared.embedded ? 0 : 5, "link"],
    [declared.embedded ? 0 : 4, "links"],
    [features.linkSet && !declared.embedded ? 2 : 0, "linkSet"],
    [features.linkDictionary && !declared.embedded ? 2 : 0, "linkDictionary"],
    [declared.embedded || !classes.some((other) => other.embedded) ? 0 : 6, "inner"],
  ]);
  const topLevel = classes.filter((other) => !other.embedded);
  const target = random.pick(topLevel).name;
  // The oracle reads no missing value of a dictionary of floats.
  const types = primitivesOf(features).filter(
    (type) => !(shape === "dictionary" && type === "float") && !(shape === "set" && type === "name"),
  );
  const type = random.weighted(types.map((name) => [name === "int" || name === "string" ? 4 : 1, name]));
  // The oracle cannot make an object with a required uuid in the mode `modified`.
  const optional = type === "mixed" || type === "uuid" || random.chance(40);
  switch (shape) {
    case "plain":
      return { type, optional, indexed: random.chance(20) && INDEXABLE.has(type) };
    case "list":
    case "set":
    case "dictionary":
      return { type, collection: shape, optional };
    case "link":
      return { type: "link", target, optional: true };
    case "links":
      return { type: "link", collection: "list", target, optional: false };
    case "linkSet":
      return { type: "link", collection: "set", target, optional: false };
    case "linkDictionary":
      return { type: "link", collection: "dictionary", target, optional: true };
    case "inner":
      return random.chance(50)
        ? { type: "inner", target: "E0", optional: true }
        : { type: "inner", collection: "list", target: "E0", optional: false };
  }
}

const INDEXABLE = new Set(["int", "string", "name", "bool", "date", "objectId", "uuid"]);

function addBacklinks(random, classes) {
  const links = classes.flatMap(({ name, properties }) =>
    Object.entries(properties)
      .filter(([, { type, collection }]) => type === "link" && collection !== "dictionary")
      .map(([property, { target }]) => ({ origin: name, property, target })),
  );
  if (links.length === 0) return;
  const { origin, property, target } = random.pick(links);
  const declared = classes.find(({ name }) => name === target);
  declared.properties.back = { type: "backlinks", target: origin, property, optional: false };
}

/** The schema as an application writes it. */
export function toConfiguration(classes) {
  return classes.map(({ name, primaryKey, embedded, properties }) => ({
    name,
    ...(primaryKey ? { primaryKey: "_id" } : {}),
    ...(embedded ? { embedded } : {}),
    properties: Object.fromEntries(Object.entries(properties).map(([property, model]) => [property, declare(model)])),
  }));
}

function declare({ type, collection, target, optional, indexed, property }) {
  if (type === "backlinks") return { type: "linkingObjects", objectType: target, property };
  const element = target ?? (type === "name" ? "string" : type);
  if (collection) return { type: collection, objectType: element, optional };
  if (element === target) return { type: "object", objectType: target, optional };
  return { type: element, optional, ...(indexed ? { indexed } : {}) };
}
