// What goes wrong with the browser's storage is an error that the app sees, and nothing is deleted because of it.
import { call, inProfile } from "./support/profile.mjs";
import { equal, isTrue, keep, until } from "./support/promises.mjs";
import { conductorUrl, fresh, info } from "./support/stage.mjs";
import { xxh3 } from "./support/xxh3.mjs";

const CLIENT = "/tests/e2e/support/local-client.js";
const SYNCED = "/tests/e2e/support/synced-client.js";
const DISK = "/tests/e2e/support/disk.js";
const QUOTA_BYTES = 1_500_000;
const NOTE_BYTES = 200_000;

const { appId, serverUrl: baseUrl } = await info();
const server = { appId, baseUrl };

/** What `localPage` stores. */
const NOTES = [
  ["a", "stored"],
  ["a2", "stored too"],
];

await keep({
  async a_full_origin_is_an_error_with_its_code_and_what_was_stored_is_intact() {
    await inProfile(async (profile) => {
      const page = await profile.page();
      // The browser remembers what room there is from the first write on.
      await page.devtools.send("Storage.overrideQuotaForOrigin", { origin: conductorUrl, quotaSize: QUOTA_BYTES });
      await call(page, CLIENT, "open", "quota");
      let stored = 0;
      let refusal;
      for (; !refusal && stored < 50; stored += refusal ? 0 : 1) {
        refusal = await call(
          page,
          CLIENT,
          "attemptToWrite",
          "quota",
          `note-${String(stored).padStart(2, "0")}`,
          NOTE_BYTES,
        );
      }
      isTrue(stored > 0 && stored < 50, `some writes to fit, and not all: ${stored}`);
      equal(refusal.code, "QuotaExceeded");
      const told = await until("the app to be told", async () => {
        const errors = await call(page, CLIENT, "told", "quota");
        return errors.length > 0 && errors;
      });
      equal([told[0].name, told[0].code], ["StorageError", "QuotaExceeded"]);
      // In memory everything can still be read, and further writes say why they are refused.
      isTrue((await call(page, CLIENT, "read", "quota")).length >= stored, "reads to work");
      equal((await call(page, CLIENT, "attemptToWrite", "quota", "more", 10)).code, "QuotaExceeded");
      await page.close();
      await profile.kill();
      await profile.start();
      const again = await profile.page();
      const found = await call(again, CLIENT, "open", "quota");
      equal(
        found.map(([key, size]) => [key, size]),
        Array.from({ length: stored }, (_, index) => [`note-${String(index).padStart(2, "0")}`, NOTE_BYTES]),
      );
      await call(again, CLIENT, "write", "quota", [{ _id: "room", text: "again" }]);
    });
  },

  async storage_cleared_under_a_running_page_is_an_error_and_reads_go_on() {
    await inProfile(async (profile) => {
      const page = await localPage(profile, "cleared");
      await page.devtools.send("Storage.clearDataForOrigin", { origin: conductorUrl, storageTypes: "indexeddb" });
      const told = await until("the app to be told", async () => {
        const errors = await call(page, CLIENT, "told", "cleared");
        return errors.length > 0 && errors;
      });
      equal([told[0].name, told[0].code], ["StorageError", "StoreClosed"]);
      equal(await call(page, CLIENT, "read", "cleared"), NOTES);
      equal((await call(page, CLIENT, "attemptToWrite", "cleared", "b", 10)).code, "StoreClosed");
      equal(await call(page, CLIENT, "read", "cleared").then((notes) => notes.slice(0, 2)), NOTES);
      // The next visit is told that the store is lost, which is not the same as one that never was.
      const again = await profile.page();
      await page.close();
      equal(await call(again, CLIENT, "open", "cleared"), []);
      equal((await call(again, CLIENT, "told", "cleared"))[0]?.code, "StoreLost");
    });
  },

  async a_synced_realm_whose_store_was_cleared_is_downloaded_again() {
    const realm = fresh("storage-cleared");
    await inProfile(async (profile) => {
      const page = await profile.page();
      await call(page, SYNCED, "open", server, realm);
      await call(page, SYNCED, "write", realm, [{ _id: "a", text: "on the server" }]);
      await call(page, SYNCED, "uploaded", realm);
      const before = await call(page, SYNCED, "identity", realm);
      await page.devtools.send("Storage.clearDataForOrigin", { origin: conductorUrl, storageTypes: "indexeddb" });
      await page.close();
      const again = await profile.page();
      await call(again, SYNCED, "open", server, realm);
      await call(again, SYNCED, "downloaded", realm);
      equal(await call(again, SYNCED, "read", realm), [["a", "on the server", 0, ""]]);
      isTrue(before !== (await call(again, SYNCED, "identity", realm)), "a new identity");
      await call(again, SYNCED, "write", realm, [{ _id: "b", text: "goes on" }]);
      await call(again, SYNCED, "uploaded", realm);
    });
  },

  async a_database_deleted_by_another_page_is_an_error_and_reads_go_on() {
    await inProfile(async (profile) => {
      const page = await localPage(profile, "deleted");
      const other = await profile.page();
      await call(other, DISK, "deleteDatabase", "deleted");
      await until("the app to be told", async () => (await call(page, CLIENT, "told", "deleted")).length > 0);
      equal((await call(page, CLIENT, "told", "deleted"))[0].code, "StoreClosed");
      equal(await call(page, CLIENT, "read", "deleted"), NOTES);
      equal((await call(page, CLIENT, "attemptToWrite", "deleted", "b", 10)).code, "StoreClosed");
    });
  },

  async damage_to_any_record_is_found_and_nothing_is_deleted_because_of_it() {
    return await inProfile(async (profile) => {
      const page = await closedStore(profile, "damaged");
      const all = await call(page, DISK, "records", "damaged");
      const spaces = [...new Set(all.map(({ space }) => space))];
      isTrue(
        ["meta", "pages", "log"].every((space) => spaces.includes(space)),
        `records of all kinds, not ${spaces}`,
      );
      const damages = await call(page, DISK, "damages");
      for (const record of all) {
        for (const damage of damages) {
          const what = `${record.space} ${record.key}, ${damage}`;
          await call(page, DISK, "put", "damaged", record, damage);
          const before = await call(page, DISK, "fingerprint", "damaged");
          const error = await call(page, CLIENT, "attemptToOpen", "damaged");
          equal(error?.code, "CorruptStore", what);
          isTrue(error.message.includes("/damaged") && error.message.includes("Nothing was deleted"), error.message);
          equal(await call(page, DISK, "fingerprint", "damaged"), before, `${what}: the store afterwards`);
          await call(page, DISK, "restore", "damaged");
        }
      }
      const found = await call(page, CLIENT, "open", "damaged");
      equal(found.slice(-2), [
        ["small", "in the log"],
        ["smaller", "in the log too"],
      ]);
      return `${all.length} records of ${spaces.join(", ")}, ${damages.length} kinds of damage each`;
    });
  },

  async a_store_of_a_later_format_is_refused_and_stays_as_it_is() {
    await inProfile(async (profile) => {
      const page = await closedStore(profile, "later");
      const head = { space: "meta", key: "head" };
      const bytes = await call(page, DISK, "bytesOf", "later", head);
      const body = bytes.slice(0, -8);
      equal(bytes.slice(-8), xxh3(body), "the checksum of the head record");
      const later = [body[0] + 1, ...body.slice(1)];
      await call(page, DISK, "put", "later", head, [...later, ...xxh3(later)]);
      const before = await call(page, DISK, "fingerprint", "later");
      const error = await call(page, CLIENT, "attemptToOpen", "later");
      equal(error?.code, "FormatTooNew");
      isTrue(error.message.includes("newer version"), error.message);
      equal(await call(page, DISK, "fingerprint", "later"), before, "the store afterwards");
      await call(page, DISK, "restore", "later");
      isTrue((await call(page, CLIENT, "open", "later")).length > 2, "everything to be there");
    });
  },

  async what_the_browser_ends_because_the_page_is_busy_is_stored_all_the_same() {
    await inProfile(async (profile) => {
      // The browser does so after a minute; here it does at once, a few times.
      const interrupt = () => {
        const { transaction } = IDBDatabase.prototype;
        globalThis.interruptions = 0;
        IDBDatabase.prototype.transaction = function (stores, mode, options) {
          const begun = transaction.call(this, stores, mode, options);
          if (mode !== "readwrite" || globalThis.interruptions === 0) return begun;
          globalThis.interruptions -= 1;
          const error = new DOMException("Transaction timed out due to inactivity.", "TimeoutError");
          Object.defineProperty(begun, "error", { value: error });
          queueMicrotask(() => begun.abort());
          return begun;
        };
      };
      const page = await localPage(profile, "busy", { hook: interrupt });
      await page.evaluate(() => {
        globalThis.interruptions = 3;
      });
      await call(page, CLIENT, "write", "busy", [{ _id: "b", text: "written while busy" }]);
      equal(await page.evaluate(() => globalThis.interruptions), 0, "interruptions left");
      equal(await call(page, CLIENT, "told", "busy"), [], "errors that the app is told");
      const again = await profile.page();
      await page.close();
      const found = await call(again, CLIENT, "open", "busy");
      equal(
        found.map(([key]) => key),
        ["a", "a2", "b"],
      );
    });
  },

  async a_browser_without_indexeddb_is_an_error_with_a_code() {
    await inProfile(async (profile) => {
      const refuse = () => {
        IDBFactory.prototype.open = () => {
          throw new DOMException(
            "A mutation operation was attempted on a database that did not allow mutations.",
            "InvalidStateError",
          );
        };
      };
      const page = await profile.page({ hook: refuse });
      const error = await call(page, CLIENT, "attemptToOpen", "nowhere");
      isTrue(error && typeof error.message === "string" && error.message.length > 0, "an error");
      isTrue(["StorageError", "StoreClosed"].includes(error.code), `a code, not ${JSON.stringify(error)}`);
    });
  },
});

/** A page with a local realm open that has two notes on disk. */
async function localPage(profile, path, options) {
  const page = await profile.page(options);
  await call(page, CLIENT, "open", path);
  await call(page, CLIENT, "write", path, [
    { _id: "a", text: "stored" },
    { _id: "a2", text: "stored too" },
  ]);
  return page;
}

/** A page with a closed realm that has both pages and log entries. */
async function closedStore(profile, path) {
  const page = await profile.page();
  await call(page, CLIENT, "open", path);
  const many = Array.from({ length: 700 }, (_, index) => ({
    _id: `note-${String(index).padStart(4, "0")}`,
    text: "y".repeat(1000),
  }));
  await call(page, CLIENT, "write", path, many);
  await call(page, CLIENT, "write", path, [{ _id: "small", text: "in the log" }]);
  await call(page, CLIENT, "write", path, [{ _id: "smaller", text: "in the log too" }]);
  await call(page, CLIENT, "close", path);
  // The store is closed when its lock can be had.
  await page.evaluate((name) => navigator.locks.request(name, () => undefined), `ebbtide:/${path}`);
  return page;
}
