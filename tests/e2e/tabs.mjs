// Several tabs, frames and workers of one origin on one local realm.
import { equal, isTrue, keep, until, within } from "./support/promises.mjs";
import { agree, frameOf, heardOnce, noMistakes, tabIn, withTabs, workerOf } from "./support/tabs.mjs";

await keep({
  async what_one_tab_writes_every_other_tabs_listener_hears_once() {
    await withTabs(2, async ([first, second]) => {
      const all = [first, second, workerOf(second), await frameOf(first)];
      for (const tab of all) await tab("open", "heard");
      for (const [index, tab] of all.entries()) await tab("write", "heard", [{ _id: `by ${index}` }]);
      await agree(all, "heard", ({ notes }) => notes.length === all.length);
      const ids = all.map((_, index) => `by ${index}`);
      for (const tab of all) await heardOnce(tab, "heard", ids);
      await noMistakes(all, "heard");
    });
  },

  async a_tab_that_is_alone_tells_nobody_that_it_has_written_and_one_that_comes_hears_of_all() {
    await withTabs(0, async (_, profile) => {
      const first = await tabIn(profile, { hook: countSaid });
      await first("open", "alone");
      for (const _id of ["a", "b"]) await first("write", "alone", [{ _id }]);
      equal(await first.page.evaluate(() => globalThis.said), 0, "what was told");
      const second = await tabIn(profile);
      await second("open", "alone");
      for (const _id of ["c", "d"]) await first("write", "alone", [{ _id }]);
      await agree([first, second], "alone", ({ notes }) => notes.length === 4);
      isTrue((await first.page.evaluate(() => globalThis.said)) > 0, "that the second was told");
      await noMistakes([first, second], "alone");
    });
  },

  async a_tab_whose_listeners_take_long_gets_to_the_disk_beside_tabs_that_never_stop_writing() {
    await withTabs(3, async ([slow, ...others]) => {
      for (const tab of [slow, ...others]) await tab("open", "beside");
      await slow("listenSlowly", "beside", 40);
      for (const [index, tab] of others.entries()) await tab("beginToWrite", "beside", `tab ${index}`);
      const worst = [];
      for (let number = 0; number < 5; number++) {
        const start = performance.now();
        await within(5000, "a write", slow("write", "beside", [{ _id: `slow ${number}` }]));
        worst.push(performance.now() - start);
      }
      for (const tab of others) await tab("endWriting", "beside");
      await agree([slow, ...others], "beside", ({ notes }) => notes.length >= 5);
      await noMistakes(others, "beside");
      return `the longest took ${Math.max(...worst).toFixed(0)} ms`;
    });
  },

  async tabs_that_write_at_the_same_moment_lose_nothing_and_show_the_same() {
    await withTabs(2, async ([first, second]) => {
      const [path, rounds] = ["hammered", 60];
      const all = [first, second, workerOf(first)];
      for (const tab of all) await tab("open", path);
      await first("makeBoard", path);
      await agree(all, path, ({ boards }) => boards.length === 1);
      await Promise.all(all.map((tab, index) => tab("hammer", path, `tab ${index}`, rounds)));
      const found = await agree(all, path, ({ marks }) => marks.length === all.length * rounds);
      const entries = all.flatMap((_, tab) => Array.from({ length: rounds }, (_, number) => `tab ${tab} ${number}`));
      const sorted = (list) => [...list].sort();
      const [board] = found.boards;
      equal(sorted(board.entries), sorted(entries), "entries of the list");
      equal(sorted(board.marks), sorted(entries), "links of the list");
      equal(sorted(found.marks), sorted(entries), "objects without primary key");
      equal(board.names, sorted(entries), "the set");
      equal(board.counter, entries.length, "the counter");
      equal(found.notes.length, all.length * (rounds - Math.floor(rounds / 3)) + 1, "notes that were not deleted");
      for (const [tab] of all.entries()) {
        const own = board.entries.filter((entry) => entry.startsWith(`tab ${tab} `));
        equal(
          own,
          entries.filter((entry) => own.includes(entry)),
          "the order in which one tab wrote",
        );
      }
      await noMistakes(all, path);
      await first.page.reload();
      equal(await first("open", path), found, "after a reload");
      await second("write", path, [{ _id: "and on" }]);
      await agree([first, second], path, ({ notes }) => notes.length === found.notes.length + 1);
    });
  },

  async tabs_that_create_the_same_realm_at_the_same_moment_share_it() {
    await withTabs(2, async (all) => {
      const ways = { open: {}, openAtOnce: {}, "openAtOnce with a key": { encryptionKey: 7 } };
      for (const [way, options] of Object.entries(ways)) {
        const path = `created-${way.replaceAll(" ", "-")}`;
        for (const tab of all) await tab("exists", path);
        // No tab can hear of another before it has opened the realm itself.
        const moment = Date.now() + 500;
        await Promise.all(
          all.map(async (tab, index) => {
            await tab(way.split(" ")[0], path, way === "open" ? options : { moment, ...options });
            await tab("mark", path, `tab ${index}`, 5);
          }),
        );
        const found = await agree(all, path, ({ notes, marks }) => notes.length === 2 && marks.length === 10);
        equal(new Set(found.marks).size, 10, "objects without primary key");
        await noMistakes(all, path);
        await Promise.all(all.map((tab) => tab("close", path)));
        equal(await all[0]("open", path, options), found);
      }
    });
  },

  async a_tab_goes_on_when_another_was_killed() {
    await withTabs(2, async ([first, second], profile) => {
      await first("open", "killed");
      await second("open", "killed");
      await first("write", "killed", [{ _id: "by the killed" }]);
      await profile.crash(first.page);
      await second("write", "killed", [{ _id: "by the other" }]);
      equal((await second("shown", "killed")).notes.length, 2);
      const third = await tabIn(profile);
      equal((await third("open", "killed")).notes.length, 2);
      await noMistakes([second, third], "killed");
    });
  },

  async a_realm_that_was_closed_and_is_opened_at_once_catches_up_with_other_tabs() {
    await withTabs(2, async ([first, second]) => {
      const path = "closed-meanwhile";
      await second("open", path);
      await first("open", path);
      await first("write", path, [{ _id: "a" }]);
      await first("close", path);
      await second("write", path, [{ _id: "b" }]);
      await first("openAtOnce", path);
      await first("writeAtOnce", path, [{ _id: "c" }]);
      await agree([first, second], path, ({ notes }) => notes.length === 3);
      await noMistakes([first, second], path);
    });
  },

  async a_tab_that_only_reads_sees_what_others_write() {
    await withTabs(2, async ([first, second]) => {
      await first("open", "read-only");
      await first("write", "read-only", [{ _id: "a" }]);
      await second("open", "read-only", { readOnly: true });
      await first("write", "read-only", [{ _id: "b" }]);
      await agree([first, second], "read-only", ({ notes }) => notes.length === 2);
    });
  },

  async a_realm_cannot_be_deleted_while_another_tab_has_it_open() {
    await withTabs(2, async ([first, second]) => {
      await first("open", "deleted");
      const error = await second("attemptToDelete", "deleted");
      equal(error?.code, "RealmOpenElsewhere");
      isTrue(
        error.message.includes("/deleted") && error.message.includes("another tab"),
        `words, not ${error.message}`,
      );
      await first("write", "deleted", [{ _id: "still there" }]);
      equal((await second("open", "deleted")).notes.length, 1);
      await first("close", "deleted");
      await second("close", "deleted");
      equal(await second("attemptToDelete", "deleted"), undefined);
      equal(await second("exists", "deleted"), false);
      await until("the other tab to know", async () => !(await first("exists", "deleted")));
      equal((await first("open", "deleted")).notes, []);
    });
  },

  async a_database_that_is_deleted_under_running_tabs_is_an_error_in_each() {
    await withTabs(2, async (all, profile) => {
      const path = "deleted-under";
      for (const tab of all) await tab("open", path);
      await all[0]("write", path, [{ _id: "a" }]);
      await agree(all, path, ({ notes }) => notes.length === 1);
      const other = await profile.page();
      await other.evaluate((name) => indexedDB.deleteDatabase(name), `ebbtide:/${path}`);
      for (const tab of all) {
        const [error] = await until("the app to be told", async () => {
          const { errors } = await tab("heard", path);
          return errors.length > 0 && errors;
        });
        equal(error.code, "StoreClosed");
        equal((await tab("shown", path)).notes.length, 1);
        equal((await tab("attemptToWrite", path, "b"))?.code, "StoreClosed");
      }
    });
  },

  async classes_and_properties_that_a_newer_tab_adds_do_not_disturb_an_older_one() {
    await withTabs(2, async ([older, newer]) => {
      const path = "additive";
      await older("open", path);
      await older("write", path, [{ _id: "by the older" }]);
      await newer("open", path, { schemaVersion: 1, extraClass: true, extraProperty: true });
      await newer("write", path, [{ _id: "by the newer", color: "red" }]);
      await agree([older, newer], path, ({ notes }) => notes.length === 2);
      await older("write", path, [{ _id: "by the older again" }, { _id: "by the newer", text: "edited" }]);
      await agree([older, newer], path, ({ notes }) => notes.length === 3);
      await noMistakes([older, newer], path);
      const colors = () =>
        newer.page.evaluate(async () => {
          const { default: Realm } = await import("/dist/index.js");
          const realm = await Realm.open({ path: "additive" });
          const color = realm.objectForPrimaryKey("Note", "by the newer").color;
          realm.close();
          return color;
        });
      equal(await colors(), "red");
    });
  },

  async a_tab_of_an_older_version_is_told_when_a_newer_one_has_migrated() {
    await withTabs(2, async ([older, newer], profile) => {
      const path = "migrated";
      await older("open", path);
      await older("write", path, [{ _id: "a", text: "words" }]);
      await newer("open", path, { schemaVersion: 1, breaking: true });
      const [error] = await until("the older tab to be told", async () => {
        const { errors } = await older("heard", path);
        return errors.length > 0 && errors;
      });
      equal([error.name, error.code], ["StorageError", "Outdated"]);
      isTrue(error.message.includes("later version"), `words, not ${error.message}`);
      equal((await older("shown", path)).notes, [["a", "words", 0, []]]);
      equal((await older("attemptToWrite", path, "b"))?.code, "Outdated");
      equal((await newer("shown", path)).notes, [["a", "WORDS", 0, []]]);
      await newer.page.close();
      const again = await tabIn(profile);
      equal((await again("open", path, { schemaVersion: 1, breaking: true })).notes, [["a", "WORDS", 0, []]]);
      isTrue((await older("attemptToOpen", `${path}`)) === undefined, "what is open here to stay open");
    });
  },

  async without_web_locks_a_second_tab_is_told_why_it_cannot_open_a_realm() {
    await withTabs(1, async ([first], profile) => {
      await first("open", "no-locks");
      const hook = () => Object.defineProperty(Navigator.prototype, "locks", { value: undefined });
      const second = await tabIn(profile, { hook });
      const error = await second("attemptToOpen", "no-locks");
      equal(error?.code, "RealmOpenElsewhere");
      isTrue(error.message.includes("Web Locks"), `words, not ${error.message}`);
      await first("close", "no-locks");
      await second("open", "no-locks");
      await second("write", "no-locks", [{ _id: "alone" }]);
      const third = await tabIn(profile, { hook });
      equal((await third("attemptToOpen", "no-locks"))?.code, "RealmOpenElsewhere");
      await second("write", "no-locks", [{ _id: "still alone" }]);
      await noMistakes([second], "no-locks");
    });
  },

  async without_channels_a_second_tab_is_told_why_it_cannot_open_a_realm() {
    await withTabs(0, async (_, profile) => {
      const hook = () => {
        Reflect.deleteProperty(globalThis, "BroadcastChannel");
      };
      const [first, second] = [await tabIn(profile, { hook }), await tabIn(profile, { hook })];
      await first("open", "no-channels");
      const error = await second("attemptToOpen", "no-channels");
      equal(error?.code, "RealmOpenElsewhere");
      isTrue(error.message.includes("BroadcastChannel"), `words, not ${error.message}`);
      await first("write", "no-channels", [{ _id: "alone" }]);
      await first("close", "no-channels");
      equal((await second("open", "no-channels")).notes.length, 1);
    });
  },

  async tabs_with_different_realms_do_not_disturb_each_other() {
    await withTabs(2, async ([first, second]) => {
      await first("open", "one");
      await second("open", "two");
      await Promise.all([first("write", "one", [{ _id: "a" }]), second("write", "two", [{ _id: "b" }])]);
      equal((await first("shown", "one")).notes, [["a", "", 0, []]]);
      equal((await second("shown", "two")).notes, [["b", "", 0, []]]);
    });
  },
});

/** In a page: counts how often it tells others that it has written. */
function countSaid() {
  globalThis.said = 0;
  const { postMessage } = BroadcastChannel.prototype;
  BroadcastChannel.prototype.postMessage = function (message) {
    if (message?.kind === "written") globalThis.said += 1;
    return postMessage.call(this, message);
  };
}
