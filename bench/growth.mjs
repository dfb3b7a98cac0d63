// Ebbtide with 1,000, 10,000 and 100,000 objects, and a million if asked: nothing may grow faster than n log n, and a commit of
// one object costs what it costs in an empty realm.
import fs from "node:fs";
import { bundlePage, contenderEntry, PAGES } from "./support/bundle.mjs";
import { contender } from "./support/contenders.mjs";
import { answers, FIRST_QUESTION } from "./support/dogs.js";
import { figure, summaryOf } from "./support/figures.mjs";
import { measure } from "./support/measure.mjs";
import { MILLION, RUNS } from "./support/options.mjs";
import { output } from "./support/output.mjs";
import { serve } from "./support/serve.mjs";

const SIZES = [1_000, 10_000, 100_000, ...(MILLION ? [1_000_000] : [])];
/** What a busy machine may add. */
const TOLERANCE = 1.5;

const nLogN = (n) => n * Math.log2(n);
const STEPS = [
  { name: "insert, durable", of: (run) => run.insert?.durable, growth: nLogN },
  { name: "cold start, open() to first answer", of: (run) => run.coldStart?.opened, growth: nLogN },
  { name: "age > X AND breed == Y, p50", of: (run) => run.questions?.p50, growth: nLogN },
  { name: "notes CONTAINS s, p50", of: (run) => run.contains?.p50, growth: nLogN },
  { name: "change 10 %, durable", of: (run) => run.change?.durable, growth: nLogN },
  { name: "delete 10 %, durable", of: (run) => run.remove?.durable, growth: nLogN },
  { name: "commit of one, visible, p50", of: (run) => run.commitsVisible?.p50, growth: () => 1 },
  { name: "commit of one, awaited durable, p50", of: (run) => run.commitsAwaited?.p50, growth: () => 1 },
  { name: "read by primary key, each", of: (run) => run.reads?.each, growth: Math.log2 },
  { name: "write until a live query's listener knows, p50", of: (run) => run.live?.p50, growth: () => 1 },
];

const ebbtide = contender("ebbtide");
await bundlePage("growth", contenderEntry("ebbtide"), ebbtide.assets);
const address = await serve(PAGES);
const runs = [];
const known = new Map(SIZES.map((size) => [size, { ...answers(size), first: FIRST_QUESTION }]));
for (let number = 1; number <= RUNS; number++) {
  for (const size of number % 2 === 1 ? SIZES : SIZES.toReversed()) {
    const heading = `run ${number} of ${RUNS}: ${size.toLocaleString("en")} objects`;
    const tell = (step) => console.log(`${heading}: ${step}`);
    const found = await measure({ ...ebbtide, name: "growth" }, address, size, known.get(size), tell);
    for (const { step, what } of found.faults) console.log(`    ${step}: ${what}`);
    runs.push(found);
  }
}

const figures = STEPS.map(({ name, of, growth }) => {
  const sizes = SIZES.map((size) => ({ size, ...summaryOf(runs.filter(({ objects }) => objects === size).map(of)) }));
  return { name, sizes, ...verdict(sizes, growth) };
});
fs.writeFileSync(
  output("growth.json"),
  JSON.stringify({ runs: RUNS, unit: "ms", figures, single: runs }, undefined, 1),
);
const spread = ({ median, low, high }) =>
  median === undefined ? "-" : `${figure(median)} (${figure(low)}-${figure(high)})`;
const head = ["milliseconds", ...SIZES.map((size) => `${size.toLocaleString("en")} objects`), "grew", "may", ""];
const rows = figures.map(({ name, sizes, grew, may, isMet }) => {
  const times = [grew, may].map((value) => (value === undefined ? "-" : `${figure(value)} x`));
  return [name, ...sizes.map(spread), ...times, isMet ? "met" : "NOT MET"];
});
const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
console.log(`\nGrowth from ${SIZES.at(-2).toLocaleString("en")} to ${SIZES.at(-1).toLocaleString("en")} objects\n`);
for (const row of [head, ...rows]) console.log(row.map((cell, column) => cell.padEnd(widths[column])).join("  "));
process.exit(0);

/** The last step of ten in size, beside what the rule allows. */
function verdict(sizes, growth) {
  const [from, to] = sizes.slice(-2);
  if (from.median === undefined || to.median === undefined) return { isMet: false };
  const may = (TOLERANCE * growth(to.size)) / growth(from.size);
  const grew = to.median / from.median;
  return { grew, may, isMet: grew <= may };
}
