import { assert, assertFunction } from "./assert.js";
import type { ClassModel } from "./class-model.js";
import { IllegalConstructorError } from "./errors.js";
import { jsonCache, toPlain } from "./json.js";
import { parseKeyPaths, resolveKeyPaths } from "./key-paths.js";
import type { ObjectChangeCallback } from "./listeners.js";
import type { Realm } from "./realm.js";
import type { Results } from "./results.js";
import type { CanonicalObjectSchema, Constructor, DefaultObject } from "./schema.js";
import { described } from "./schema-core.js";
import { KEY, MODEL } from "./symbols.js";
import type { OmittedRealmTypes, Unmanaged } from "./unmanaged.js";

/** Any managed object: what all have in common, whatever their class. */
export type AnyRealmObject = Pick<
  RealmObject<unknown>,
  "keys" | "entries" | "toJSON" | "isValid" | "linkingObjectsCount" | "getPropertyType" | "_objectId" | "_objectKey"
>;

/**
 * An object in a realm, live: reading a property gives what is in the realm now. Classes extend it and describe themselves
 * in `static schema`. Two JavaScript objects may stand for the same object; it stays the same one across client resets.
 */
export class RealmObject<T = DefaultObject, RequiredProperties extends keyof OmittedRealmTypes<T> = never> {
  /** @deprecated Has no effect. */
  static allowValuesArrays = false;
  /** Accepted in classes; the schema has it. */
  static primaryKey?: string;
  /** Accepted in classes; the schema has it. */
  static embedded?: boolean;
  /** Accepted in classes; the schema has it. */
  static asymmetric?: boolean;

  /** @internal */
  declare readonly [KEY]: number;
  /** @internal */
  declare readonly [MODEL]: ClassModel;

  /** Creates the object in `realm`, which has to be in a write transaction. */
  constructor(realm: Realm, values: Unmanaged<T, RequiredProperties>) {
    if (typeof realm?.create !== "function") throw new IllegalConstructorError(new.target.name);
    // biome-ignore lint/correctness/noConstructorReturn: a managed object is not made by its class's constructor
    return realm.create(new.target as unknown as Constructor<AnyRealmObject>, values as never) as unknown as this;
  }

  /** The names of its properties. */
  keys(): string[] {
    return [...this[MODEL].names];
  }

  /** The names and values of its properties. */
  entries(): [string, unknown][] {
    return Object.entries(this);
  }

  /** A plain object with the same values; links to an object that is already in it lead back to it. */
  toJSON(_key?: string, cache?: unknown): DefaultObject {
    const seen = jsonCache(cache);
    const model = this[MODEL];
    const identity = `${model.index}:${this[KEY]}`;
    const known = seen.get(identity);
    if (known) return known;
    const result: DefaultObject = {};
    seen.set(identity, result);
    for (const name of Object.keys(this)) {
      const value = (this as unknown as DefaultObject)[name];
      if (typeof value !== "function") result[name] = toPlain(value, name, seen);
    }
    return result;
  }

  /** Whether the object is still in the realm, and the realm open. */
  isValid(): boolean {
    return this[MODEL].isValid(this[KEY]);
  }

  /** The schema of its class. */
  objectSchema(): CanonicalObjectSchema<T> {
    return described([this[MODEL].schema])[0] as CanonicalObjectSchema<T>;
  }

  /** The objects of a class that link to this one by a property, live. */
  linkingObjects<L = DefaultObject>(objectType: string, propertyName: string): Results<RealmObject<L> & L>;
  linkingObjects<L extends AnyRealmObject>(objectType: Constructor<L>, propertyName: string): Results<L>;
  linkingObjects(objectType: unknown, propertyName: string): Results<unknown> {
    const model = this[MODEL];
    model.view.assertOpen();
    const from = model.view.model(objectType);
    const property = from.property(propertyName);
    assert(
      property.origin === undefined && property.target === model.name,
      `'${from.name}#${propertyName}' is not a relationship to '${model.name}'`,
    );
    assert(this.isValid(), "Accessing object which has been invalidated or deleted");
    return model.linksFrom(this[KEY], from, property);
  }

  /** The number of links to this object. */
  linkingObjectsCount(): number {
    assert(this.isValid(), "Accessing object which has been invalidated or deleted");
    return this[MODEL].view.core.backlinkCount(this[MODEL].index, this[KEY]);
  }

  /** @deprecated Its key as a string; use a primary key of your own. */
  _objectId(): string {
    return this._objectKey();
  }

  /** Its key in this store as a string: the same for as long as the object exists. */
  _objectKey(): string {
    return String(this[KEY]);
  }

  /**
   * Calls `callback(object, { deleted, changedProperties })`: first asynchronously with nothing changed, then after each
   * change. `keyPaths` limits it to the named properties.
   */
  addListener(callback: ObjectChangeCallback<T>, keyPaths?: string | string[]): void {
    assertFunction(callback);
    const model = this[MODEL];
    const { coordinator } = model.view;
    model.view.assertOpen();
    assert(coordinator, "A frozen realm does not change: it takes no listeners");
    assert(this.isValid(), "Accessing object which has been invalidated or deleted");
    const paths = parseKeyPaths(keyPaths);
    const byColumn = new Map([...model.properties.values()].map(({ column, name }) => [column, name]));
    coordinator.observations.add({
      view: model.view,
      subject: this,
      callback: callback as (subject: unknown, changes: unknown) => void,
      keyPaths: paths && resolveKeyPaths(model, paths),
      empty: () => ({ deleted: false, changedProperties: [] }),
      start: (core) => core.observeObject(model.index, this[KEY]),
      changes(notice, roots) {
        if (notice.deleted) return { deleted: true, changedProperties: [] };
        const columns = Array.from(notice.changedColumns ?? [], (column) => byColumn.get(column));
        const starts = Array.from(notice.changedPaths ?? [], (path) => roots[path]);
        const names = new Set([...columns, ...starts].filter((name) => name !== undefined));
        return names.size > 0 ? { deleted: false, changedProperties: [...names] } : undefined;
      },
    });
  }

  /** Ends the calls of a callback. */
  removeListener(callback: ObjectChangeCallback<T>): void {
    assertFunction(callback);
    this[MODEL].view.coordinator?.observations.remove(this, callback as never);
  }

  /** Ends the calls of all callbacks. */
  removeAllListeners(): void {
    this[MODEL].view.coordinator?.observations.removeAll(this);
  }

  /** The type of a property in Realm's notation: `"string"`, `"<Person>"`, `"list<int>"`; of a mixed, that of its value. */
  getPropertyType(propertyName: string): string {
    const model = this[MODEL];
    const { kind, collection, target, origin, column } = model.property(propertyName);
    if (origin !== undefined) return "list<linkingObjects>";
    if (collection) {
      if (kind !== "link") return `${collection}<${kind}>`;
      return collection === "list" ? `list<${target}>` : `${collection}<<${target}>>`;
    }
    if (kind === "mixed") return model.view.core.mixedType(model.index, this[KEY], column);
    return kind === "link" ? `<${target}>` : kind;
  }
}

// What messages call a class that has no name of its own.
Object.defineProperty(RealmObject, "name", { value: "Realm.Object" });
