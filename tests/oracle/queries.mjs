// Queries by chance, over the properties of a schema and those behind its links.
import { literal, primitive } from "./values.mjs";

const ORDERED = new Set(["int", "double", "float", "date", "decimal128"]);
const UNSORTABLE = new Set(["link", "inner", "backlinks", "data", "mixed", "name"]);
const NUMBERS = new Set(["int", "double", "float", "decimal128"]);

/** A source of objects, `{ class, filter, args, sort }`, and perhaps an aggregate of it. */
export function makeQuery(random, schema, { suffixes = true } = {}) {
  const declared = random.pick(schema.filter(({ embedded }) => !embedded));
  const query = new Query(random, schema, declared);
  const source = { class: declared.name };
  if (random.chance(85)) {
    source.filter = query.condition(2) + (suffixes ? query.suffix() : "");
    source.args = query.args;
  }
  if (suffixes && random.chance(30)) source.sort = query.descriptors();
  return random.chance(25) ? { source, aggregate: query.aggregate() } : { source };
}

class Query {
  args = [];
  #random;
  #schema;
  #declared;

  constructor(random, schema, declared) {
    this.#random = random;
    this.#schema = schema;
    this.#declared = declared;
  }

  condition(depth) {
    const random = this.#random;
    if (depth === 0 || random.chance(55)) return this.#comparison(this.#declared, "");
    const one = () => this.condition(depth - 1);
    return random.weighted([
      [4, () => `(${one()} ${random.pick(["AND", "&&", "and"])} ${one()})`],
      [4, () => `(${one()} ${random.pick(["OR", "||", "or"])} ${one()})`],
      [2, () => `${random.pick(["NOT ", "!"])}(${one()})`],
      [1, () => random.pick(["TRUEPREDICATE", "FALSEPREDICATE"])],
    ])();
  }

  suffix() {
    const random = this.#random;
    let text = "";
    const names = this.#sortable();
    if (names.length === 0) return text;
    const name = () => random.pick(names);
    if (random.chance(20))
      text += ` SORT(${random.many(1, 2, () => `${name()} ${random.pick(["ASC", "DESC"])}`).join(", ")})`;
    if (random.chance(12)) text += ` DISTINCT(${name()})`;
    if (random.chance(12)) text += ` LIMIT(${random.below(4)})`;
    return text;
  }

  descriptors() {
    const names = this.#sortable();
    return this.#random.many(1, 2, () => [this.#random.pick(names), this.#random.chance(50)]);
  }

  /** `[method, property]`, or nothing if the class has no numbers. */
  aggregate() {
    const properties = Object.entries(this.#declared.properties);
    const names = properties.filter(([, { type, collection }]) => type === "int" && !collection).map(([name]) => name);
    return names.length === 0 ? undefined : [this.#random.pick(["min", "max", "sum", "avg"]), this.#random.pick(names)];
  }

  /** What has an order: properties of the class, and of what its links lead to. */
  #sortable() {
    const names = ({ properties }) =>
      Object.entries(properties)
        .filter(([, { type, collection }]) => !collection && !UNSORTABLE.has(type))
        .map(([name]) => name);
    const links = Object.entries(this.#declared.properties).filter(
      ([, { type, collection }]) => type === "link" && !collection,
    );
    const behind = links.flatMap(([link, { target }]) => names(this.#class(target)).map((name) => `${link}.${name}`));
    return [...names(this.#declared), ...behind];
  }

  #class(name) {
    return this.#schema.find((declared) => declared.name === name);
  }

  #comparison(declared, prefix, depth = 0) {
    const random = this.#random;
    // The oracle fails at links the other way round that it comes to by a link that is null.
    const properties = Object.entries(declared.properties).filter(
      ([, { type }]) => depth === 0 || type !== "backlinks",
    );
    const [name, property] = random.pick(properties);
    const path = prefix + name;
    const { type, collection } = property;
    if (type === "link" || type === "inner" || type === "backlinks") return this.#link(path, property, depth);
    if (collection) return this.#collection(path, property);
    return this.#simple(path, property);
  }

  #simple(path, { type, optional, collection }) {
    const random = this.#random;
    if (random.chance(12)) return `${path} ${random.pick(["==", "!="])} null`;
    if (type === "name" || (type === "string" && random.chance(60))) {
      const operator = random.pick(["BEGINSWITH", "ENDSWITH", "CONTAINS", "LIKE", "==", "!="]);
      return `${path} ${operator}${random.pick(["", "[c]"])} ${this.#value(type, false)}`;
    }
    // What IN says of a list on its left has changed since the oracle.
    if (!collection && !path.includes(".") && random.chance(12)) {
      return `${path} IN {${random.many(1, 3, () => this.#value(type, optional)).join(", ")}}`;
    }
    // Only ALL goes with BETWEEN in later versions than the oracle.
    if (ORDERED.has(type) && !collection && !path.includes(".") && random.chance(12))
      return `${path} BETWEEN {${this.#value(type)}, ${this.#value(type)}}`;
    if (type === "int" && random.chance(10))
      return `${path} ${random.pick(["+", "-", "*"])} 1 ${this.#order()} ${this.#value(type)}`;
    const isOrdered = ORDERED.has(type) || (type === "string" && !optional && !path.includes("."));
    const operator = isOrdered ? this.#order() : random.pick(["==", "!=", "=", "<>"]);
    return `${path} ${operator} ${this.#value(type, optional)}`;
  }

  #collection(path, property) {
    const random = this.#random;
    const { type, collection } = property;
    if (random.chance(25)) return `${path}.@${random.pick(["count", "size"])} ${this.#order()} ${random.below(4)}`;
    if (NUMBERS.has(type) && random.chance(25)) {
      return `${path}.@${random.pick(["sum", "min", "max", "avg"])} ${this.#order()} ${this.#value(type)}`;
    }
    // The values of a dictionary that nothing was ever written to are not none for the oracle, but those looked at before.
    if (collection === "dictionary") {
      const key = random.pick(["a", "b", "c"]);
      return random.chance(50) ? `${path}['${key}'] == ${this.#value(type)}` : `ANY ${path}.@keys == '${key}'`;
    }
    const quantifier = random.pick(["", "ANY ", "ALL ", "NONE ", "SOME "]);
    return `${quantifier}${this.#simple(path, property)}`;
  }

  #link(path, property, depth) {
    const random = this.#random;
    const { type, collection, target } = property;
    const declared = this.#class(target);
    const many = collection || type === "backlinks";
    if (collection === "dictionary") return `${path}.@count ${this.#order()} ${random.below(3)}`;
    if (many && random.chance(25))
      return `${path}.@${random.pick(["count", "size"])} ${this.#order()} ${random.below(3)}`;
    if (collection === "list" && type === "link" && random.chance(20)) {
      const inside = new Query(random, this.#schema, declared);
      inside.args = this.args;
      const [name, only] = random.pick(
        Object.entries(declared.properties).filter(([, model]) => !model.target && !model.collection),
      );
      return `SUBQUERY(${path}, $x, ${inside.#simple(`$x.${name}`, only)}).@count ${this.#order()} ${random.below(2)}`;
    }
    if (!many && random.chance(30)) return `${path} ${random.pick(["==", "!="])} null`;
    if (depth > 1)
      return `${path}.${declared.embedded ? "@count" : "_id"} == ${declared.embedded ? 1 : this.#value(declared.properties._id.type)}`;
    // For the oracle a set of objects is no list; it is since.
    const isList = many && collection !== "set";
    const quantifier = isList && depth === 0 ? random.pick(["", "ANY ", "ALL ", "NONE "]) : "";
    const rest = this.#comparison(declared, `${path}.`, depth + 1);
    // The oracle does not parse a quantifier before some aggregates.
    return /^[(A-Z]|\.@/.test(rest) ? rest : quantifier + rest;
  }

  #order() {
    return this.#random.pick(["==", "!=", "<", "<=", ">", ">="]);
  }

  /** A value, as a literal or as an argument. */
  #value(type, optional = false) {
    const random = this.#random;
    const value = optional && random.chance(10) ? null : primitive(random, type === "mixed" ? "string" : type);
    const text = random.chance(50) ? literal(type, value) : undefined;
    if (text !== undefined) return text;
    this.args.push(value);
    return `$${this.args.length - 1}`;
  }
}
