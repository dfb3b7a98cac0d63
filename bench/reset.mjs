// A discardLocal reset of a realm with 10,000 objects of which 1 % differ: download, plan, swap, notify.
import { call, Profile } from "../tests/e2e/support/profile.mjs";
import { control, fresh, info } from "../tests/e2e/support/stage.mjs";
import { row } from "./support/figures.mjs";
import { RUNS } from "./support/options.mjs";

const PAGE = "/bench/support/reset-page.js";
const OBJECTS = 10_000;
const DIFFERENT = 100;

const { appId, serverUrl: baseUrl } = await info();
const steps = {
  download: "download and decode",
  plan: "plan, with the difference",
  notify: "notify one listener of 10,000",
  swap: "swap, until durable",
  whole: "altogether",
};
const found = [];
for (let run = 0; run < RUNS; run++) found.push(await measure(run));

console.log(
  `a realm of 10,000 objects, ${DIFFERENT} differ on the server; medians of ${RUNS} runs, each in a fresh profile`,
);
for (const [step, words] of Object.entries(steps)) {
  row(
    `reset, 1 % of 10,000 differ: ${words}`,
    found.map((run) => run[step]),
  );
}

async function measure(run) {
  const profile = await Profile.create();
  try {
    const page = await profile.page();
    const partition = fresh(`bench-reset-${run}`);
    const options = { appId, baseUrl, partition, count: OBJECTS, different: DIFFERENT };
    await call(page, PAGE, "prepare", options);
    await control("server/terminate-sync", { realm: `s_${partition}` });
    const times = await call(page, PAGE, "run");
    if (times.changed !== DIFFERENT) throw new Error(`${times.changed} objects changed, not ${DIFFERENT}`);
    return times;
  } finally {
    await profile.end();
  }
}
