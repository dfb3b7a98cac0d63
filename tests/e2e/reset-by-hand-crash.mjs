// Kills the page, or the whole browser, at every place where the manual path of a client reset changes IndexedDB: copy,
// verify, clear, download.
import { checkEnd, crashEverywhere } from "./support/crash-story.mjs";
import { equal, keep } from "./support/promises.mjs";

const byHand = { name: "by-hand", run: "resetByHand", look: "afterResetByHand", check, hasBallast: false };

await keep(
  {
    a_page_killed_anywhere_on_the_manual_path_loses_no_unsynced_change: () =>
      crashEverywhere({ ...byHand, end: "page", moments: ["begun", "issued", "complete"] }),
    a_browser_killed_anywhere_on_the_manual_path_loses_no_unsynced_change: () =>
      crashEverywhere({ ...byHand, end: "browser", moments: ["committing"] }),
  },
  { patienceMs: 300000 },
);

function check(realm, { last, calls, backups }) {
  const { old, where } = realm;
  const errors = calls.filter((name) => name !== "ClientReset");
  equal(errors, [], `${where}: errors`);
  equal(backups, [old], `${where}: the backups`);
  checkEnd(realm, last);
  return "kept";
}
