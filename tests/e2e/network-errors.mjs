// What goes wrong on the way to the server, and in the server, loses nothing and doubles nothing.
import { call, Profile } from "./support/profile.mjs";
import { equal, isTrue, keep, until } from "./support/promises.mjs";
import { control, fresh, info, query } from "./support/stage.mjs";

const CLIENT = "/tests/e2e/support/synced-client.js";
const DISK = "/tests/e2e/support/disk.js";
const OVERSIZE = 5 * 1024 * 1024;
/** A PING goes out 25 s after the last at the latest, and its answer is waited for 10 s. */
const HALF_OPEN_MS = 40000;

const { appId, serverUrl, proxyUrl } = await info();
const direct = { appId, baseUrl: serverUrl };
const viaProxy = { appId, baseUrl: proxyUrl };
const profile = await Profile.create();

await keep({
  garbage_from_the_server_ends_the_connection_and_nothing_else: () =>
    disturbedBy("garbage-down", [{ direction: "down", hex: "ffdeadbeef00" }]),

  an_empty_frame_from_the_server_ends_the_connection_and_nothing_else: () =>
    disturbedBy("empty-down", [{ direction: "down", hex: "" }]),

  an_oversize_frame_from_the_server_ends_the_connection_and_nothing_else: () =>
    disturbedBy("oversize-down", [{ direction: "down", size: OVERSIZE }]),

  bytes_from_the_server_that_are_no_frame_end_the_connection_and_nothing_else: () =>
    disturbedBy("raw-down", [{ direction: "down", hex: "ff00ff00ff00ff00", raw: true }]),

  garbage_from_a_client_ends_its_connection_and_nothing_else: () =>
    disturbedBy("garbage-up", [{ direction: "up", hex: "ffdeadbeef00" }]),

  an_oversize_frame_from_a_client_ends_its_connection_and_nothing_else: () =>
    disturbedBy("oversize-up", [{ direction: "up", size: OVERSIZE }]),

  bytes_from_a_client_that_are_no_frame_end_its_connection_and_nothing_else: () =>
    disturbedBy("raw-up", [{ direction: "up", hex: "ff00ff00ff00ff00", raw: true }]),

  async a_lost_acknowledgement_changes_nothing_twice() {
    await onPage(viaProxy, "lost-ack", async (run, realm) => {
      await run("write", realm, [{ _id: "a", text: "tagged", tags: [] }]);
      await run("uploaded", realm);
      const { head } = await stateOf(realm);
      const { lostDown } = await control("proxy/blackhole-down");
      await run("tag", realm, "a", "once");
      await until("a lost answer", async () => (await control("proxy/state")).lostDown > lostDown);
      // What was lost first may have been another answer than the one to the change.
      await until("the change on the server", async () => (await stateOf(realm)).head > head);
      equal((await stateOf(realm)).head, head + 1, "the server's version, with the change in it");
      await control("proxy/pass");
      await run("reconnect", realm);
      await run("uploaded", realm);
      await run("downloaded", realm);
      equal((await stateOf(realm)).head, head + 1, "the server's version after the change was sent again");
      equal(await run("read", realm), [["a", "tagged", 0, "once"]]);
      await sameOnServer(run, realm);
    });
  },

  async a_half_open_connection_is_given_up_and_nothing_is_lost() {
    await onPage(viaProxy, "half-open", async (run, realm) => {
      await run("write", realm, [{ _id: "a", text: "before" }]);
      await run("uploaded", realm);
      await control("proxy/blackhole-up");
      await run("write", realm, [{ _id: "b", text: "into the void" }]);
      await until(
        "the end of the silent connection",
        async () => (await run("connections", realm)).past.includes("disconnected"),
        HALF_OPEN_MS,
      );
      await control("proxy/pass");
      await run("reconnect", realm);
      await run("uploaded", realm);
      await sameOnServer(run, realm);
    });
  },

  async a_wrong_token_is_an_error_that_the_app_sees_and_loses_nothing() {
    const realm = fresh("wrong-token");
    await withProfile(async (strange) => {
      const page = await strange.page();
      const first = (name, ...args) => call(page, CLIENT, name, ...args);
      await first("open", direct, realm);
      await first("write", realm, [{ _id: "a", text: "with the right token" }]);
      await first("uploaded", realm);
      await first("close", realm);
      const wrong = { accessToken: "not.a.token", refreshToken: "not.a.token" };
      isTrue((await call(page, DISK, "changeUsers", wrong)) > 0, "users to be changed");
      await page.reload();
      await first("open", direct, realm);
      await first("write", realm, [{ _id: "b", text: "with the wrong token" }]);
      await first("durable", realm);
      const [error] = await until("the app to be told", async () => {
        const told = await first("told", realm);
        return told.length > 0 && told;
      });
      isTrue(error.message.length > 0, "words");
      equal((await first("read", realm)).length, 2, "the notes that can be read");
      equal((await serverContents(realm)).length, 1, "the notes on the server");
      return `code ${error.code}, "${error.message}"`;
    });
  },

  async a_server_that_comes_later_gets_what_was_written_without_it() {
    await onPage(direct, "comes-later", async (run, realm, page) => {
      await run("write", realm, [{ _id: "a", text: "with the server" }]);
      await run("uploaded", realm);
      await run("close", realm);
      await control("server/stop");
      try {
        await page.reload();
        await run("open", direct, realm);
        equal(await run("read", realm), [["a", "with the server", 0, ""]]);
        await run("write", realm, [{ _id: "b", text: "without the server" }]);
        await run("durable", realm);
        const late = await run("attempt", "uploaded", realm, 300);
        isTrue(late?.message.includes("300 ms"), `a timeout, not ${JSON.stringify(late)}`);
        // A realm that is not on disk cannot be opened fully, and says so in time.
        const behavior = { type: "downloadBeforeOpen", timeOut: 500, timeOutBehavior: "throwException" };
        const refused = await run("attempt", "open", direct, `${realm}-new`, behavior);
        isTrue(refused?.message.includes("could not be downloaded"), `a timeout, not ${JSON.stringify(refused)}`);
        const login = await run("attempt", "logIn", direct);
        equal(login?.code, "Network", `the code of ${JSON.stringify(login)}`);
      } finally {
        await control("server/start");
      }
      await run("uploaded", realm);
      await sameOnServer(run, realm);
      await run("open", direct, `${realm}-new`, { type: "downloadBeforeOpen" });
      equal(await run("read", `${realm}-new`), []);
    });
  },

  async a_server_killed_in_the_middle_of_an_upload_has_every_change_once() {
    const count = 300;
    return await onPage(direct, "killed", async (run, realm) => {
      await run("write", realm, [{ _id: "start", text: "before" }]);
      await run("uploaded", realm);
      const { head } = await stateOf(realm);
      await run("pause", realm);
      const notes = Array.from({ length: count }, (_, index) => ({ _id: `note-${index}`, text: "x".repeat(2000) }));
      await run("write", realm, notes);
      await run("durable", realm);
      await run("resume", realm);
      const heads = [];
      while (heads.length < 3) {
        const before = heads.at(-1) ?? head;
        await until("some of the upload", async () => (await stateOf(realm)).head > before);
        await control("server/kill");
        await control("server/start");
        heads.push((await stateOf(realm)).head);
        if (heads.at(-1) === head + count) break;
        await run("reconnect", realm);
      }
      await run("uploaded", realm);
      await run("downloaded", realm);
      equal((await stateOf(realm)).head, head + count, "the server's version");
      await sameOnServer(run, realm);
      return `killed with ${heads.map((seen) => seen - head)} of ${count} changesets on its disk`;
    });
  },
});
await profile.end();

/** Writes and uploads before and after something strange was put between two frames. */
async function disturbedBy(name, injections) {
  await onPage(viaProxy, name, async (run, realm) => {
    await run("write", realm, [{ _id: "a", text: "before" }]);
    await run("uploaded", realm);
    for (const injection of injections) {
      await control("proxy/inject", injection);
    }
    await until("the end of the connection", async () =>
      (await run("connections", realm)).past.includes("disconnected"),
    );
    await run("write", realm, [{ _id: "b", text: "after" }]);
    await run("durable", realm);
    await run("reconnect", realm);
    await run("uploaded", realm);
    await run("downloaded", realm);
    equal(await run("read", realm), [
      ["a", "before", 0, ""],
      ["b", "after", 0, ""],
    ]);
    await sameOnServer(run, realm);
    equal(await run("sessionState", realm), "active");
    const told = await run("told", realm);
    isTrue(
      told.every(({ name }) => name !== "ClientReset"),
      `no client reset: ${JSON.stringify(told)}`,
    );
  });
}

/** A page with a synced realm open; the proxy lets everything through before and after. */
async function onPage(server, name, use) {
  const realm = fresh(name);
  await control("proxy/pass");
  const page = await profile.page();
  const run = (name, ...args) => call(page, CLIENT, name, ...args);
  try {
    await run("open", server, realm);
    return await use(run, realm, page);
  } finally {
    await control("proxy/pass");
    await page.close();
  }
}

async function withProfile(use) {
  const other = await Profile.create();
  try {
    return await use(other);
  } finally {
    await other.end();
  }
}

async function sameOnServer(run, realm) {
  equal(await serverContents(realm), await run("read", realm), "the server's state");
}

async function serverContents(realm) {
  const { objects } = await query("server/objects", { realm: `s_${realm}`, class: "Note" });
  const rows = objects.map((note) => [note._id, note.text, note.rank, note.tags.join(" ")]);
  return rows.sort(([a], [b]) => (a < b ? -1 : 1));
}

async function stateOf(realm) {
  return (await query("server/state", { realm: `s_${realm}` })).realms[0];
}
