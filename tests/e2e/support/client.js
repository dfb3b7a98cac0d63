// What the pages of the end-to-end scripts do with the package. Everything that goes in and out can be carried by JSON.
import Realm from "/dist/index.js";

export const Note = {
  name: "Note",
  primaryKey: "_id",
  properties: { _id: "string", text: "string", rank: { type: "int", default: 0 }, tags: "string[]" },
};

/** Ballast, so that a download comes in several chunks. */
export const Ballast = { name: "Ballast", primaryKey: "_id", properties: { _id: "string", filler: "string" } };

const apps = new Map();

export function appOf({ appId, baseUrl }) {
  const identity = `${appId} ${baseUrl}`;
  if (!apps.has(identity)) apps.set(identity, new Realm.App({ id: appId, baseUrl }));
  return apps.get(identity);
}

/** The anonymous user of this profile. */
export async function userOf(server) {
  const app = appOf(server);
  return app.currentUser ?? (await app.logIn(Realm.Credentials.anonymous()));
}

/** A synced configuration that opens with what is on disk. */
export async function configOf(server, partition, { user, sync } = {}) {
  return {
    schema: [Note, Ballast],
    sync: {
      user: user ?? (await userOf(server)),
      partitionValue: partition,
      existingRealmFileBehavior: { type: "openImmediately" },
      _sessionStopPolicy: "immediately",
      ...sync,
    },
  };
}

/** Everything that a realm shows, in the order of the keys. Lists and plain numbers show duplicates. */
export function contents(realm) {
  const notes = [...realm.objects("Note")].map((note) => [note._id, note.text, note.rank, [...note.tags].join(" ")]);
  const ballast = [...realm.objects("Ballast")].map(({ _id, filler }) => [_id, filler.length]);
  return [...notes, ...ballast].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Resolves when `look` finds something; it looks again after each change of the realm. */
export function until(realm, look, timeoutMs = 15000) {
  return new Promise((resolve, reject) => {
    const check = () => {
      const found = look();
      if (!found) return;
      clearTimeout(timer);
      realm.removeListener("change", check);
      resolve(found);
    };
    const timer = setTimeout(() => {
      realm.removeListener("change", check);
      reject(new Error(`what was waited for did not come within ${timeoutMs} ms`));
    }, timeoutMs);
    realm.addListener("change", check);
    check();
  });
}
