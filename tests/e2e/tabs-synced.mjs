// Several tabs and workers of one origin on one synced realm: one of them speaks to the server, whatever becomes of it.
import { equal, isTrue, keep, until, within } from "./support/promises.mjs";
import { control, fresh, info } from "./support/stage.mjs";
import {
  agree,
  heardOnce,
  leads,
  noMistakes,
  sessionIs,
  tabIn,
  takesLead,
  withTabs,
  workerOf,
} from "./support/tabs.mjs";

/** Two pings of three seconds without an answer, and what a busy machine needs. */
const SEIZURE_MS = 12000;

const { appId, serverUrl, proxyUrl } = await info();
const direct = { appId, baseUrl: serverUrl };
const viaProxy = { appId, baseUrl: proxyUrl };

await keep({
  async tabs_share_one_connection_and_what_any_of_them_or_the_server_has() {
    const realm = fresh("tabs-shared");
    await withTabs(2, async ([first, second]) => {
      const all = [first, second, workerOf(second)];
      await first("openSynced", viaProxy, realm);
      await connected(first, realm);
      const { accepted } = await control("proxy/state");
      for (const tab of all.slice(1)) await tab("openSynced", viaProxy, realm);
      for (const tab of all) await connected(tab, realm);
      for (const [index, tab] of all.entries()) await tab("write", realm, [{ _id: `by ${index}` }]);
      for (const tab of all) await tab("session", realm, "uploadAllLocalChanges", 10000);
      await withTabs(1, async ([device]) => {
        equal(
          (await opened(device, realm)).map(([key]) => key),
          ["by 0", "by 1", "by 2"],
        );
        await device("write", realm, [{ _id: "by another device" }]);
        await device("session", realm, "uploadAllLocalChanges", 10000);
      });
      for (const tab of all) await tab("session", realm, "downloadAllServerChanges", 10000);
      await agree(all, realm, ({ notes }) => notes.length === 4);
      for (const tab of all) await heardOnce(tab, realm, ["by 0", "by 1", "by 2", "by another device"]);
      await noMistakes(all, realm);
      equal((await control("proxy/state")).accepted, accepted, "connections that were made");
    });
  },

  async tabs_that_log_in_at_the_same_moment_or_one_after_the_other_are_one_user() {
    await withTabs(4, async ([first, second, third, fourth]) => {
      // All have read who is there, nobody, before the first logs in.
      for (const tab of [first, second, third, fourth]) await tab("begin");
      const [one, other, inWorker] = await Promise.all(
        [first, second, workerOf(third)].map((tab) => tab("userId", direct)),
      );
      equal([other, inWorker, await fourth("userId", direct)], [one, one, one]);
    });
  },

  async a_follower_that_downloads_has_what_the_server_had_when_it_asked() {
    const realm = fresh("tabs-asked");
    await withTabs(2, async ([leader, follower]) => {
      for (const tab of [leader, follower]) await tab("openSynced", direct, realm);
      await connected(follower, realm);
      await withTabs(1, async ([device]) => {
        await device("openSynced", direct, realm);
        for (let round = 0; round < 5; round++) {
          await device("write", realm, [{ _id: `round ${round}` }]);
          await device("session", realm, "uploadAllLocalChanges", 10000);
          await follower("session", realm, "downloadAllServerChanges", 10000);
          equal((await follower("shown", realm)).notes.length, round + 1);
        }
      });
    });
  },

  async a_follower_reports_the_progress_of_its_uploads() {
    const realm = fresh("tabs-progress");
    await withTabs(2, async ([leader, follower]) => {
      for (const tab of [leader, follower]) await tab("openSynced", direct, realm);
      await connected(follower, realm);
      await follower("writeAtOnce", realm, [{ _id: "a", text: "x".repeat(20000) }]);
      const reports = await within(10000, "the upload", follower("progress", realm, "upload"));
      const [done, all] = reports.at(-1);
      isTrue(done === all && all > 1000, `an upload that is complete, not ${JSON.stringify(reports)}`);
      await leader("session", realm, "uploadAllLocalChanges", 10000);
    });
  },

  async tabs_that_write_at_the_same_moment_while_another_device_does_end_equal() {
    const realm = fresh("tabs-busy");
    await withTabs(2, async ([first, second]) => {
      const all = [first, second, workerOf(first)];
      for (const tab of all) await tab("openSynced", direct, realm);
      await withTabs(1, async ([device]) => {
        await device("openSynced", direct, realm);
        await Promise.all([...all, device].map((tab, index) => tab("scribble", realm, `tab ${index}`, 40)));
        for (const tab of [...all, device]) await tab("session", realm, "uploadAllLocalChanges", 20000);
        for (const tab of [...all, device]) await tab("session", realm, "downloadAllServerChanges", 20000);
        const { notes } = await agree([...all, device], realm, (shown) => shown.notes.length === 161);
        const [, , rank, tags] = notes.find(([key]) => key === "shared");
        equal([rank, tags.length, new Set(tags).size], [0, 160, 160], "a list that all have written to");
        await noMistakes([...all, device], realm);
      });
    });
  },

  async when_the_leader_closes_the_realm_another_tab_leads_within_a_second() {
    return handsOver("closed", (leader, realm) => leader("close", realm));
  },

  async when_the_leaders_tab_is_closed_another_leads_within_a_second() {
    return handsOver("tab-closed", (leader) => leader.page.close());
  },

  async when_the_leaders_tab_crashes_another_leads_within_a_second() {
    return handsOver("crashed", (leader, _realm, profile) => profile.crash(leader.page));
  },

  async a_leader_that_does_not_answer_loses_the_lead_to_a_tab_that_waits() {
    const realm = fresh("tabs-hung");
    await withTabs(2, async ([leader, follower]) => {
      for (const tab of [leader, follower]) await tab("openSynced", direct, realm);
      await connected(follower, realm);
      const woken = leader("block", 15000);
      await follower("write", realm, [{ _id: "waits for the server" }]);
      const start = performance.now();
      await follower("session", realm, "uploadAllLocalChanges", SEIZURE_MS);
      const took = performance.now() - start;
      equal(await leads(follower, realm), true);
      await woken;
      const both = [leader, follower];
      await leader("write", realm, [{ _id: "by the one that hung" }]);
      await leader("session", realm, "uploadAllLocalChanges", 10000);
      await agree(both, realm, ({ notes }) => notes.length === 2);
      equal([await leads(leader, realm), await leads(follower, realm)], [false, true]);
      await noMistakes(both, realm);
      return `after ${(took / 1000).toFixed(1)} s`;
    });
  },

  async a_session_that_one_tab_pauses_is_paused_for_all_and_whoever_leads_next() {
    const realm = fresh("tabs-paused");
    await withTabs(2, async ([leader, follower], profile) => {
      for (const tab of [leader, follower]) await tab("openSynced", direct, realm);
      await connected(follower, realm);
      await follower("session", realm, "pause");
      for (const tab of [leader, follower]) await sessionIs(tab, realm, { state: "inactive" });
      const late = await tabIn(profile);
      await late("openSynced", direct, realm);
      await sessionIs(late, realm, { state: "inactive" });
      await leader.page.close();
      await until("another leader", () => leads(follower, realm));
      await late("write", realm, [{ _id: "while paused" }]);
      equal((await follower("sessionState", realm)).state, "inactive");
      await late("session", realm, "resume");
      await late("session", realm, "uploadAllLocalChanges", 10000);
      for (const tab of [follower, late]) await sessionIs(tab, realm, { state: "active", isConnected: true });
    });
  },

  async every_tab_is_told_of_the_connection_and_of_errors() {
    const realm = fresh("tabs-told");
    await withTabs(2, async ([leader, follower]) => {
      for (const tab of [leader, follower]) await tab("openSynced", viaProxy, realm);
      for (const tab of [leader, follower]) await connected(tab, realm);
      await control("proxy/cut");
      for (const tab of [leader, follower]) {
        await sessionIs(tab, realm, { isConnected: false });
      }
      await control("proxy/pass");
      await follower("session", realm, "reconnect");
      for (const tab of [leader, follower]) await connected(tab, realm);
      await follower("session", realm, "_simulateError", 210, "as if", "SyncError", false);
      for (const tab of [leader, follower]) {
        const errors = await until("the error", async () => {
          const heard = await tab("heard", realm);
          return heard.errors.length > 0 && heard.errors;
        });
        equal(
          errors.map(({ message }) => message),
          ["as if"],
        );
      }
    });
  },

  async a_client_reset_is_one_change_for_every_tab_and_one_call_for_its_callbacks() {
    const realm = fresh("tabs-reset");
    await withTabs(2, async ([leader, follower]) => {
      const all = [leader, follower, workerOf(follower)];
      for (const tab of all) await tab("openSynced", direct, realm, { mode: "discardUnsyncedChanges" });
      const notes = Array.from({ length: 20 }, (_, index) => ({ _id: `note ${String(index).padStart(2, "0")}` }));
      await leader("write", realm, notes);
      for (const tab of all) await tab("session", realm, "uploadAllLocalChanges", 10000);
      for (const tab of all) await tab("session", realm, "downloadAllServerChanges", 10000);
      await agree(all, realm, (shown) => shown.notes.length === 20);
      await follower("session", realm, "pause");
      for (const tab of all) await sessionIs(tab, realm, { state: "inactive" });
      await follower("write", realm, [{ _id: "note 00", text: "lost" }, { _id: "never sent" }]);
      await agree(all, realm, (shown) => shown.notes.length === 21);
      await withTabs(1, async ([device]) => {
        await opened(device, realm);
        await device("write", realm, [{ _id: "note 01", text: "elsewhere" }, { _id: "new elsewhere" }]);
        await device("session", realm, "uploadAllLocalChanges", 10000);
      });
      await control("server/terminate-sync", { realm: `s_${realm}` });
      const told = await Promise.all(all.map(async (tab) => (await tab("heard", realm)).told.length));
      await follower("session", realm, "resume");
      const shown = await agree(all, realm, (shown) => shown.notes.some(([key]) => key === "new elsewhere"));
      equal(shown.notes.length, 21);
      for (const [index, tab] of all.entries()) {
        const heard = await tab("heard", realm);
        equal(heard.told.slice(told[index]), [[1, 1, 2]], "what the listener was told of the reset");
        equal(heard.resets, index === 0 ? ["before", "after"] : [], "calls of the callbacks");
      }
      await noMistakes(all, realm);
      await follower("write", realm, [{ _id: "afterwards" }]);
      await follower("session", realm, "uploadAllLocalChanges", 10000);
      await agree(all, realm, (shown) => shown.notes.length === 22);
    });
  },

  async a_reset_by_hand_is_done_once_when_every_tab_has_asked_for_it() {
    const realm = fresh("tabs-by-hand");
    await withTabs(2, async (all) => {
      for (const tab of all) await tab("openSynced", direct, realm, { mode: "manual" });
      await all[1]("write", realm, [{ _id: "a" }]);
      await all[1]("session", realm, "uploadAllLocalChanges", 10000);
      await all[0]("session", realm, "pause");
      for (const tab of all) await sessionIs(tab, realm, { state: "inactive" });
      await control("server/terminate-sync", { realm: `s_${realm}` });
      await all[1]("session", realm, "resume");
      for (const tab of all) {
        const [error] = await until("the error", async () => {
          const { errors } = await tab("heard", realm);
          return errors.length > 0 && errors;
        });
        equal(error.name, "ClientReset");
      }
      const backups = await Promise.all(all.map((tab) => tab("resetByHand", direct, realm)));
      equal(new Set(backups).size, 1, `one backup, not ${backups}`);
      for (const tab of all) await tab("openSynced", direct, realm, { mode: "manual" });
      for (const tab of all) await tab("session", realm, "downloadAllServerChanges", 10000);
      await agree(all, realm, ({ notes }) => notes.length === 1);
    });
  },

  async a_browser_that_is_killed_comes_back_with_everything_that_was_on_disk() {
    const realm = fresh("tabs-browser-killed");
    await withTabs(2, async (all, profile) => {
      for (const tab of all) await tab("openSynced", viaProxy, realm);
      for (const tab of all) await connected(tab, realm);
      await control("proxy/cut");
      for (const [index, tab] of all.entries()) await tab("write", realm, [{ _id: `by ${index}` }]);
      await profile.kill();
      await profile.start();
      await control("proxy/pass");
      const again = [await tabIn(profile), await tabIn(profile)];
      for (const tab of again) await tab("openSynced", viaProxy, realm);
      for (const tab of again) await tab("session", realm, "uploadAllLocalChanges", 20000);
      await agree(again, realm, ({ notes }) => notes.length === 2);
      await withTabs(1, async ([device]) => equal((await opened(device, realm)).length, 2));
    });
  },
});

/**
 * Two tabs, of which the first leads and has written what the server does not have. `end` ends its lead: then the other has
 * it soon, and uploads what was on disk.
 */
async function handsOver(name, end) {
  const realm = fresh(`tabs-${name}`);
  return withTabs(2, async ([leader, follower], profile) => {
    for (const tab of [leader, follower]) await tab("openSynced", viaProxy, realm);
    for (const tab of [leader, follower]) await connected(tab, realm);
    equal([await leads(leader, realm), await leads(follower, realm)], [true, false]);
    await control("proxy/cut");
    try {
      await leader("write", realm, [{ _id: "by the leader" }]);
      await follower("write", realm, [{ _id: "by the follower" }]);
      const afterMs = await takesLead(follower, realm, () => end(leader, realm, profile));
      await control("proxy/pass");
      await follower("session", realm, "reconnect");
      await follower("session", realm, "uploadAllLocalChanges", 15000);
      await withTabs(1, async ([device]) => {
        equal(
          (await opened(device, realm)).map(([key]) => key),
          ["by the follower", "by the leader"],
        );
      });
      await noMistakes([follower], realm);
      return `after ${afterMs} ms`;
    } finally {
      await control("proxy/pass");
    }
  });
}

/** Opens a realm with what the server has; gives its notes. */
async function opened(tab, realm) {
  await tab("openSynced", direct, realm);
  await tab("session", realm, "downloadAllServerChanges", 10000);
  return (await tab("shown", realm)).notes;
}

function connected(tab, realm) {
  return sessionIs(tab, realm, { connectionState: "connected", isConnected: true });
}
