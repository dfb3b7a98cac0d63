// Tabs that the browser freezes and wakes up.
import { Browser } from "./support/devtools.mjs";
import { equal, keep } from "./support/promises.mjs";
import { fresh, info } from "./support/stage.mjs";
import { agree, leads, noMistakes, takesLead, withPages } from "./support/tabs.mjs";

const { appId, serverUrl } = await info();
const server = { appId, baseUrl: serverUrl };
const browser = new Browser();

await keep({
  async when_the_leaders_tab_is_frozen_another_leads_within_a_second_and_the_first_follows_later() {
    const realm = fresh("frozen-leader");
    return withPages(browser, async (leader, follower) => {
      for (const tab of [leader, follower]) await tab("openSynced", server, realm);
      await leader("write", realm, [{ _id: "by the leader" }]);
      equal([await leads(leader, realm), await leads(follower, realm)], [true, false]);
      const afterMs = await takesLead(follower, realm, () => leader.page.become("frozen"));
      await follower("write", realm, [{ _id: "while it was frozen" }]);
      await follower("session", realm, "uploadAllLocalChanges", 10000);
      await leader.page.become("active");
      await agree([leader, follower], realm, ({ notes }) => notes.length === 2);
      await leader("write", realm, [{ _id: "by the one that was frozen" }]);
      await leader("session", realm, "uploadAllLocalChanges", 10000);
      await agree([leader, follower], realm, ({ notes }) => notes.length === 3);
      equal([await leads(leader, realm), await leads(follower, realm)], [false, true]);
      await noMistakes([leader, follower], realm);
      return `after ${afterMs} ms`;
    });
  },

  async a_frozen_tab_takes_many_changes_in_as_one_when_it_wakes_up() {
    await withPages(browser, async (sleeper, writer) => {
      for (const tab of [writer, sleeper]) await tab("open", "asleep");
      await writer("makeBoard", "asleep");
      await agree([sleeper, writer], "asleep", ({ boards }) => boards.length === 1);
      await sleeper.page.become("frozen");
      await writer("hammer", "asleep", "writer", 30);
      // Enough for the writer's log to become pages.
      const text = "x".repeat(100_000);
      for (let index = 0; index < 30; index++) await writer("write", "asleep", [{ _id: `large ${index}`, text }]);
      await sleeper.page.become("active");
      await agree([sleeper, writer], "asleep", ({ notes }) => notes.length > 30);
      equal((await sleeper("heard", "asleep")).told.length, 1, "calls of the listener");
      await sleeper("hammer", "asleep", "sleeper", 5);
      await agree([sleeper, writer], "asleep", ({ marks }) => marks.length === 35);
      await noMistakes([sleeper, writer], "asleep");
    });
  },

  async a_tab_that_was_frozen_before_it_led_does_not_lead_while_it_is() {
    const realm = fresh("frozen-follower");
    await withPages(browser, async (leader, sleeper, third) => {
      for (const tab of [leader, sleeper, third]) await tab("openSynced", server, realm);
      await sleeper.page.become("frozen");
      await takesLead(third, realm, () => leader("close", realm));
      await third("write", realm, [{ _id: "a" }]);
      await third("session", realm, "uploadAllLocalChanges", 10000);
      await sleeper.page.become("active");
      await agree([sleeper, third], realm, ({ notes }) => notes.length === 1);
      equal([await leads(sleeper, realm), await leads(third, realm)], [false, true]);
    });
  },
});
await browser.end();
