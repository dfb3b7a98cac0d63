// Two tabs of one origin want the same realm.
import { call, Profile } from "./support/profile.mjs";
import { equal, isTrue, keep } from "./support/promises.mjs";

const CLIENT = "/tests/e2e/support/local-client.js";

const profile = await Profile.create();

await keep({
  async a_second_tab_gets_a_typed_error_and_the_first_goes_on() {
    await twoTabs("typed-error", async (first, second, path) => {
      const error = await second("attemptToOpen", path);
      equal(error.code, "RealmOpenElsewhere");
      isTrue(
        error.message.includes(`/${path}`) && error.message.includes("another tab"),
        `words, not ${error.message}`,
      );
      await first("write", path, [{ _id: "b", text: "after the refusal" }]);
      equal(await first("read", path), [
        ["a", "made by the first"],
        ["b", "after the refusal"],
      ]);
      equal(await first("told", path), []);
    });
  },

  async a_second_tab_opens_when_the_first_has_closed() {
    await twoTabs("closed", async (first, second, path) => {
      await first("close", path);
      equal(await second("open", path), [["a", "made by the first"]]);
    });
  },

  async an_opening_waits_for_a_tab_that_is_about_to_close() {
    await twoTabs("about-to-close", async (first, second, path) => {
      const opening = second("open", path);
      await first("close", path);
      equal(await opening, [["a", "made by the first"]]);
    });
  },

  async a_second_tab_opens_when_the_first_was_killed() {
    await twoTabs("killed", async (_first, second, path, page) => {
      equal((await second("attemptToOpen", path)).code, "RealmOpenElsewhere");
      await profile.crash(page);
      equal(await second("open", path), [["a", "made by the first"]]);
    });
  },

  async a_reloaded_tab_opens_its_realm_again() {
    await twoTabs("reloaded", async (first, _second, path, page) => {
      await page.reload();
      equal(await first("open", path), [["a", "made by the first"]]);
    });
  },

  async a_second_tab_cannot_delete_what_the_first_has_open() {
    await twoTabs("deleted", async (first, second, path) => {
      equal((await second("attemptToDelete", path)).code, "RealmOpenElsewhere");
      await first("write", path, [{ _id: "b", text: "still there" }]);
      await first("close", path);
      equal((await second("open", path)).length, 2);
      await second("close", path);
      equal(await second("attemptToDelete", path), undefined);
      equal(await second("exists", path), false);
    });
  },

  async tabs_with_different_realms_do_not_disturb_each_other() {
    await twoTabs("different", async (first, second, path) => {
      equal(await second("open", `${path}-other`), []);
      await Promise.all([
        first("write", path, [{ _id: "b", text: "one" }]),
        second("write", `${path}-other`, [{ _id: "c", text: "two" }]),
      ]);
      equal(await second("read", `${path}-other`), [["c", "two"]]);
    });
  },
});
await profile.end();

/** Two tabs; the first has a realm with one note open. */
async function twoTabs(path, use) {
  const pages = [await profile.page(), await profile.page()];
  const [first, second] = pages.map(
    (page) =>
      (name, ...args) =>
        call(page, CLIENT, name, ...args),
  );
  try {
    await first("open", path);
    await first("write", path, [{ _id: "a", text: "made by the first" }]);
    await use(first, second, path, pages[0]);
  } finally {
    await Promise.all(pages.map((page) => page.close()));
  }
}
