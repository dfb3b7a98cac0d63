// Flexible sync: the names exist, and say that it is not available.
import type { BSON } from "./bson.js";
import { IllegalConstructorError, NotAvailableError, notAvailable } from "./errors.js";
import type { Realm } from "./realm.js";
import type { AnyResults, Results } from "./results.js";

const FLEXIBLE = "Flexible sync";

export enum SubscriptionSetState {
  Pending = "pending",
  Complete = "complete",
  Error = "error",
  Superseded = "superseded",
}

/** When subscribing waits for the data. */
export enum WaitForSync {
  FirstTime = "first-time",
  Always = "always",
  Never = "never",
}

export type SubscriptionOptions = {
  name?: string;
  throwOnUpdate?: boolean;
  behavior?: WaitForSync;
  timeout?: number;
};

/** A query whose results a realm holds. */
export class Subscription {
  declare readonly id: BSON.ObjectId;
  declare readonly createdAt: Date;
  declare readonly updatedAt: Date;
  declare readonly name: string | null;
  declare readonly objectType: string;
  declare readonly queryString: string;

  /** @internal */
  constructor() {
    throw new IllegalConstructorError("Subscription");
  }
}

/** What subscription sets have in common. */
export abstract class BaseSubscriptionSet {
  [n: number]: Subscription;
  declare readonly isEmpty: boolean;
  declare readonly version: number;
  declare readonly state: SubscriptionSetState;
  declare readonly error: string | null;
  declare readonly length: number;

  /** @internal */
  constructor() {
    throw new IllegalConstructorError(new.target.name);
  }

  findByName(_name: string): Subscription | null {
    throw new NotAvailableError(FLEXIBLE);
  }

  findByQuery<T>(_query: Results<T>): Subscription | null {
    throw new NotAvailableError(FLEXIBLE);
  }

  [Symbol.iterator](): IterableIterator<Subscription> {
    throw new NotAvailableError(FLEXIBLE);
  }
}

/** The subscriptions of a realm. */
export class SubscriptionSet extends BaseSubscriptionSet {
  waitForSynchronization(): Promise<void> {
    return notAvailable(FLEXIBLE);
  }

  update(_callback: (subscriptions: MutableSubscriptionSet, realm: Realm) => void): Promise<void> {
    return notAvailable(FLEXIBLE);
  }
}

/** The subscriptions of a realm, while they are being changed. */
export class MutableSubscriptionSet extends BaseSubscriptionSet {
  add(_query: AnyResults, _options?: SubscriptionOptions): Subscription {
    throw new NotAvailableError(FLEXIBLE);
  }

  remove(_query: AnyResults): boolean {
    throw new NotAvailableError(FLEXIBLE);
  }

  removeByName(_name: string): boolean {
    throw new NotAvailableError(FLEXIBLE);
  }

  removeSubscription(_subscription: Subscription): boolean {
    throw new NotAvailableError(FLEXIBLE);
  }

  removeByObjectType(_objectType: string): number {
    throw new NotAvailableError(FLEXIBLE);
  }

  removeAll(): number {
    throw new NotAvailableError(FLEXIBLE);
  }

  removeUnnamed(): number {
    throw new NotAvailableError(FLEXIBLE);
  }
}
