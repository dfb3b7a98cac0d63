import { assert, assertFunction, assertString } from "./assert.js";
import { wholly } from "./create.js";
import { IllegalConstructorError } from "./errors.js";
import { type CollectionChangeCallback, OrderedCollection } from "./ordered-collection.js";
import { registerResults } from "./results-maker.js";
import { Source } from "./source.js";
import type { SubscriptionOptions } from "./subscriptions.js";
import { SOURCE } from "./symbols.js";
import type { Unmanaged } from "./unmanaged.js";

/** Any results. */
export type AnyResults = Results<unknown>;

/** The objects that a query finds, always those that match now. */
export class Results<T = unknown> extends OrderedCollection<T, [number, T]> {
  /** @internal */
  constructor(source: Source) {
    if (!(source instanceof Source)) throw new IllegalConstructorError("Results");
    super(source);
  }

  /**
   * Calls `callback(results, changes)`: first asynchronously with nothing changed, then after each change. Results of a closed
   * realm take a listener and never call it: React's strict mode adds listeners again after the realm's provider has gone.
   */
  override addListener(callback: CollectionChangeCallback<T, [number, T]>, keyPaths?: string | string[]): void {
    assertFunction(callback, "callback");
    if (this[SOURCE].view.isOpen) super.addListener(callback, keyPaths);
  }

  /** Assigns a property of every object. */
  update<Of>(
    // Named apart from `T`, which would else not vary with what the results are of: they would not be AnyResults.
    this: Results<Of>,
    propertyName: keyof Unmanaged<Of>,
    value: Unmanaged<Of>[typeof propertyName],
  ): void {
    assertString(propertyName);
    const { model, view } = { model: this[SOURCE].element.model, view: this[SOURCE].view };
    assert(model, "Expected a result of Objects");
    const { name } = model.property(propertyName);
    view.assertWritable();
    wholly(view, () => {
      for (const object of this.values()) {
        if (object !== null) (object as Record<string, unknown>)[name] = value;
      }
    });
  }

  /** Flexible sync: not available yet. Rejects as `realm.subscriptions` throws. */
  async subscribe(_options?: SubscriptionOptions): Promise<this> {
    return this[SOURCE].view.realm.subscriptions as never;
  }

  /** Flexible sync: not available yet. */
  unsubscribe(): void {
    void this[SOURCE].view.realm.subscriptions;
  }
}

registerResults((source) => new Results(source));
