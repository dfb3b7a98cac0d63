// Pages that the browser keeps while somebody is elsewhere, for the way back.
import { Browser } from "./support/devtools.mjs";
import { Profile } from "./support/profile.mjs";
import { equal, isTrue, keep, until } from "./support/promises.mjs";
import { control, fresh, info } from "./support/stage.mjs";
import { agree, deviceOf, heardOnce, leads, noMistakes, sessionIs, takesLead, withPages } from "./support/tabs.mjs";

const { appId, serverUrl, proxyUrl } = await info();
const direct = { appId, baseUrl: serverUrl };
const viaProxy = { appId, baseUrl: proxyUrl };
const browser = new Browser();
const elsewhere = await Profile.create();
const device = deviceOf(elsewhere, direct);

await keep({
  async a_leader_that_is_left_is_kept_hands_over_and_is_in_step_when_somebody_comes_back() {
    const realm = fresh("kept-leader");
    return withPages(browser, async (leader, follower, late) => {
      for (const tab of [leader, follower]) await tab("openSynced", direct, realm);
      await leader("write", realm, [{ _id: "before" }]);
      await leader("session", realm, "uploadAllLocalChanges", 10000);
      await agree([leader, follower], realm, ({ notes }) => notes.length === 1);
      equal([await leads(leader, realm), await leads(follower, realm)], [true, false]);
      const { told } = await leader("heard", realm);
      const afterMs = await takesLead(follower, realm, () => leader.page.leave());
      await follower("write", realm, [{ _id: "before", text: "edited" }, { _id: "by the follower" }]);
      await follower("session", realm, "uploadAllLocalChanges", 10000);
      await device(realm, async (other) => {
        await other("write", realm, [{ _id: "by another device" }]);
        await other("session", realm, "uploadAllLocalChanges", 10000);
      });
      // One who comes meanwhile finds a realm that is open, and does not drive the page that was left away.
      await late("openSynced", direct, realm);
      await late("write", realm, [{ _id: "by who came late" }]);
      await follower("session", realm, "downloadAllServerChanges", 10000);
      equal(await leader.page.back(), [], "why the page was not kept");
      await agree([leader, follower, late], realm, ({ notes }) => notes.length === 4);
      const heard = await leader("heard", realm);
      equal(heard.told.slice(told.length), [[3, 0, 1]], "what the listener was told of what it has missed");
      equal([await leads(leader, realm), await leads(follower, realm)], [false, true]);
      await leader("write", realm, [{ _id: "back again" }]);
      await leader("session", realm, "uploadAllLocalChanges", 10000);
      await agree([leader, follower, late], realm, ({ notes }) => notes.length === 5);
      await noMistakes([leader, follower, late], realm);
      await device(realm, async (other) => equal((await other("shown", realm)).notes.length, 5));
      return `the lead after ${afterMs} ms`;
    });
  },

  async a_page_without_company_leads_again_and_uploads_what_it_wrote_before_it_was_left() {
    const realm = fresh("kept-alone");
    await withPages(browser, async (tab) => {
      await tab("openSynced", direct, realm);
      await tab("session", realm, "uploadAllLocalChanges", 10000);
      // It is left in the middle of the transaction.
      await tab("writeAtOnce", realm, [{ _id: "on the way out" }]);
      await tab.page.leave();
      equal(await tab.page.back(), [], "why the page was not kept");
      await until("the lead", () => leads(tab, realm));
      await tab("write", realm, [{ _id: "back again" }]);
      await tab("session", realm, "uploadAllLocalChanges", 10000);
      await heardOnce(tab, realm, ["on the way out", "back again"]);
      await noMistakes([tab], realm);
      await device(realm, async (other) => equal((await other("shown", realm)).notes.length, 2));
    });
  },

  async a_follower_that_was_left_gets_the_answer_that_the_leader_gave_meanwhile() {
    const realm = fresh("kept-follower");
    await withPages(browser, async (leader, follower) => {
      for (const tab of [leader, follower]) await tab("openSynced", viaProxy, realm);
      await leader("session", realm, "uploadAllLocalChanges", 10000);
      await control("proxy/cut");
      try {
        await sessionIs(follower, realm, { isConnected: false });
        await device(realm, async (other) => {
          await other("write", realm, [{ _id: "by another device" }]);
          await other("session", realm, "uploadAllLocalChanges", 10000);
        });
        await follower("beginSession", realm, "downloadAllServerChanges");
        await follower.page.leave();
      } finally {
        await control("proxy/pass");
      }
      await leader("session", realm, "reconnect");
      await leader("session", realm, "downloadAllServerChanges", 10000);
      equal(await follower.page.back(), [], "why the page was not kept");
      await follower("endSession", realm);
      await agree([leader, follower], realm, ({ notes }) => notes.length === 1);
      equal([await leads(leader, realm), await leads(follower, realm)], [true, false]);
      await noMistakes([leader, follower], realm);
    });
  },

  async a_page_that_was_left_hears_of_realms_that_came_and_went() {
    await withPages(browser, async (left, other) => {
      await left("open", "gone");
      await left("write", "gone", [{ _id: "a" }]);
      await left("close", "gone");
      await left.page.leave();
      await other("attemptToDelete", "gone");
      await other("open", "come");
      equal(await left.page.back(), [], "why the page was not kept");
      await until("the page to know", async () => (await left("exists", "come")) && !(await left("exists", "gone")));
      equal((await left("openAtOnce", "gone")).notes, []);
      await other("open", "later");
      await until("the page to hear of another", () => left("exists", "later"));
    });
  },

  async a_page_that_is_left_is_in_nobodys_way() {
    await withPages(browser, async (left, other) => {
      await left("open", "in-the-way");
      await left("write", "in-the-way", [{ _id: "a" }]);
      await left.page.leave();
      equal(await other("attemptToDelete", "in-the-way"), undefined);
      isTrue((await left.page.back()).length > 0, "a page that was thrown away");
      equal((await left("open", "in-the-way")).notes, []);
    });
  },

  async a_page_that_was_not_kept_is_loaded_anew_and_has_everything() {
    const realm = fresh("not-kept");
    const forgetful = new Browser(["--disable-features=BackForwardCache"]);
    await withPages(forgetful, async (leader, follower) => {
      for (const tab of [leader, follower]) await tab("openSynced", direct, realm);
      await leader("write", realm, [{ _id: "by the leader" }]);
      await takesLead(follower, realm, () => leader.page.leave());
      await follower("write", realm, [{ _id: "by the follower" }]);
      isTrue((await leader.page.back()).length > 0, "a page that was not kept");
      await leader("openSynced", direct, realm);
      await leader("write", realm, [{ _id: "back again" }]);
      await leader("session", realm, "uploadAllLocalChanges", 10000);
      await agree([leader, follower], realm, ({ notes }) => notes.length === 3);
      await noMistakes([leader, follower], realm);
      await device(realm, async (other) => equal((await other("shown", realm)).notes.length, 3));
    });
    await forgetful.end();
  },
});
await browser.end();
await elsewhere.end();
