// A discardLocal reset of a realm with 10,000 objects of which 1 % differ: download, plan, swap, notify.
import { call, Profile } from "../tests/e2e/support/profile.mjs";
import { control, fresh, info } from "../tests/e2e/support/stage.mjs";
import { median, RUNS, row } from "./support/figures.mjs";

const PAGE = "/bench/support/reset-page.js";
const OBJECTS = 10_000;
const DIFFERENT = 100;

const { appId, serverUrl: baseUrl } = await info();
const heard = [];
const unheard = [];
for (let run = 0; run < RUNS; run++) {
  heard.push(await measure(run, true));
  unheard.push(await measure(run, false));
}

console.log(
  `a realm of 10,000 objects, ${DIFFERENT} differ on the server; medians of ${RUNS} runs, each in a fresh profile`,
);
const of = (runs, step) => runs.map((run) => run[step]);
row("reset, 1 % of 10,000 differ: download", of(heard, "download"));
const plan = row("reset, 1 % of 10,000 differ: plan", of(unheard, "plan"));
row("reset, 1 % of 10,000 differ: plan, and the listener is told", of(heard, "plan"));
console.log(
  JSON.stringify({
    name: "reset, 1 % of 10,000 differ: notify (the difference)",
    value: median(of(heard, "plan")) - plan,
    unit: "ms",
  }),
);
row("reset, 1 % of 10,000 differ: swap, until durable", of(heard, "swap"));
row("reset, 1 % of 10,000 differ: altogether", of(heard, "whole"));

async function measure(run, listening) {
  const profile = await Profile.create();
  try {
    const page = await profile.page();
    const partition = fresh(`bench-reset-${run}-${listening ? "heard" : "unheard"}`);
    const options = { appId, baseUrl, partition, count: OBJECTS, different: DIFFERENT, listening };
    await call(page, PAGE, "prepare", options);
    await control("server/terminate-sync", { realm: `s_${partition}` });
    const found = await call(page, PAGE, "run");
    if (found.changed !== DIFFERENT) throw new Error(`${found.changed} objects changed, not ${DIFFERENT}`);
    return found;
  } finally {
    await profile.end();
  }
}
