// Listeners to objects and collections: who listens to what, the first call, and delivery of what the engine tells.
import type { Notice, RealmCore } from "./core.js";
import type { RealmObject } from "./object.js";
import type { View } from "./view.js";

/** What happened to an object. */
export type ObjectChangeSet<T> = {
  /** Whether it was deleted; then nothing else is said. */
  deleted: boolean;
  changedProperties: (keyof T)[];
};

export type ObjectChangeCallback<T> = (object: RealmObject<T> & T, changes: ObjectChangeSet<T>) => void;

/** A listener with everything there is to know of it. */
export interface Listener {
  view: View;
  /** Equal for everything that stands for the same object, list or results. */
  identity: unknown;
  /** What the callback gets as its first argument. */
  subject: unknown;
  callback(subject: unknown, changes: unknown): void;
  empty: unknown;
  start(core: RealmCore): number;
  /** The change set that a notice means, or undefined if it does not concern this listener. */
  changes(notice: Notice): unknown;
}

interface Entry extends Listener {
  /** Whether the first call was made. */
  isReady: boolean;
}

interface Observation {
  id: number;
  view: View;
  identity: unknown;
  entries: Entry[];
}

/** All observations of one engine. */
export class Observations {
  private readonly byId = new Map<number, Observation>();
  private pending: Entry[] = [];

  constructor(private readonly core: () => RealmCore) {}

  add(listener: Listener): void {
    let observation = this.find(listener.view, listener.identity);
    if (observation?.entries.some((e) => e.callback === listener.callback && e.subject === listener.subject)) {
      throw new Error("Remove callback before adding it again");
    }
    if (!observation) {
      const id = listener.start(this.core());
      observation = { id, view: listener.view, identity: listener.identity, entries: [] };
      this.byId.set(id, observation);
    }
    const entry: Entry = { ...listener, isReady: false };
    observation.entries = [...observation.entries, entry];
    if (this.pending.length === 0) setTimeout(() => this.deliverPending());
    this.pending.push(entry);
  }

  remove(view: View, identity: unknown, subject: unknown, callback: Listener["callback"]): void {
    const observation = this.find(view, identity);
    if (!observation) return;
    const matching = observation.entries.filter((entry) => entry.callback === callback);
    const entry = matching.find((candidate) => candidate.subject === subject) ?? matching[0];
    this.keep(observation, (candidate) => candidate !== entry);
  }

  removeAll(view: View, identity: unknown): void {
    const observation = this.find(view, identity);
    if (observation) this.keep(observation, () => false);
  }

  /** Forgets everything that was observed through `view`. */
  removeView(view: View): void {
    for (const observation of [...this.byId.values()]) {
      if (observation.view === view) this.keep(observation, () => false);
    }
  }

  /** Whether any of these notices will be told to somebody. */
  concerns(notices: Notice[]): boolean {
    return notices.some(({ id }) => this.byId.has(id));
  }

  /** Makes the first calls that are due. */
  deliverPending(): void {
    const pending = this.pending;
    this.pending = [];
    for (const entry of pending) this.deliverFirst(entry);
  }

  deliver(notice: Notice): void {
    const observation = this.byId.get(notice.id);
    if (!observation) return;
    for (const entry of observation.entries) {
      if (!this.isAlive(observation, entry)) continue;
      // Whoever has not seen the first state sees this one instead: for them nothing has changed yet.
      if (!entry.isReady) {
        this.deliverFirst(entry);
        if (!notice.deleted) continue;
      }
      const changes = entry.changes(notice);
      if (changes !== undefined) callSafely(() => entry.callback(entry.subject, changes));
    }
    if (notice.deleted) this.keep(observation, () => false);
  }

  private deliverFirst(entry: Entry): void {
    const observation = this.find(entry.view, entry.identity);
    if (entry.isReady || !observation || !this.isAlive(observation, entry)) return;
    entry.isReady = true;
    callSafely(() => entry.callback(entry.subject, structuredClone(entry.empty)));
  }

  private isAlive(observation: Observation, entry: Entry): boolean {
    return entry.view.isOpen && observation.entries.includes(entry);
  }

  private keep(observation: Observation, predicate: (entry: Entry) => boolean): void {
    observation.entries = observation.entries.filter(predicate);
    if (observation.entries.length > 0 || this.byId.get(observation.id) !== observation) return;
    this.byId.delete(observation.id);
    this.core().unobserve(observation.id);
  }

  private find(view: View, identity: unknown): Observation | undefined {
    for (const observation of this.byId.values()) {
      if (observation.view === view && observation.identity === identity) return observation;
    }
    return undefined;
  }
}

/** Calls application code; what it throws is rethrown in a turn of its own, so that it stops nobody else. */
export function callSafely(call: () => void): void {
  try {
    call();
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}
