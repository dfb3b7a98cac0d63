// Collections of 1,000, 10,000 and 100,000 elements: nothing may grow faster than n log n.
import fs from "node:fs";
import { Browser, run, within } from "./support/browser.mjs";
import { bundlePage, PAGES } from "./support/bundle.mjs";
import { contender } from "./support/contenders.mjs";
import { figure, summaryOf } from "./support/figures.mjs";
import { RUNS } from "./support/options.mjs";
import { output } from "./support/output.mjs";
import { serve } from "./support/serve.mjs";

const SIZES = [1_000, 10_000, 100_000];
const PATIENCE_MS = 300_000;
/** What a busy machine may add. */
const TOLERANCE = 1.5;

const entry = 'import Realm from "ebbtide"; import { install } from "./collections.js"; install(Realm);';
await bundlePage("collections-ebbtide", entry, contender("ebbtide").assets);
const address = await serve(PAGES);
const runs = new Map(SIZES.map((size) => [size, []]));
for (let number = 1; number <= RUNS; number++) {
  for (const size of number % 2 === 1 ? SIZES : SIZES.toReversed()) {
    console.log(`run ${number} of ${RUNS}: ${size.toLocaleString("en")} elements`);
    const browser = await Browser.start();
    try {
      const page = await browser.page(`${address}/collections-ebbtide/`);
      runs.get(size).push(await within(PATIENCE_MS, "collections", run(page, "collections", size)));
    } finally {
      await browser.end();
    }
  }
}

const [from, to] = SIZES.slice(-2);
const may = (TOLERANCE * to * Math.log2(to)) / (from * Math.log2(from));
const figures = Object.keys(runs.get(from)[0]).map((name) => {
  const sizes = SIZES.map((size) => ({ size, ...summaryOf(runs.get(size).map((run) => run[name])) }));
  const grew = sizes.at(-1).median / sizes.at(-2).median;
  return { name, sizes, grew, may, isMet: grew <= may };
});
fs.writeFileSync(output("collections.json"), JSON.stringify({ runs: RUNS, unit: "ms", figures }, undefined, 1));
console.log(
  `\nmilliseconds; from ${from.toLocaleString("en")} to ${to.toLocaleString("en")} it may grow ${figure(may)} times\n`,
);
for (const { name, sizes, grew, isMet } of figures) {
  const cells = [...sizes.map(({ median }) => figure(median)), `${figure(grew)} x`, isMet ? "" : "NOT MET"];
  console.log(name.padEnd(52) + cells.map((cell) => cell.padStart(10)).join(""));
}
process.exit(0);
