// What lets `new Realm(config)` open a realm that is on disk after a reload: the realms that were opened without waiting last are
// read again while the package loads. localStorage says which; where there is none, they take `Realm.open`.
import type { CoreModule, Host } from "./core.js";

/** No realm's mark: those begin with `ebbtide:`. */
const KEY = "ebbtide-opened-without-waiting";
/** How many realms are read again. */
const PATHS_MAX = 8;

/** What was opened in this page: how it was opened first says how the application begins. */
const opened = new Set<string>();

/** Notes that the engine of a realm was opened, with or without waiting for it. */
export function noteOpening(path: string, how: "waiting" | "at once"): void {
  if (opened.has(path)) return;
  opened.add(path);
  const paths = expected();
  if (how === "waiting") forget(path);
  else if (!paths.includes(path)) keep([path, ...paths].slice(0, PATHS_MAX));
}

/** Notes that a realm is gone. */
export function noteDeletion(path: string): void {
  opened.delete(path);
  forget(path);
}

/** Opens and closes each of these realms, which leaves it in memory. One that cannot be read says so when it is opened. */
export async function preload(core: CoreModule): Promise<void> {
  for (const path of expected()) {
    if (!core.exists(path) || core.hasFileAction?.(path)) continue;
    try {
      const realm = await core.RealmCore.open(
        { path },
        { ...SILENT, storageError: (report) => reports.set(path, report) },
      );
      await realm.close();
    } catch {
      // Encrypted, of a user, or damaged: it takes `Realm.open`.
      forget(path);
    }
  }
}

/** What went wrong with a realm's storage when it was read, for who opens it. */
export function takeReport(path: string): StorageReport | undefined {
  const report = reports.get(path);
  reports.delete(path);
  return report;
}

type StorageReport = Parameters<Host["storageError"]>[0];

const reports = new Map<string, StorageReport>();

/** Hears nothing: there is nobody yet to tell. */
const SILENT: Host = {
  notify() {},
  syncError() {},
  resetBefore() {},
  resetAfter() {},
  resetProgress() {},
  progress() {},
  connectionState() {},
  storageError() {},
};

function expected(): string[] {
  try {
    const paths: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(paths) ? paths.filter((path) => typeof path === "string") : [];
  } catch {
    return [];
  }
}

function forget(path: string): void {
  const paths = expected();
  if (paths.includes(path)) keep(paths.filter((other) => other !== path));
}

function keep(paths: string[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(paths));
  } catch {
    // A worker, or a page that may keep nothing.
  }
}
