// Several tabs on one realm: how long it takes from a write in one of them until the listener of another is called.
import { call, Profile } from "../tests/e2e/support/profile.mjs";
import { fresh } from "../tests/e2e/support/stage.mjs";
import { median } from "./support/figures.mjs";
import { RUNS } from "./support/options.mjs";

const PAGE = "/bench/support/tabs-page.js";
const WRITES = 200;
const MANY = 10_000;

/** How many tabs, of which the first writes, and how many objects are there before. */
const settings = [
  { words: "2 tabs", tabs: 2, objects: 0 },
  { words: "6 tabs", tabs: 6, objects: 0 },
  { words: `2 tabs, a realm of ${MANY.toLocaleString("en")} objects`, tabs: 2, objects: MANY },
  { words: "a tab and its worker", tabs: 1, objects: 0 },
];

console.log(`${RUNS} runs of ${WRITES} writes, one after the other; each in a fresh profile`);
for (const setting of settings) {
  const found = [];
  for (let run = 0; run < RUNS; run++) found.push(await measure(setting));
  const all = found.flat().sort((a, b) => a - b);
  row(
    `from a write to another tab's listener, ${setting.words}: median`,
    median(all),
    found.map((run) => median(run)),
  );
  row(
    `from a write to another tab's listener, ${setting.words}: 99 %`,
    percentile(all),
    found.map((run) => percentile([...run].sort((a, b) => a - b))),
  );
}

/** The times of all writes and all listeners but the writer's own, in milliseconds. */
async function measure({ tabs, objects }) {
  const profile = await Profile.create();
  try {
    const path = fresh("bench-tabs");
    const pages = [];
    for (let index = 0; index < tabs; index++) pages.push(await profile.page());
    for (const page of pages) await call(page, PAGE, "open", path, objects);
    if (tabs === 1) await call(pages[0], PAGE, "openWorker", path);
    const written = await call(pages[0], PAGE, "write", WRITES);
    const heard =
      tabs === 1
        ? [await call(pages[0], PAGE, "heardInWorker", WRITES)]
        : await Promise.all(pages.slice(1).map((page) => call(page, PAGE, "heard", WRITES)));
    return heard.flatMap((moments) => moments.map((moment, index) => moment - written[index]));
  } finally {
    await profile.end();
  }
}

function percentile(sorted) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))];
}

function row(name, value, runs) {
  console.log(JSON.stringify({ name, value, unit: "ms", spread: [Math.min(...runs), Math.max(...runs)] }));
}
