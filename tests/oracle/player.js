// Plays a program in a page and says what was seen. The same code runs on Ebbtide and on the oracle, through Realm's API alone.

const SENTINEL = { name: "Sentinel", properties: { n: "int" } };
const PATIENCE_MS = 20000;
let realms = 0;

/** Whether a schema can be opened. */
export function opens(Realm, schema) {
  try {
    openRealm(Realm, schema).close();
    return true;
  } catch {
    return false;
  }
}

/** One line for each step, and one for each call of a listener after it. */
export async function play(Realm, { configuration, classes, steps }) {
  const stage = new Stage(Realm, openRealm(Realm, [...configuration, SENTINEL]), classes);
  try {
    await stage.begin();
    for (const step of steps) await stage.step(step);
    return stage.lines;
  } finally {
    stage.end();
  }
}

function openRealm(Realm, schema) {
  realms += 1;
  return new Realm({ path: `oracle-${realms}.realm`, inMemory: true, schema });
}

class Stage {
  lines = [];
  #Realm;
  #realm;
  #classes;
  #sentinel;
  #calls = 0;
  #listeners = new Map();

  constructor(Realm, realm, classes) {
    this.#Realm = Realm;
    this.#realm = realm;
    this.#classes = classes;
  }

  async begin() {
    this.#sentinel = this.#realm.write(() => this.#realm.create("Sentinel", { n: 0 }));
    await this.#addSentinel();
  }

  end() {
    this.#realm.removeAllListeners();
    if (this.#realm.isInTransaction) this.#realm.cancelTransaction();
    this.#realm.close();
  }

  async step(step) {
    let answer;
    try {
      answer = await this.#take(step);
    } catch (error) {
      answer = `error ${error.message}`;
    }
    // Calls that came meanwhile stand after the step's own line. The order among listeners is nobody's promise.
    const calls = this.lines.splice(this.lines.findLastIndex((line) => line.own) + 1);
    calls.sort((left, right) => left.listener - right.listener);
    this.lines.push({ own: true, step: step.step, text: answer }, ...calls);
    if (step.step === "write") this.lines.push({ own: true, step: "state", text: this.#state() });
  }

  #take(step) {
    switch (step.step) {
      case "write":
        return this.#write(step.operations);
      case "query":
        return this.#query(step);
      case "listen":
        return this.#listen(step);
      case "unlisten":
        return this.#unlisten(step.id);
    }
  }

  async #write(operations) {
    const before = this.#calls;
    const answers = this.#realm.write(() => {
      const given = operations.map((operation) => this.#operate(operation));
      this.#sentinel.n += 1;
      return given;
    });
    await this.#until(() => this.#calls > before);
    return answers.join("; ");
  }

  #operate(operation) {
    const { target, property, method, args, key, value } = operation;
    const object = target ? this.#find(target) : undefined;
    if (target && !object) return "no such object";
    // Both refuse an element that is not there, but one looks at the index first.
    if (operation.operation === "put" && this.#decode(value) === MISSING) return "no such object";
    switch (operation.operation) {
      case "create": {
        const { class: name, values, mode } = operation;
        return this.#show(this.#realm.create(name, this.#decode(values), ...(mode ? [mode] : [])));
      }
      case "assign":
        object[property] = this.#one(value);
        return "assigned";
      case "put":
        object[property][key] = this.#one(value);
        return "put";
      case "call":
        return this.#called(object[property][method](...args.map((arg) => this.#one(arg))));
      case "delete":
        this.#realm.delete(object);
        return "deleted";
      case "deleteMatching":
        this.#realm.delete(this.#source(operation.source));
        return "deleted";
    }
  }

  /** What a method gave; an object that it removed may not be there any more. */
  #called(value) {
    const gone = (item) => item instanceof this.#Realm.Object && !item.isValid();
    return Array.isArray(value)
      ? value.map((item) => (gone(item) ? "gone" : this.#show(item))).join()
      : gone(value)
        ? "gone"
        : this.#show(value);
  }

  #query({ source, aggregate }) {
    const found = this.#source(source);
    const [method, property] = aggregate ?? [];
    return this.#show(found) + (method ? ` ${method} ${this.#show(found[method](property))}` : "");
  }

  async #listen({ id, source }) {
    const observed = this.#source(source);
    if (!observed) return "no such object";
    let called = false;
    const callback = (current, changes) => {
      called = true;
      this.lines.push({
        step: "call",
        listener: id,
        text: `${id}: ${this.#change(changes)} of ${this.#current(current)}`,
      });
    };
    observed.addListener(callback);
    this.#listeners.set(id, { observed, callback });
    await this.#until(() => called);
    await this.#addSentinel();
    return "listening";
  }

  #unlisten(id) {
    const { observed, callback } = this.#listeners.get(id) ?? {};
    if (!observed) return "not listening";
    observed.removeListener(callback);
    this.#listeners.delete(id);
    return "removed";
  }

  /** The listener that tells that all others of a transaction were called: it is always the last one. */
  async #addSentinel() {
    const results = this.#realm.objects("Sentinel");
    this.sentinelResults?.removeAllListeners();
    this.sentinelResults = results;
    const before = this.#calls;
    results.addListener(() => {
      this.#calls += 1;
    });
    await this.#until(() => this.#calls > before);
  }

  async #until(condition) {
    const end = performance.now() + PATIENCE_MS;
    while (!condition()) {
      if (performance.now() > end) throw new Error("a listener was not called");
      await turn();
    }
    for (let turns = 0; turns < 3; turns += 1) await turn();
  }

  #find([name, key]) {
    return [...this.#realm.objects(name)].find(({ _id }) => _id === key);
  }

  #source({ class: name, target, property, filter, args = [], sort }) {
    if (target) {
      const object = this.#find(target);
      return object && property ? object[property] : object;
    }
    let found = this.#realm.objects(name);
    if (filter !== undefined) found = found.filtered(filter, ...args.map((arg) => this.#one(arg)));
    return sort === undefined ? found : found.sorted(sort);
  }

  #decode(value) {
    const { BSON } = this.#Realm;
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map((item) => this.#decode(item)).filter((item) => item !== MISSING);
    switch (value.$) {
      case undefined:
        return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, this.#one(part)]));
      case "ref":
        return this.#find(value.v) ?? MISSING;
      case "date":
        return new Date(value.v);
      case "regexp":
        return /x/;
      case "data":
        return new Uint8Array(value.v);
      case "objectId":
        return new BSON.ObjectId(value.v);
      case "uuid":
        return new BSON.UUID(value.v);
      case "decimal128":
        return BSON.Decimal128.fromString(value.v);
      default:
        return value.v;
    }
  }

  /** A value by itself: an object that is not there is null. */
  #one(value) {
    const decoded = this.#decode(value);
    return decoded === MISSING ? null : decoded;
  }

  #state() {
    return this.#classes.map(
      (name) => `${name} ${[...this.#realm.objects(name)].map((object) => this.#whole(object))}`,
    );
  }

  #whole(object) {
    // Links the other way round have no order that anybody promises.
    const shown = (name) => {
      const value = object[name];
      return name === "back" ? `[${[...value].map((item) => this.#show(item)).sort()}]` : this.#show(value);
    };
    return `{${object.keys().map((name) => `${name}: ${shown(name)}`)}}`;
  }

  #current(value) {
    if (!(value instanceof this.#Realm.Object)) return value.isValid() ? this.#show(value) : "what is gone";
    return value.isValid() ? this.#whole(value) : "what is gone";
  }

  #change({ deleted, changedProperties, deletions, insertions, modifications, oldModifications, newModifications }) {
    if (changedProperties) return `${deleted ? "deleted" : "changed"} ${[...changedProperties].sort()}`;
    if (modifications) return `-${[...deletions].sort()} +${[...insertions].sort()} *${[...modifications].sort()}`;
    return `-${deletions} +${insertions} *${oldModifications} *${newModifications}`;
  }

  #show(value) {
    const { Object: RealmObject, List, Results, Set: RealmSet, Dictionary } = this.#Realm;
    if (value === null || value === undefined) return String(value);
    if (typeof value === "string") return JSON.stringify(value);
    if (typeof value !== "object") return Object.is(value, -0) ? "-0" : String(value);
    if (value instanceof Date) return `@${value.getTime()}`;
    if (value instanceof ArrayBuffer) return `bytes ${new Uint8Array(value)}`;
    if (value instanceof RealmObject) {
      return value.objectSchema().embedded ? this.#whole(value) : `${value.objectSchema().name}#${value._id}`;
    }
    if (value instanceof List || value instanceof Results) return `[${[...value].map((item) => this.#show(item))}]`;
    if (RealmSet && value instanceof RealmSet) return `<${[...value].map((item) => this.#show(item))}>`;
    if (Dictionary && value instanceof Dictionary) {
      return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${this.#show(item)}`)}}`;
    }
    return String(value);
  }
}

function turn() {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** What a reference to an object that is not there becomes. */
const MISSING = Symbol("missing");
