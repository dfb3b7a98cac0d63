// Programs by chance: a schema, and steps that write, ask and listen.
import { makeQuery } from "./queries.mjs";
import { Random } from "./random.mjs";
import { makeSchema } from "./schemas.mjs";
import { primitive, unfit } from "./values.mjs";

/** The program of a seed, as JSON. */
export function makeProgram(seed, features) {
  const random = new Random(seed);
  const schema = makeSchema(random, features);
  const writer = new Writer(random, schema);
  const steps = [writer.write(6)];
  let listeners = 0;
  for (let left = 8 + random.below(16); left > 0; left -= 1) {
    const kind = random.weighted([
      [6, "write"],
      [6, "query"],
      [3, "listen"],
      [1, "unlisten"],
    ]);
    if (kind === "write") steps.push(writer.write(4));
    else if (kind === "query") steps.push({ step: "query", ...makeQuery(random, schema) });
    else if (kind === "listen") steps.push(writer.listen(listeners++));
    else if (listeners > 0) steps.push({ step: "unlisten", id: random.below(listeners) });
  }
  return { seed, schema, steps };
}

/** A key of an object of the class: few of them, so that objects are met again. */
export function makeKey(random, declared) {
  const number = random.below(7);
  return declared.properties._id.type === "int" ? number : `k${number}`;
}

class Writer {
  #random;
  #schema;
  #topLevel;

  constructor(random, schema) {
    this.#random = random;
    this.#schema = schema;
    this.#topLevel = schema.filter(({ embedded }) => !embedded);
  }

  write(most) {
    return { step: "write", operations: this.#random.many(1, most, () => this.#operation()) };
  }

  listen(id) {
    const random = this.#random;
    const kind = random.weighted([
      [4, "results"],
      [3, "object"],
      [3, "collection"],
    ]);
    if (kind === "results") return { step: "listen", id, source: makeQuery(random, this.#schema).source };
    const declared = random.pick(this.#topLevel);
    const target = [declared.name, makeKey(random, declared)];
    // The oracle's listeners to dictionaries do not hear of changes behind links.
    const isHeard = ({ collection, type }) => collection && !(collection === "dictionary" && type === "link");
    const collections = Object.keys(declared.properties).filter((name) => isHeard(declared.properties[name]));
    const property = kind === "collection" && collections.length > 0 ? random.pick(collections) : undefined;
    return { step: "listen", id, source: { target, ...(property ? { property } : {}) } };
  }

  #operation() {
    const random = this.#random;
    const declared = random.pick(this.#topLevel);
    const kind = random.weighted([
      [6, "create"],
      [6, "change"],
      [2, "delete"],
      [1, "deleteMatching"],
    ]);
    const target = [declared.name, makeKey(random, declared)];
    if (kind === "create") return this.#create(declared);
    if (kind === "delete") return { operation: "delete", target };
    if (kind === "deleteMatching") {
      const { source } = makeQuery(random, this.#schema, { suffixes: false });
      return { operation: "deleteMatching", source };
    }
    const names = Object.keys(declared.properties).filter((name) => !["_id", "back"].includes(name));
    return this.#change(target, random.pick(names), declared);
  }

  #create(declared) {
    const random = this.#random;
    const mode = declared.primaryKey
      ? random.weighted([[3], [2, "modified"], [2, "all"], [1, "never"]].map(([w, m]) => [w, m]))
      : undefined;
    const nested = mode === undefined || mode === "never" ? 1 : 0;
    return {
      operation: "create",
      class: declared.name,
      values: this.#values(declared, nested),
      ...(mode ? { mode } : {}),
    };
  }

  #values(declared, nested) {
    const random = this.#random;
    const values = {};
    for (const [name, property] of Object.entries(declared.properties)) {
      if (name === "back") continue;
      if (name === "_id" && !declared.embedded) values._id = makeKey(random, declared);
      else if (random.chance(property.optional || property.collection ? 60 : 97)) {
        values[name] = this.#whole(property, nested);
      }
    }
    return values;
  }

  /** What may be assigned to a property. */
  #whole(property, nested = 0) {
    const random = this.#random;
    if (property.collection === "dictionary") {
      return Object.fromEntries(random.many(0, 3, () => [random.pick(KEYS), this.#element(property, nested)]));
    }
    if (property.collection) return random.many(0, 4, () => this.#element(property, nested));
    // The oracle keeps an embedded object that is set to null.
    if (property.optional && property.type !== "inner" && random.chance(20)) return null;
    return this.#element(property, nested);
  }

  #element(property, nested) {
    const random = this.#random;
    const { type, target, optional } = property;
    if (type === "inner") return this.#values(this.#class(target), 0);
    if (type === "link") {
      const declared = this.#class(target);
      if (nested > 0 && random.chance(15)) return this.#values(declared, nested - 1);
      return { $: "ref", v: [target, makeKey(random, declared)] };
    }
    if (random.chance(2)) return unfit(random, type);
    if (optional && random.chance(15)) return null;
    return primitive(random, type);
  }

  #change(target, name, declared) {
    const random = this.#random;
    const property = declared.properties[name];
    const { collection } = property;
    const element = () => this.#element(property, 0);
    const index = () => random.below(5);
    const call = (method, ...args) => ({ operation: "call", target, property: name, method, args });
    if (!collection || random.chance(20)) {
      return { operation: "assign", target, property: name, value: this.#whole(property) };
    }
    switch (collection) {
      case "list": {
        const ways = [
          () => call("push", ...random.many(1, 2, element)),
          () => call("pop"),
          () => call("shift"),
          () => call("unshift", element()),
          () => call("splice", index(), random.below(3), ...random.many(0, 2, element)),
          () => call("remove", index()),
          () => call("move", index(), index()),
          () => call("swap", index(), index()),
        ];
        // The oracle inserts an embedded object where it should replace one.
        if (property.type !== "inner") {
          ways.push(() => ({ operation: "put", target, property: name, key: index(), value: element() }));
        }
        return random.pick(ways)();
      }
      case "set": {
        const ways = [() => call("add", element()), () => call("add", element()), () => call("delete", element())];
        // The oracle deletes the objects of a set that is cleared.
        if (property.type !== "link") ways.push(() => call("clear"));
        return random.pick(ways)();
      }
      case "dictionary":
        return random.pick([
          () => ({ operation: "put", target, property: name, key: random.pick(KEYS), value: element() }),
          () => call("set", random.pick(KEYS), element()),
          () => call("remove", random.pick(KEYS)),
        ])();
    }
  }

  #class(name) {
    return this.#schema.find((declared) => declared.name === name);
  }
}

const KEYS = ["a", "b", "c", "B", "10", "9"];
