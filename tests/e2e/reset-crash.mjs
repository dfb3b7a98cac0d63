// Kills the page, or the whole browser, at every place where a client reset changes IndexedDB, and opens the realm again.
import { Lookout, MOMENTS, watchForCrashPoint } from "./support/crash-points.mjs";
import { call, Profile } from "./support/profile.mjs";
import { equal, isTrue, keep, within } from "./support/promises.mjs";
import { control, fresh, info, query } from "./support/stage.mjs";

const CLIENT = "/tests/e2e/support/reset-client.js";
const PATIENCE_MS = 20000;

const { appId, serverUrl: baseUrl } = await info();
const server = { appId, baseUrl };
const lookout = await Lookout.open();

/** The end of a page, and what is left of the profile. */
const ENDS = {
  page: (profile, page) => profile.crash(page),
  browser: async (profile) => {
    await profile.kill();
    await profile.start();
  },
};

/** One reset: which function lives through it, and which looks at the realm afterwards. */
const IN_PLACE = { name: "in-place", run: "resetInPlace", look: "afterReset", check: checkInPlace };
const BY_HAND = { name: "by-hand", run: "resetByHand", look: "afterResetByHand", check: checkByHand };

await keep(
  {
    a_page_killed_anywhere_in_a_reset_leaves_the_old_store_or_the_new_one: () => everyPlace(IN_PLACE, "page"),
    a_browser_killed_anywhere_in_a_reset_leaves_the_old_store_or_the_new_one: () => everyPlace(IN_PLACE, "browser"),
    a_page_killed_anywhere_on_the_manual_path_loses_no_unsynced_change: () => everyPlace(BY_HAND, "page"),
    a_browser_killed_anywhere_on_the_manual_path_loses_no_unsynced_change: () => everyPlace(BY_HAND, "browser"),
  },
  { patienceMs: 240000 },
);
lookout.close();

/** Crashes at each place in each moment; gives the number of crashes in words. */
async function everyPlace(story, end) {
  const profile = await Profile.create();
  try {
    const places = await placesOf(profile, story, end);
    const wanted = places.flatMap((name, at) => MOMENTS.map((moment) => ({ name, at, moment })));
    const moments = end === "page" ? wanted : wanted.filter(({ moment }) => moment === "committing");
    const partitions = moments.map(({ at, moment }) => partitionOf(story, end, at, moment));
    const states = await onPage(profile, undefined, (page) => call(page, CLIENT, "prepare", server, partitions));
    const seen = [];
    for (const [index, point] of moments.entries()) {
      const partition = partitions[index];
      if (!(await crashAt(profile, story, ENDS[end], partition, point))) continue;
      const found = await onPage(profile, undefined, (page) => call(page, CLIENT, story.look, server, partition));
      const where = `${point.moment}, place ${point.at} (${point.name})`;
      seen.push({ where, state: await story.check(partition, states, found, where) });
    }
    checkOrder(seen);
    return `${seen.length} crashes at ${places.length} places`;
  } finally {
    await profile.end();
  }
}

/** A run without a crash, which shows where one can be. */
async function placesOf(profile, story, end) {
  const partition = partitionOf(story, end, 0, "none");
  const states = await onPage(profile, undefined, (page) => call(page, CLIENT, "prepare", server, [partition]));
  await control("server/terminate-sync", { realm: `s_${partition}` });
  const { places } = await onPage(profile, {}, (page) => call(page, CLIENT, story.run, server, partition));
  const found = await onPage(profile, undefined, (page) => call(page, CLIENT, story.look, server, partition));
  await story.check(partition, states, found, "without a crash");
  isTrue(places.length > 0, "places at which IndexedDB changes");
  return places;
}

/** Runs into one crash point; false if the run ends without having come by. */
async function crashAt(profile, story, end, partition, { at, moment }) {
  await control("server/terminate-sync", { realm: `s_${partition}` });
  const stopped = lookout.reached(partition);
  const page = await profile.page({
    hook: watchForCrashPoint,
    argument: { at, moment, url: `${lookout.url}${partition}` },
  });
  const ended = call(page, CLIENT, story.run, server, partition);
  // The call of a page that is killed fails, which is what is wanted.
  ended.catch(() => undefined);
  const outcome = Promise.race([stopped.then(() => "stopped"), ended.then(() => "ended")]);
  const how = await within(PATIENCE_MS, `${moment}, place ${at}`, outcome);
  if (how === "ended") {
    await page.close();
    return false;
  }
  await end(profile, page);
  return true;
}

async function onPage(profile, crashPoint, use) {
  const page = await profile.page(crashPoint ? { hook: watchForCrashPoint, argument: crashPoint } : {});
  try {
    return await within(PATIENCE_MS * 2, "a page's work", use(page));
  } finally {
    await page.close();
  }
}

async function checkInPlace(partition, { old, fresh: wanted }, { first, last, calls }, where) {
  equal(
    calls.filter((name) => name !== "before" && name !== "after"),
    [],
    `${where}: errors`,
  );
  const withoutMark = first.filter(([key]) => key !== "after" && key !== "later");
  const shown = JSON.stringify(withoutMark);
  const isOld = shown === JSON.stringify(old);
  isTrue(isOld || shown === JSON.stringify(wanted), `${where}: the old or the new state, not ${shown}`);
  await checkEnd(partition, wanted, last, where);
  return isOld ? "old" : "new";
}

async function checkByHand(partition, { old, fresh: wanted }, { last, calls, backups }, where) {
  equal(
    calls.filter((name) => name !== "ClientReset"),
    [],
    `${where}: errors`,
  );
  equal(backups, [old], `${where}: the backups`);
  await checkEnd(partition, wanted, last, where);
  return "kept";
}

/** The reset has come to its end: the server's state and what was written since, on both sides, once. */
async function checkEnd(partition, wanted, last, where) {
  const since = (rows) => rows.filter(([key]) => key !== "after" && key !== "later");
  equal(since(last), wanted, `${where}: the state after the reset`);
  isTrue(
    last.some(([key]) => key === "later"),
    `${where}: what was written after the reset`,
  );
  equal(await serverContents(partition), last, `${where}: the server's state`);
}

async function serverContents(partition) {
  const [notes, ballast] = await Promise.all(
    ["Note", "Ballast"].map((name) => query("server/objects", { realm: `s_${partition}`, class: name })),
  );
  const rows = notes.objects.map((note) => [note._id, note.text, note.rank, note.tags.join(" ")]);
  const others = ballast.objects.map(({ _id, filler }) => [_id, filler.length]);
  return [...rows, ...others].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Once a crash has found the new state, no later one finds the old. */
function checkOrder(seen) {
  const firstNew = seen.findIndex(({ state }) => state === "new");
  const late = firstNew < 0 ? undefined : seen.slice(firstNew).find(({ state }) => state === "old");
  isTrue(late === undefined, `no old state after a new one: ${late?.where}`);
}

function partitionOf(story, end, at, moment) {
  return fresh(`crash-${story.name}-${end}-${at}-${moment}`);
}
