//! The TypeScript declarations of what crosses the boundary as plain objects.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** An error that this module throws: an `Error` with a `code`. */
export interface CoreError extends Error { code: string; position?: number }

export interface CoreProperty {
  name: string;
  type:
    | "bool" | "int" | "float" | "double" | "decimal128" | "string" | "data" | "date" | "objectId" | "uuid" | "link" | "mixed";
  collection?: "list" | "set" | "dictionary";
  optional?: boolean;
  objectType?: string;
  indexed?: "none" | "general" | "fullText";
}

export interface CoreClass { name: string; primaryKey?: string; embedded?: boolean; properties: CoreProperty[] }

export interface CoreSyncConfig {
  userId: string;
  realm: string;
  resetMode: "manual" | "discardUnsyncedChanges" | "recoverUnsyncedChanges" | "recoverOrDiscardUnsyncedChanges";
}

export interface CoreConfig {
  path: string;
  schema?: CoreClass[];
  schemaVersion?: number;
  /** What becomes of a realm whose schema is another: `callback` opens it inside the migration. */
  migration?: "automatic" | "callback" | "startOver";
  /** Whether what is stored is to be deleted first. Only for opening without waiting. */
  replace?: boolean;
  resolveEmbeddedConstraints?: boolean;
  /** 64 bytes. */
  encryptionKey?: Uint8Array;
  readOnly?: boolean;
  inMemory?: boolean;
  sync?: CoreSyncConfig;
}

/**
 * What one listener is told; what is empty is left out. Id 0 is the realm as a whole, changed other than by a write of this
 * page.
 */
export interface Notice {
  id: number;
  origin?: "remote" | "reset";
  deleted?: boolean;
  insertions?: Uint32Array;
  deletions?: Uint32Array;
  oldModifications?: Uint32Array;
  newModifications?: Uint32Array;
  deletedKeys?: string[];
  insertedKeys?: string[];
  modifiedKeys?: string[];
  changedColumns?: Uint32Array;
  /** Positions of the key paths, of those that the observation was given, on which a change lies. */
  changedPaths?: Uint32Array;
}

/** How a realm calls back. Never while anything is borrowed: each may call into the realm. */
export interface Host {
  notify(notices: Notice[]): void;
  syncError(error: {
    name: string; message: string; code: number; wireCode: number; isFatal: boolean;
    userInfo?: { ORIGINAL_FILE_PATH: string; RECOVERY_FILE_PATH?: string }; cause?: string;
  }): void;
  resetBefore(before: RealmCore): void | Promise<void>;
  resetAfter(before: RealmCore): void | Promise<void>;
  resetProgress(progress: {
    phase: "marked" | "staging" | "checking" | "before" | "swapping" | "after" | "done" | "manual";
    cause: string; code: number; message: string; attempt: number; startedMs: number;
    durationsMs: Record<string, number>; stagedBytes: number; totalBytes: number;
    report?: {
      discardedChangesets: number; keptChangesets: number;
      classes: { name: string; inserted: number; deleted: number; modified: number }[];
    };
  }): void;
  progress(progress: { direction: "upload" | "download"; transferred: number; transferable: number }): void;
  connectionState(newState: string, oldState: string): void;
  storageError(error: CoreError): void;
}

export interface BackupInfo { path: string; originalPath: string; createdAt: Date; code: number; message: string }
"#;
