// Kills the page, or the whole browser, at every place where a client reset in place changes IndexedDB.
import { checkEnd, crashEverywhere, withoutSince } from "./support/crash-story.mjs";
import { equal, isTrue, keep } from "./support/promises.mjs";

const inPlace = { name: "in-place", run: "resetInPlace", look: "afterReset", check, hasBallast: true };

await keep(
  {
    a_page_killed_anywhere_in_a_reset_leaves_the_old_store_or_the_new_one_and_carries_on: () =>
      crashEverywhere({ ...inPlace, end: "page", moments: ["begun", "issued", "complete"] }),
    a_browser_killed_anywhere_in_a_reset_leaves_the_old_store_or_the_new_one_and_carries_on: () =>
      crashEverywhere({ ...inPlace, end: "browser", moments: ["committing"] }),
  },
  { patienceMs: 240000 },
);

function check(realm, { first, last, calls }) {
  const { old, wanted, where } = realm;
  const errors = calls.filter((name) => name !== "before" && name !== "after");
  equal(errors, [], `${where}: errors`);
  const shown = JSON.stringify(withoutSince(first));
  const isOld = shown === JSON.stringify(old);
  isTrue(isOld || shown === JSON.stringify(wanted), `${where}: the old or the new state, not ${shown}`);
  checkEnd(realm, last);
  return isOld ? "old" : "new";
}
