// Finalizers that wait while the page is kept for a navigation back. Such a page may run nothing: a finalizer that the
// browser calls there throws it away. The build puts this class where the wasm's glue names the browser's own.
const Native = globalThis.FinalizationRegistry;

interface Entry<Held> {
  readonly target: WeakRef<WeakKey>;
  readonly held: Held;
}

interface Restful {
  rest(): void;
  wake(): void;
}

const all: Restful[] = [];
let isResting = false;

class PatientRegistry<Held> implements Restful {
  private readonly native: FinalizationRegistry<Entry<Held>>;
  private readonly entries = new Set<Entry<Held>>();
  private readonly byToken = new WeakMap<WeakKey, Entry<Held>>();

  constructor(private readonly finalize: (held: Held) => void) {
    this.native = new Native((entry) => this.end(entry));
    all.push(this);
  }

  register(target: WeakKey, held: Held, token: WeakKey): void {
    const entry = { target: new WeakRef(target), held };
    this.entries.add(entry);
    this.byToken.set(token, entry);
    if (!isResting) this.native.register(target, entry, entry);
  }

  unregister(token: WeakKey): void {
    const entry = this.byToken.get(token);
    if (!entry) return;
    this.byToken.delete(token);
    this.entries.delete(entry);
    this.native.unregister(entry);
  }

  rest(): void {
    for (const entry of this.entries) this.native.unregister(entry);
  }

  wake(): void {
    for (const entry of [...this.entries]) {
      const target = entry.target.deref();
      if (target) this.native.register(target, entry, entry);
      else this.end(entry);
    }
  }

  private end(entry: Entry<Held>): void {
    if (this.entries.delete(entry)) this.finalize(entry.held);
  }
}

// Not every place where the package runs has such events, nor finalizers.
globalThis.addEventListener?.("pagehide", ({ persisted }) => {
  if (!persisted || isResting) return;
  isResting = true;
  for (const registry of all) registry.rest();
});
globalThis.addEventListener?.("pageshow", () => {
  if (!isResting) return;
  isResting = false;
  for (const registry of all) registry.wake();
});

const Registry = typeof Native === "undefined" ? undefined : PatientRegistry;

export { Registry as FinalizationRegistry };
