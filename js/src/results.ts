import { assert } from "./assert.js";
import { IllegalConstructorError, NotAvailableError } from "./errors.js";
import { OrderedCollection } from "./ordered-collection.js";
import { registerResults } from "./results-maker.js";
import { Source } from "./source.js";
import { SOURCE } from "./symbols.js";

/** Any results. */
export type AnyResults = Results<unknown>;

/** The objects that a query finds, always those that match now. */
export class Results<T = unknown> extends OrderedCollection<T, [number, T]> {
  /** @internal */
  constructor(source: Source) {
    if (!(source instanceof Source)) throw new IllegalConstructorError("Results");
    super(source);
  }

  /** Assigns a property of every object. */
  update(propertyName: string, value: unknown): void {
    const { model, view } = { model: this[SOURCE].element.model, view: this[SOURCE].view };
    assert(model, "Expected a result of Objects");
    const { name } = model.property(propertyName);
    view.assertWritable();
    for (const object of this.values()) {
      if (object !== null) (object as Record<string, unknown>)[name] = value;
    }
  }

  /** Flexible sync: not available yet. */
  subscribe(_options?: object): Promise<this> {
    return Promise.reject(new NotAvailableError("Flexible sync"));
  }

  /** Flexible sync: not available yet. */
  unsubscribe(): void {
    throw new NotAvailableError("Flexible sync");
  }
}

registerResults((source) => new Results(source));
