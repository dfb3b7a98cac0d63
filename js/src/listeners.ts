// Listeners to objects and collections: who listens to what, the first call, and delivery of what the engine tells.
import type { Notice, RealmCore } from "./core.js";
import type { KeyPath } from "./key-paths.js";
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
  /** What the callback gets as its first argument. The listeners of one subject share their key paths. */
  subject: object;
  callback(subject: unknown, changes: unknown): void;
  /** What changes it asks for; all that concern the subject if there are none. */
  keyPaths: KeyPath[] | undefined;
  /** The change set of its first call. */
  empty(): unknown;
  start(core: RealmCore): number;
  /**
   * The change set that a notice means, or undefined if it does not concern this listener. `roots` are the first properties
   * of the key paths that the notice may name by position.
   */
  changes(notice: Notice, roots: string[]): unknown;
}

interface Entry extends Listener {
  /** Whether the first call was made. */
  isReady: boolean;
}

interface Observation {
  id: number;
  view: View;
  subject: object;
  entries: Entry[];
  /** The first properties of the key paths that the engine was given. */
  roots: string[];
}

/** All observations of one engine. */
export class Observations {
  private readonly byId = new Map<number, Observation>();
  private readonly bySubject = new Map<object, Observation>();
  private pending: Entry[] = [];

  constructor(
    private readonly core: () => RealmCore,
    /** Called before first calls that are made in a turn of their own. */
    private readonly announce: () => void,
  ) {}

  add(listener: Listener): void {
    let observation = this.bySubject.get(listener.subject);
    if (observation?.entries.some(({ callback }) => callback === listener.callback)) {
      throw new Error("Remove callback before adding it again");
    }
    if (!observation) {
      const { view, subject } = listener;
      observation = { id: listener.start(this.core()), view, subject, entries: [], roots: [] };
      this.byId.set(observation.id, observation);
      this.bySubject.set(subject, observation);
    }
    const entry: Entry = { ...listener, isReady: false };
    observation.entries = [...observation.entries, entry];
    this.limit(observation, [entry]);
    if (this.pending.length === 0) setTimeout(() => this.deliverDue());
    this.pending.push(entry);
  }

  remove(subject: object, callback: Listener["callback"]): void {
    const observation = this.bySubject.get(subject);
    if (observation) this.keep(observation, (entry) => entry.callback !== callback);
  }

  removeAll(subject: object): void {
    const observation = this.bySubject.get(subject);
    if (observation) this.keep(observation, () => false);
  }

  /** Forgets everything that was observed through `view`. */
  removeView(view: View): void {
    for (const observation of [...this.byId.values()]) {
      if (observation.view === view) this.keep(observation, () => false);
    }
  }

  /** Makes the first calls that are due. */
  deliverPending(): void {
    if (this.pending.length === 0) return;
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
      const changes = entry.changes(notice, observation.roots);
      if (changes !== undefined) callSafely(() => entry.callback(entry.subject, changes));
    }
    if (notice.deleted) this.keep(observation, () => false);
  }

  private deliverDue(): void {
    if (this.pending.length === 0) return;
    this.announce();
    this.deliverPending();
  }

  private deliverFirst(entry: Entry): void {
    const observation = this.bySubject.get(entry.subject);
    if (entry.isReady || !observation || !this.isAlive(observation, entry)) return;
    entry.isReady = true;
    callSafely(() => entry.callback(entry.subject, entry.empty()));
  }

  private isAlive(observation: Observation, entry: Entry): boolean {
    return entry.view.isOpen && observation.entries.includes(entry);
  }

  private keep(observation: Observation, predicate: (entry: Entry) => boolean): void {
    const gone = observation.entries.filter((entry) => !predicate(entry));
    observation.entries = observation.entries.filter(predicate);
    if (observation.entries.length > 0) {
      this.limit(observation, gone);
      return;
    }
    if (this.byId.get(observation.id) !== observation) return;
    this.byId.delete(observation.id);
    this.bySubject.delete(observation.subject);
    this.core().unobserve(observation.id);
  }

  /** Tells the engine the key paths of all listeners of a subject, if those that came or went can make a difference. */
  private limit(observation: Observation, changed: Entry[]): void {
    const { id, entries } = observation;
    const isLimited = [...entries, ...changed].some(({ keyPaths }) => keyPaths !== undefined);
    if (!isLimited) return;
    const paths = entries.flatMap(({ keyPaths }) => keyPaths ?? []);
    observation.roots = paths.map(({ root }) => root);
    const steps: (Uint32Array | null)[] = paths.map((path) => Uint32Array.from(path.steps));
    if (entries.some(({ keyPaths }) => keyPaths === undefined)) steps.push(null);
    this.core().limitObservation(id, steps);
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
