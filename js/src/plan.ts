// What a create or an assignment is going to write, checked and in the engine's form.
import type { ClassModel } from "./class-model.js";
import type { CoreValue } from "./core.js";
import type { PropertyModel } from "./property.js";

/** An object that is to be created or updated. */
export class ObjectPlan {
  /** 0 until the object exists. */
  key = 0;
  primaryKey: CoreValue;
  readonly values: [PropertyModel, Planned][] = [];
  readonly defaults: [PropertyModel, Planned][] = [];
  isRunning = false;

  constructor(readonly model: ClassModel) {}
}

/** The elements of a list or set. */
export class Elements {
  constructor(readonly items: Planned[]) {}
}

/** The entries of a dictionary. */
export class Entries {
  constructor(readonly items: [string, Planned][]) {}
}

export type Planned = CoreValue | ObjectPlan | Elements | Entries;
