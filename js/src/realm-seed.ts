// What a Realm instance grows from when it is not made from a configuration.
import type { Coordinator } from "./coordinator.js";
import type { RealmCore } from "./core.js";
import type { CanonicalObjectSchema } from "./schema.js";

export interface OpenSeed {
  coordinator: Coordinator;
  schema?: CanonicalObjectSchema[];
  isReadOnly?: boolean;
  /** A guest does not keep the engine open. */
  isGuest?: boolean;
}

export interface FrozenSeed {
  frozen: RealmCore;
  path: string;
  schema?: CanonicalObjectSchema[];
}

export class RealmSeed {
  constructor(readonly what: OpenSeed | FrozenSeed) {}
}
