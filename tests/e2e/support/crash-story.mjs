// A reset that is crashed everywhere: prepares a realm, stops its page at a place, kills it there, and looks at the realm
// afterwards in another page; then the same with the next place.
import { Lookout, momentsOf, watchForCrashPoint } from "./crash-points.mjs";
import { call, Profile } from "./profile.mjs";
import { equal, isTrue, within } from "./promises.mjs";
import { control, fresh, info, query } from "./stage.mjs";

const CLIENT = "/tests/e2e/support/reset-client.js";
const PATIENCE_MS = 20000;

/** The end of a page, and what becomes of the profile. */
const ENDS = {
  page: (profile, page) => profile.crash(page),
  browser: async (profile) => {
    await profile.kill();
    await profile.start();
  },
};

const { appId, serverUrl: baseUrl } = await info();
const server = { appId, baseUrl };

/**
 * Crashes at each place in each of these moments. `run` and `look` name functions of the pages, `check(realm, found)` gives
 * which state was found. Returns the number of crashes in words.
 */
export async function crashEverywhere({ name, run, look, check, hasBallast, end, moments }) {
  const profile = await Profile.create();
  const lookout = await Lookout.open();
  const seen = [];
  let page;
  const here = (what, ...args) => within(PATIENCE_MS, what, call(page, CLIENT, what, server, ...args));
  try {
    page = await profile.page({ hook: watchForCrashPoint });
    const users = await here("logIn");

    /** Prepares a realm and lets it be reset; says whether it was stopped, and else what it came by. */
    const attempt = async (at, moment) => {
      const partition = fresh(`crash-${name}-${end}-${at}-${moment}`);
      const states = await here("prepare", users, partition, hasBallast);
      await control("server/terminate-sync", { realm: `s_${partition}` });
      await page.evaluate((target) => crashPoints.arm(target), { at, moment, url: `${lookout.url}${partition}` });
      const ended = here(run, partition);
      // The call of a page that is killed fails, which is what is wanted.
      ended.catch(() => undefined);
      const stopped = await Promise.race([lookout.reached(partition).then(() => true), ended.then(() => false)]);
      const found = { realm: { partition, ...states }, stopped };
      if (stopped) return found;
      await ended;
      return { ...found, places: await page.evaluate(() => crashPoints.disarm()) };
    };
    const examine = async (realm, where) => {
      const found = await here(look, realm.partition);
      return check({ ...realm, where, serverRows: await rowsOfServer(realm.partition) }, found);
    };

    // A run without a crash shows where one can be.
    const { realm, places } = await attempt(-1, "never");
    await examine(realm, "without a crash");
    isTrue(places.length > 0, "places at which IndexedDB changes");
    for (let at = 0; at < places.length; at++) {
      for (const moment of momentsOf(places[at]).filter((moment) => moments.includes(moment))) {
        const where = `${moment}, place ${at} (${places[at]})`;
        const outcome = await attempt(at, moment);
        if (!outcome.stopped) {
          // This run took another course; the places that it came by beyond those known are to be tried too.
          places.push(...outcome.places.slice(places.length));
          continue;
        }
        await ENDS[end](profile, page);
        page = await profile.page({ hook: watchForCrashPoint });
        seen.push({ where, isWrite: !places[at].startsWith("call "), state: await examine(outcome.realm, where) });
      }
    }
    checkOrder(seen);
    const states = [...new Set(seen.map(({ state }) => state))];
    const found = states.map((state) => `${seen.filter((crash) => crash.state === state).length} ${state}`);
    return `${seen.length} crashes at ${places.length} places: ${found.join(", ")}`;
  } finally {
    lookout.close();
    await profile.end();
  }
}

/** Once a crash has found the new state, no later one finds the old. Callbacks run while the disk is still at work. */
function checkOrder(seen) {
  const writes = seen.filter(({ isWrite }) => isWrite);
  const firstNew = writes.findIndex(({ state }) => state === "new");
  const late = firstNew < 0 ? undefined : writes.slice(firstNew).find(({ state }) => state === "old");
  isTrue(late === undefined, `no old state after a new one: ${late?.where}`);
}

const isSince = ([key]) => key === "after" || key === "later";

/** A state without what was written after the reset. */
export function withoutSince(rows) {
  return rows.filter((row) => !isSince(row));
}

/** The reset has come to its end: the server's state and what was written since, on both sides, once. */
export function checkEnd({ wanted, where, serverRows }, last) {
  equal(withoutSince(last), wanted, `${where}: the state after the reset`);
  const later = last.filter(([key]) => key === "later");
  equal(later, [["later", "sync goes on", 0, ""]], `${where}: what was written after the reset`);
  equal(serverRows, last, `${where}: the server's state`);
}

async function rowsOfServer(partition) {
  const [notes, ballast] = await Promise.all(
    ["Note", "Ballast"].map((name) => query("server/objects", { realm: `s_${partition}`, class: name })),
  );
  const rows = notes.objects.map((note) => [note._id, note.text, note.rank, note.tags.join(" ")]);
  const others = ballast.objects.map(({ _id, filler }) => [_id, filler.length]);
  return [...rows, ...others].sort(([a], [b]) => (a < b ? -1 : 1));
}
