// Tabs whose network goes away and comes back.
import { Profile } from "./support/profile.mjs";
import { equal, keep, until } from "./support/promises.mjs";
import { control, fresh, info, query } from "./support/stage.mjs";
import { agree, deviceOf, heardOnce, leads, noMistakes, sessionIs, withTabs } from "./support/tabs.mjs";

const { appId, serverUrl, proxyUrl } = await info();
const direct = { appId, baseUrl: serverUrl };
const viaProxy = { appId, baseUrl: proxyUrl };
const elsewhere = await Profile.create();
const device = deviceOf(elsewhere, direct);

await keep({
  async tabs_that_were_offline_connect_when_the_network_is_back_and_upload_once() {
    const cut = () => control("proxy/cut");
    const mend = () => control("proxy/pass");
    await goOfflineAndComeBack("offline", cut, mend);
  },

  async a_server_that_was_gone_is_tried_again_when_the_network_is_back() {
    const stop = () => control("server/stop");
    const start = () => control("server/start");
    await goOfflineAndComeBack("offline-server", stop, start);
  },

  async tabs_that_are_opened_offline_are_in_step_when_the_network_comes() {
    const realm = fresh("opened-offline");
    await withTabs(2, async ([first, second], profile) => {
      await first("openSynced", viaProxy, realm);
      await first("write", realm, [{ _id: "online" }]);
      await first("session", realm, "uploadAllLocalChanges");
      await first("close", realm);
      const all = [first, second];
      for (const tab of all) await tab("prepareTimers");
      await profile.setOffline(true);
      for (const tab of all) await tab("openSynced", viaProxy, realm);
      for (const [index, tab] of all.entries()) await tab("write", realm, [{ _id: `offline ${index}` }]);
      await agree(all, realm, ({ notes }) => notes.length === 3);
      await standStill(all, realm);
      await profile.setOffline(false);
      for (const tab of all) await tab("session", realm, "uploadAllLocalChanges");
      await device(realm, async (other) => equal((await other("shown", realm)).notes.length, 3));
      await noMistakes(all, realm);
    });
  },

  async a_connection_that_may_be_dead_is_probed_when_any_tab_hears_of_the_network() {
    const realm = fresh("probed");
    await withTabs(2, async ([leader, follower]) => {
      const all = [leader, follower];
      for (const tab of all) await opened(tab, realm);
      await leader("session", realm, "uploadAllLocalChanges");
      for (const tab of all) await tab("stopTimers");
      const { lostUp } = await control("proxy/blackhole-up");
      try {
        await follower("tellOnline");
        await until("a question to the server", async () => (await control("proxy/state")).lostUp > lostUp);
      } finally {
        await control("proxy/pass");
      }
      await sessionIs(follower, realm, { isConnected: false });
      await follower("write", realm, [{ _id: "a" }]);
      await follower("tellOnline");
      await follower("session", realm, "uploadAllLocalChanges");
      equal([await leads(leader, realm), await leads(follower, realm)], [true, false]);
    });
  },
});
await elsewhere.end();

/** Two tabs write while they have no network, and timers of theirs bring about nothing. */
async function goOfflineAndComeBack(name, take, give) {
  const realm = fresh(name);
  await withTabs(2, async (all, profile) => {
    const [leader, follower] = all;
    for (const tab of all) await opened(tab, realm);
    await leader("write", realm, [{ _id: "before", text: "online" }]);
    await leader("session", realm, "uploadAllLocalChanges");
    await agree(all, realm, ({ notes }) => notes.length === 1);
    const { head } = await stateOf(realm);
    await profile.setOffline(true);
    await take();
    try {
      for (const tab of all) {
        await sessionIs(tab, realm, { isConnected: false });
        equal(await tab("isOnline"), false);
      }
      for (const [index, tab] of all.entries()) {
        await tab("write", realm, [{ _id: `offline ${index}` }]);
        await tab("write", realm, [{ _id: "before", text: `offline ${index}` }]);
      }
      await agree(all, realm, ({ notes }) => notes.length === 3);
      await standStill(all, realm);
    } finally {
      await give();
    }
    await device(realm, async (other) => {
      await other("write", realm, [{ _id: "by another device" }]);
      await other("session", realm, "uploadAllLocalChanges", 10000);
    });
    const { accepted } = await control("proxy/state");
    await profile.setOffline(false);
    for (const tab of all) await tab("session", realm, "uploadAllLocalChanges");
    for (const tab of all) await tab("session", realm, "downloadAllServerChanges");
    const shown = await agree(all, realm, ({ notes }) => notes.length === 4);
    equal(shown.notes[0], ["before", "offline 1", 0, []], "what was written last");
    equal((await control("proxy/state")).accepted, accepted + 1, "connections that were made");
    equal(
      (await stateOf(realm)).head,
      head + 5,
      "the server's version: four transactions of the tabs, one of the device",
    );
    for (const tab of all) {
      await heardOnce(tab, realm, ["before", "offline 0", "offline 1", "by another device"]);
      const { connections } = await tab("heard", realm);
      equal(connections.at(-1), "connected");
    }
    equal([await leads(leader, realm), await leads(follower, realm)], [true, false]);
    await noMistakes(all, realm);
    await device(realm, async (other) => equal((await other("shown", realm)).notes, shown.notes));
  });
}

/** Opens the realm in a tab whose timers can be stopped. */
async function opened(tab, realm) {
  await tab("prepareTimers");
  await tab("openSynced", viaProxy, realm);
}

/** From now on the tabs try nothing by themselves. */
async function standStill(tabs, realm) {
  for (const tab of tabs) await tab("stopTimers");
  for (const tab of tabs) {
    await sessionIs(tab, realm, { connectionState: "disconnected" });
  }
}

async function stateOf(realm) {
  return (await query("server/state", { realm: `s_${realm}` })).realms[0];
}
