// Writes what was planned, and takes back what it wrote when something cannot be.
import type { ClassModel } from "./class-model.js";
import type { CoreValue } from "./core.js";
import type { ListSource } from "./list-source.js";
import { Elements, Entries, ObjectPlan, type Planned } from "./plan.js";
import type { PropertyModel } from "./property.js";
import type { View } from "./view.js";

export class Writer {
  /** The objects that were created, in that order. */
  private readonly created: [cls: number, key: number][] = [];

  constructor(private readonly view: View) {}

  /** Runs `write`, and goes back to the state before if it fails. */
  marked<T>(write: () => T): T {
    const { core } = this.view;
    core.mark();
    let result: T;
    try {
      result = write();
    } catch (error) {
      this.forgetKeys();
      core.rewind();
      throw error;
    }
    core.release();
    return result;
  }

  /** Runs `write`, which does nothing but create, and deletes what it created if it fails: cheaper than a mark. */
  undone<T>(write: () => T): T {
    try {
      return write();
    } catch (error) {
      this.forgetKeys();
      for (const [cls, key] of this.created.reverse()) this.view.core.delete(cls, key);
      throw error;
    }
  }

  /** The engine's form of a planned value; creates what has to be created. */
  resolve(planned: Planned): CoreValue {
    if (planned instanceof Elements || planned instanceof Entries)
      throw new Error("invariant: collections do not nest");
    if (!(planned instanceof ObjectPlan)) return planned;
    if (planned.isRunning) return planned.key;
    planned.isRunning = true;
    const { model } = planned;
    if (planned.key === 0) {
      planned.key = this.view.core.create(model.index, model.primaryKey ? planned.primaryKey : undefined);
      this.created.push([model.index, planned.key]);
    }
    this.fill(planned);
    return planned.key;
  }

  /** Writes a property, whatever it is. */
  write(model: ClassModel, key: number, property: PropertyModel, value: Planned): void {
    const { core } = this.view;
    const { index } = model;
    const { column } = property;
    if (property.isEmbedded) this.forgetKeys();
    if (value instanceof Entries) {
      if (core.dictionaryLength(index, key, column) > 0) core.dictionaryClear(index, key, column);
      for (const [name, item] of value.items) {
        if (item instanceof ObjectPlan && property.isEmbedded) this.embedUnder(model, key, property, name, item);
        else core.dictionarySet(index, key, column, name, this.resolve(item));
      }
    } else if (!(value instanceof Elements)) {
      if (value instanceof ObjectPlan && property.isEmbedded) this.fill(value, core.embed(index, key, column));
      else core.set(index, key, column, this.resolve(value));
    } else if (property.collection === "set") {
      const items = value.items.map((item) => this.resolve(item));
      if (core.setLength(index, key, column) > 0) core.setClear(index, key, column);
      for (const item of items) core.setAdd(index, key, column, item);
    } else if (property.isEmbedded) {
      if (core.listLength(index, key, column) > 0) core.listClear(index, key, column);
      for (const [at, item] of value.items.entries()) {
        this.fill(item as ObjectPlan, core.embedInsert(index, key, column, at));
      }
    } else {
      const items = value.items.map((item) => this.resolve(item));
      if (core.listLength(index, key, column) > 0) core.listClear(index, key, column);
      for (const [at, item] of items.entries()) core.listInsert(index, key, column, at, item);
    }
  }

  /** Creates an embedded object at a position of a list. */
  embedInto({ owner, key, property }: ListSource, at: number, plan: ObjectPlan): void {
    this.fill(plan, this.view.core.embedInsert(owner.index, key, property.column, at));
  }

  /** Creates an embedded object in the place of an element of a list. */
  embedOver({ owner, key, property }: ListSource, at: number, plan: ObjectPlan): void {
    this.forgetKeys();
    this.fill(plan, this.view.core.embedReplace(owner.index, key, property.column, at));
  }

  /** Creates an embedded object under a key of a dictionary. */
  embedUnder(owner: ClassModel, key: number, property: PropertyModel, name: string, plan: ObjectPlan): void {
    this.forgetKeys();
    this.fill(plan, this.view.core.embedEntry(owner.index, key, property.column, name));
  }

  /** Writes the values of an object that exists. */
  private fill(plan: ObjectPlan, key = plan.key): void {
    const { model, defaults, values } = plan;
    for (const [property, value] of defaults) {
      const isSingle = property.collection === undefined && !(property.isEmbedded && value instanceof ObjectPlan);
      if (isSingle) this.view.core.setDefault(model.index, key, property.column, this.resolve(value));
      else this.write(model, key, property, value);
    }
    for (const [property, value] of values) this.write(model, key, property, value);
  }

  /** Notes that keys of objects may be gone, for whoever iterates. */
  private forgetKeys(): void {
    if (this.view.coordinator) this.view.coordinator.deletions += 1;
  }
}
