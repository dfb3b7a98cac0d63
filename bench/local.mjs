// Creating 10,000 objects in one write, and opening a realm that has them, beside a product and a reference.
import { call, Profile } from "../tests/e2e/support/profile.mjs";
import { RUNS, ratio, row } from "./support/figures.mjs";

const PAGE = "/bench/support/local-page.js";
const OBJECTS = 10_000;
const CONTENDERS = ["ebbtide", "dexie", "packed"];
const NAMES = { ebbtide: "Ebbtide", dexie: "Dexie", packed: "packed chunks (reference)" };

const found = Object.fromEntries(CONTENDERS.map((name) => [name, { visible: [], durable: [], opened: [] }]));
for (let run = 0; run < RUNS; run++) {
  // Turn about, so that a machine that grows slower or faster favours nobody.
  for (const name of run % 2 === 0 ? CONTENDERS : CONTENDERS.toReversed()) {
    for (const [step, value] of Object.entries(await measure(name))) found[name][step].push(value);
  }
}

console.log(`10,000 objects of 7 fields; medians of ${RUNS} runs, each in a fresh profile`);
const steps = {
  visible: "create 10,000 in one write, in memory",
  durable: "create 10,000 in one write, until durable",
  opened: "open with 10,000, until the first query is answered",
};
const medians = {};
for (const [step, words] of Object.entries(steps)) {
  for (const name of CONTENDERS) {
    // What Dexie has inserted cannot be read before it is durable.
    if (step === "visible" && name === "dexie") continue;
    medians[`${step} ${name}`] = row(`${words}: ${NAMES[name]}`, found[name][step]);
  }
}
for (const step of ["durable", "opened"]) {
  for (const name of ["dexie", "packed"]) {
    ratio(`${steps[step]}: Ebbtide / ${NAMES[name]}`, medians[`${step} ebbtide`], medians[`${step} ${name}`]);
  }
}

async function measure(name) {
  const profile = await Profile.create();
  try {
    const inserted = await onPage(profile, "insert", name);
    await profile.restart();
    return { ...inserted, ...(await onPage(profile, "open", name)) };
  } finally {
    await profile.end();
  }
}

async function onPage(profile, step, name) {
  const page = await profile.page();
  try {
    return await call(page, PAGE, step, name, OBJECTS);
  } finally {
    await page.close();
  }
}
