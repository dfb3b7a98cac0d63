// Tabs in the background, whose timers the browser slows down: to one a second at once, and after a while those that are set
// by timers to one a minute.
import { Browser } from "./support/devtools.mjs";
import { Profile } from "./support/profile.mjs";
import { equal, keep, until } from "./support/promises.mjs";
import { control, fresh, info } from "./support/stage.mjs";
import { agree, deviceOf, leads, noMistakes, sessionIs, withPages } from "./support/tabs.mjs";

/** The while after which timers that are set by timers run once a minute: one second, and not five minutes. */
const THROTTLED = ["--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1/grace_period_seconds_loaded/1"];

const { appId, serverUrl, proxyUrl } = await info();
const direct = { appId, baseUrl: serverUrl };
const viaProxy = { appId, baseUrl: proxyUrl };
const browser = new Browser(THROTTLED);
const elsewhere = await Profile.create();
const device = deviceOf(elsewhere, direct);

await keep({
  async a_hidden_leader_uploads_and_downloads_for_all_tabs_though_its_timers_stand_still() {
    const realm = fresh("hidden-leader");
    await withPages(browser, async (leader, follower) => {
      for (const tab of [leader, follower]) await tab("openSynced", direct, realm);
      await stands(leader, follower);
      for (const [index, tab] of [leader, follower].entries()) await tab("write", realm, [{ _id: `by ${index}` }]);
      for (const tab of [leader, follower]) await tab("session", realm, "uploadAllLocalChanges");
      await device(realm, async (other) => {
        equal((await other("shown", realm)).notes.length, 2);
        await other("write", realm, [{ _id: "by another device" }]);
        await other("session", realm, "uploadAllLocalChanges", 10000);
      });
      for (const tab of [leader, follower]) await tab("session", realm, "downloadAllServerChanges");
      await agree([leader, follower], realm, ({ notes }) => notes.length === 3);
      equal([await leads(leader, realm), await leads(follower, realm)], [true, false]);
      await noMistakes([leader, follower], realm);
    });
  },

  async a_hidden_leader_that_loses_its_connection_has_another_before_its_next_slow_timer() {
    const realm = fresh("hidden-cut");
    await withPages(browser, async (leader, follower) => {
      for (const tab of [leader, follower]) await tab("openSynced", viaProxy, realm);
      await follower("session", realm, "uploadAllLocalChanges");
      await stands(leader, follower);
      // The second time would be a whole minute after the first if slow timers were waited for: longer than a script's patience.
      for (let round = 0; round < 2; round++) {
        await control("proxy/drop");
        await follower("write", realm, [{ _id: `round ${round}` }]);
        await follower("session", realm, "uploadAllLocalChanges");
      }
      equal([await leads(leader, realm), await leads(follower, realm)], [true, false]);
      await noMistakes([leader, follower], realm);
    });
  },

  async a_hidden_follower_has_what_others_write_and_is_in_step_when_it_is_shown() {
    const realm = fresh("hidden-follower");
    await withPages(browser, async (follower, leader) => {
      for (const tab of [leader, follower]) await tab("openSynced", direct, realm);
      await stands(follower, leader);
      await leader("scribble", realm, "leader", 20);
      await follower("write", realm, [{ _id: "by the hidden" }]);
      await follower("session", realm, "uploadAllLocalChanges");
      await device(realm, async (other) => {
        await other("write", realm, [{ _id: "by another device" }]);
        await other("session", realm, "uploadAllLocalChanges", 10000);
      });
      await follower("session", realm, "downloadAllServerChanges");
      const isAll = ({ notes }) => notes.length === 23;
      const hidden = await agree([leader, follower], realm, isAll);
      equal(await follower("visibility"), "hidden");
      await follower.page.show();
      await until("the follower to be seen", async () => (await follower("visibility")) === "visible");
      equal(await agree([leader, follower], realm, isAll), hidden, "what the follower shows when it is seen");
      await follower("write", realm, [{ _id: "by the shown" }]);
      await follower("session", realm, "uploadAllLocalChanges");
      await agree([leader, follower], realm, ({ notes }) => notes.length === 24);
      await noMistakes([leader, follower], realm);
    });
  },

  async a_tab_that_is_shown_has_the_hidden_leader_connect_again() {
    const realm = fresh("shown");
    await withPages(browser, async (leader, follower, front) => {
      await leader("prepareTimers");
      for (const tab of [leader, follower]) await tab("openSynced", viaProxy, realm);
      await follower("session", realm, "uploadAllLocalChanges");
      await control("proxy/cut");
      try {
        await sessionIs(follower, realm, { isConnected: false });
        // From now on the leader does not try again by itself.
        await leader("stopTimers");
        await sessionIs(leader, realm, { connectionState: "disconnected" });
        await follower("write", realm, [{ _id: "waits" }]);
      } finally {
        await control("proxy/pass");
      }
      equal([await follower("visibility"), await front("visibility")], ["hidden", "visible"]);
      await follower.page.show();
      await follower("session", realm, "uploadAllLocalChanges");
      equal([await leads(leader, realm), await leads(follower, realm)], [true, false]);
      await noMistakes([leader, follower], realm);
    });
  },
});
await browser.end();
await elsewhere.end();

/** Waits until the timers of a hidden page stand still: one a second would be seen while those of one in front fire so often. */
async function stands(hidden, front) {
  equal([await hidden("visibility"), await front("visibility")], ["hidden", "visible"]);
  let [slow, quick] = [await hidden("ticked"), await front("ticked")];
  await until("the hidden page's timers to stand still", async () => {
    const now = [await hidden("ticked"), await front("ticked")];
    if (now[0] === slow) return now[1] - quick > 600;
    [slow, quick] = now;
    return false;
  });
}
