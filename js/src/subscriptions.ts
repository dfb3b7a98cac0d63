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
  /** Its name for the server. */
  declare readonly id: BSON.ObjectId;
  /** When it was added. */
  declare readonly createdAt: Date;
  /** When it was changed last. */
  declare readonly updatedAt: Date;
  /** Its name, if it was given one. */
  declare readonly name: string | null;
  /** The class of its query. */
  declare readonly objectType: string;
  /** Its query. */
  declare readonly queryString: string;

  /** @internal */
  constructor() {
    throw new IllegalConstructorError("Subscription");
  }
}

/** What subscription sets have in common. */
export abstract class BaseSubscriptionSet {
  [n: number]: Subscription;
  /** Whether there are none. */
  declare readonly isEmpty: boolean;
  /** How often the subscriptions were changed. */
  declare readonly version: number;
  /** Whether the server has answered. */
  declare readonly state: SubscriptionSetState;
  /** Why the server refused them. */
  declare readonly error: string | null;
  /** How many there are. */
  declare readonly length: number;

  /** @internal */
  constructor() {
    throw new IllegalConstructorError(new.target.name);
  }

  /** Throws: not available. */
  findByName(_name: string): Subscription | null {
    throw new NotAvailableError(FLEXIBLE);
  }

  /** Throws: not available. */
  findByQuery<T>(_query: Results<T>): Subscription | null {
    throw new NotAvailableError(FLEXIBLE);
  }

  [Symbol.iterator](): IterableIterator<Subscription> {
    throw new NotAvailableError(FLEXIBLE);
  }
}

/** The subscriptions of a realm. */
export class SubscriptionSet extends BaseSubscriptionSet {
  /** Rejects: not available. */
  waitForSynchronization(): Promise<void> {
    return notAvailable(FLEXIBLE);
  }

  /** Rejects: not available. */
  update(_callback: (subscriptions: MutableSubscriptionSet, realm: Realm) => void): Promise<void> {
    return notAvailable(FLEXIBLE);
  }
}

/** The subscriptions of a realm, while they are being changed. */
export class MutableSubscriptionSet extends BaseSubscriptionSet {
  /** Throws: not available. */
  add(_query: AnyResults, _options?: SubscriptionOptions): Subscription {
    throw new NotAvailableError(FLEXIBLE);
  }

  /** Throws: not available. */
  remove(_query: AnyResults): boolean {
    throw new NotAvailableError(FLEXIBLE);
  }

  /** Throws: not available. */
  removeByName(_name: string): boolean {
    throw new NotAvailableError(FLEXIBLE);
  }

  /** Throws: not available. */
  removeSubscription(_subscription: Subscription): boolean {
    throw new NotAvailableError(FLEXIBLE);
  }

  /** Throws: not available. */
  removeByObjectType(_objectType: string): number {
    throw new NotAvailableError(FLEXIBLE);
  }

  /** Throws: not available. */
  removeAll(): number {
    throw new NotAvailableError(FLEXIBLE);
  }

  /** Throws: not available. */
  removeUnnamed(): number {
    throw new NotAvailableError(FLEXIBLE);
  }
}
