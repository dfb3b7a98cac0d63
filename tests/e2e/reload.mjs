// Code written for Realm JS opens its realm with `new Realm(config)`, on every visit.
import { call, inProfile } from "./support/profile.mjs";
import { equal, isTrue, keep, until } from "./support/promises.mjs";

const CLIENT = "/tests/e2e/support/local-client.js";
const DISK = "/tests/e2e/support/disk.js";

await keep({
  async what_was_opened_without_waiting_opens_so_after_a_reload_and_a_restart() {
    await inProfile(async (profile) => {
      let page = await profile.page();
      equal(await call(page, CLIENT, "openAtOnce", "again"), []);
      await call(page, CLIENT, "write", "again", [{ _id: "a", text: "one" }]);
      await page.reload();
      equal(await call(page, CLIENT, "openAtOnce", "again"), [["a", "one"]]);
      await call(page, CLIENT, "write", "again", [{ _id: "b", text: "two" }]);
      // Beside the first page, which has it open.
      const other = await profile.page();
      equal((await call(other, CLIENT, "openAtOnce", "again")).length, 2);
      await call(other, CLIENT, "write", "again", [{ _id: "c", text: "three" }]);
      await profile.restart();
      page = await profile.page();
      equal(await call(page, CLIENT, "openAtOnce", "again"), [
        ["a", "one"],
        ["b", "two"],
        ["c", "three"],
      ]);
      equal(page.complaints, []);
    });
  },

  async what_an_application_waits_for_or_has_deleted_is_not_read_before_it_asks() {
    await inProfile(async (profile) => {
      const page = await profile.page();
      await call(page, CLIENT, "openAtOnce", "waited");
      await call(page, CLIENT, "write", "waited", [{ _id: "a", text: "one" }]);
      await page.reload();
      await call(page, CLIENT, "open", "waited");
      await page.reload();
      equal((await call(page, CLIENT, "attemptToOpenAtOnce", "waited")).code, "NeedsAsyncOpen");
      equal(await call(page, CLIENT, "open", "waited"), [["a", "one"]]);
      await call(page, CLIENT, "openAtOnce", "deleted");
      await call(page, CLIENT, "write", "deleted", [{ _id: "a", text: "one" }]);
      await call(page, CLIENT, "close", "deleted");
      await call(page, CLIENT, "attemptToDelete", "deleted");
      await page.reload();
      equal(await call(page, CLIENT, "openAtOnce", "deleted"), []);
      equal(page.complaints, []);
    });
  },

  async what_has_gone_from_the_disk_is_told_to_who_opens_it() {
    await inProfile(async (profile) => {
      const page = await profile.page();
      await call(page, CLIENT, "openAtOnce", "gone");
      await call(page, CLIENT, "write", "gone", [{ _id: "a", text: "one" }]);
      await call(page, CLIENT, "close", "gone");
      await call(page, DISK, "deleteDatabase", "gone");
      await page.reload();
      equal(await call(page, CLIENT, "openAtOnce", "gone"), []);
      const told = await call(page, CLIENT, "told", "gone");
      equal(
        told.map(({ code }) => code),
        ["StoreLost"],
      );
    });
  },

  async what_the_browser_has_thrown_away_is_told_to_who_begins_anew() {
    await inProfile(async (profile) => {
      const page = await profile.page();
      await call(page, CLIENT, "openAtOnce", "thrown away");
      await call(page, CLIENT, "write", "thrown away", [{ _id: "a", text: "one" }]);
      await call(page, CLIENT, "close", "thrown away");
      await page.reload();
      isTrue((await call(page, DISK, "deleteDatabases")) >= 2, "a catalogue and a store to be deleted");
      equal(await call(page, CLIENT, "openAtOnce", "thrown away"), []);
      await call(page, CLIENT, "write", "thrown away", [{ _id: "b", text: "two" }]);
      const told = await until("the app to be told", async () => {
        const errors = await call(page, CLIENT, "told", "thrown away");
        return errors.length > 0 && errors;
      });
      equal(
        told.map(({ code }) => code),
        ["StoreLost"],
      );
      equal(await call(page, CLIENT, "openAtOnce", "never there"), []);
      await call(page, CLIENT, "write", "never there", [{ _id: "a", text: "one" }]);
      equal(await call(page, CLIENT, "told", "never there"), []);
    });
  },
});
