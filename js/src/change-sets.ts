// From what the engine tells to the change sets that listeners get.
import type { Notice } from "./core.js";

/** @internal The change set of a first call. */
export function noChanges(): object {
  return { deletions: [], insertions: [], oldModifications: [], newModifications: [] };
}

/** @internal The change set of a list, a set or results; nothing if there is none. */
export function collectionChanges(notice: Notice): object | undefined {
  const { deletions, insertions, oldModifications, newModifications } = notice;
  if (!deletions && !insertions && !newModifications) return undefined;
  return {
    deletions: Array.from(deletions ?? []),
    insertions: Array.from(insertions ?? []),
    oldModifications: Array.from(oldModifications ?? []),
    newModifications: Array.from(newModifications ?? []),
  };
}

/** @internal The same of a collection of values, which also tells of its owner's end when it was empty. */
export function valueChanges(notice: Notice): object | undefined {
  return collectionChanges(notice) ?? (notice.deleted ? noChanges() : undefined);
}

/** @internal The change set of a dictionary's first call. */
export function noEntryChanges(): object {
  return { deletions: [], insertions: [], modifications: [] };
}

/** @internal The change set of a dictionary; nothing if there is none and its owner is there. */
export function dictionaryChanges(notice: Notice): object | undefined {
  const { deletedKeys, insertedKeys, modifiedKeys } = notice;
  if (!deletedKeys && !insertedKeys && !modifiedKeys && !notice.deleted) return undefined;
  return {
    deletions: [...(deletedKeys ?? [])],
    insertions: [...(insertedKeys ?? [])],
    modifications: [...(modifiedKeys ?? [])],
  };
}
