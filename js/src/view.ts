// One Realm instance's view of an engine: its classes as this instance declared them, and whether it may still be used.
import { assert, assertObject } from "./assert.js";
import { type ClassModel, createClassModel, originOf } from "./class-model.js";
import type { Coordinator } from "./coordinator.js";
import type { CoreName, RealmCore } from "./core.js";
import { TypeAssertionError } from "./errors.js";
import { RealmObject } from "./object.js";
import type { Realm } from "./realm.js";
import type { CanonicalObjectSchema } from "./schema.js";
import { fromCoreSchema } from "./schema-core.js";
import { MODEL } from "./symbols.js";

export class View {
  isOpen = true;
  /** Whether the application does not have its realm yet. */
  isOpening = false;
  readonly byName = new Map<string, ClassModel>();
  private readonly byIndex: (ClassModel | undefined)[] = [];
  schema: CanonicalObjectSchema[];
  private readonly embedded: Set<string>;

  constructor(
    readonly realm: Realm,
    readonly core: RealmCore,
    /** None for a frozen realm. */
    readonly coordinator: Coordinator | undefined,
    schema: CanonicalObjectSchema[] | undefined,
    readonly isReadOnly: boolean,
  ) {
    const stored = core.schema();
    this.schema = schema ?? fromCoreSchema(stored);
    this.embedded = new Set(stored.filter(({ embedded }) => embedded).map(({ name }) => name));
    for (const declared of this.schema) {
      const index = stored.findIndex(({ name }) => name === declared.name);
      const core = stored[index];
      if (!core) continue;
      const model = createClassModel(this, index, declared, core);
      this.byName.set(declared.name, model);
      this.byIndex[index] = model;
    }
    const names = this.names();
    if (names.length > 0) core.setNames(names);
  }

  /** What properties are called here and not in the store. */
  private names(): CoreName[] {
    const names: CoreName[] = [];
    for (const { index, properties } of this.byName.values()) {
      for (const { name, column, schema, target, origin } of properties.values()) {
        if (origin === undefined) {
          if (schema.mapTo !== name) names.push([index, name, column]);
          continue;
        }
        const from = this.byName.get(target as string);
        const source = from && originOf(from, origin);
        if (source) names.push([index, name, from.index, source.column]);
      }
    }
    return names;
  }

  assertOpen(): void {
    assert(this.isOpen, "Cannot access realm that has been closed.");
  }

  assertWritable(message = "Cannot modify managed objects outside of a write transaction."): void {
    if (this.coordinator?.isInTransaction && this.isOpen) return;
    this.assertOpen();
    assert(this.coordinator?.isInTransaction, message);
  }

  /** Forgets a class that was deleted. Gives what brings it back. */
  leaveOut(name: string): () => void {
    const { schema } = this;
    const model = this.byName.get(name);
    this.schema = schema.filter((declared) => declared.name !== name);
    this.byName.delete(name);
    return () => {
      this.schema = schema;
      if (model) this.byName.set(name, model);
    };
  }

  /** Whether the objects of a class belong to others. */
  isEmbedded(className: string): boolean {
    return this.embedded.has(className);
  }

  /** Deletes an object. */
  delete(index: number, key: number): void {
    if (this.coordinator) this.coordinator.deletions += 1;
    this.core.delete(index, key);
  }

  /** Deletes objects, of which some may go with others. */
  deleteAll(index: number, keys: Float64Array): void {
    if (this.coordinator) this.coordinator.deletions += 1;
    const refused = keys[this.core.removeAll(index, keys)];
    if (refused !== undefined) this.core.delete(index, refused);
  }

  /** Deletes an object that is there; false, with nothing done, if there is something to complain about. */
  remove(index: number, key: number): boolean {
    if (this.coordinator) this.coordinator.deletions += 1;
    return this.core.remove(index, key);
  }

  /** The class that a name, a constructor or an object stands for. */
  model(type: unknown): ClassModel {
    if (typeof type === "string") {
      const model = this.byName.get(type);
      if (!model) throw new Error(`Object type '${type}' not found in schema.`);
      return model;
    }
    if (typeof type === "function") {
      if (!(type.prototype instanceof RealmObject))
        throw new TypeAssertionError("a class extending Realm.Object", type);
      const declaration = (type as unknown as { schema?: { name?: unknown } }).schema;
      assertObject(declaration, "schema static");
      const model = this.byName.get(String(declaration.name));
      if (!model) throw new Error(`Object type '${String(declaration.name)}' not found in schema.`);
      assert(model.schema.ctor === type, "Constructor was not registered in the schema for this Realm");
      return model;
    }
    if (type instanceof RealmObject) return this.model(type[MODEL].name);
    throw new Error("Expected an object schema name, object instance or class");
  }

  modelAt(index: number): ClassModel {
    const model = this.byIndex[index];
    assert(model, `Class ${index} is not part of this realm's schema`);
    return model;
  }
}
