// Everybody on the same data: one table, one plot, and all figures as JSON.
import fs from "node:fs";
import { bundle, PAGES } from "./support/bundle.mjs";
import { answers, FIRST_QUESTION } from "./support/dogs.js";
import { measure } from "./support/measure.mjs";
import { CHOSEN, OBJECTS, RUNS } from "./support/options.mjs";
import { output } from "./support/output.mjs";
import { plot } from "./support/plot.mjs";
import { figuresOf, table, verdicts, wholeTable } from "./support/report.mjs";
import { serve } from "./support/serve.mjs";

const chosen = [];
const downloads = new Map();
const faults = [];
for (const contender of CHOSEN) {
  try {
    downloads.set(contender.name, await bundle(contender));
    chosen.push(contender);
  } catch (error) {
    faults.push({ contender: contender.name, step: "bundling", what: String(error.message).split("\n")[0] });
    console.log(`${contender.name} cannot be bundled: ${error.message}`);
  }
}

const address = await serve(PAGES);
const known = new Map();
const rightAnswers = (objects) => {
  if (!known.has(objects)) known.set(objects, { ...answers(objects), first: FIRST_QUESTION });
  return known.get(objects);
};

const runs = [];
for (let number = 1; number <= RUNS; number++) {
  // Turn about, so that a machine that grows slower or faster favours nobody.
  for (const contender of number % 2 === 1 ? chosen : chosen.toReversed()) {
    if (number > (contender.runs ?? RUNS)) continue;
    await once(contender, number);
  }
}

async function once(contender, number) {
  const objects = Math.min(OBJECTS, contender.objects ?? OBJECTS);
  const start = Date.now();
  const heading = `run ${number} of ${Math.min(RUNS, contender.runs ?? RUNS)}: ${contender.label}`;
  const tell = (step) => console.log(`${heading}: ${step}`);
  const found = await measure(contender, address, objects, rightAnswers(objects), tell);
  found.download = downloads.get(contender.name) - downloads.get("empty");
  runs.push({ ...found, number });
  for (const fault of found.faults) faults.push({ contender: contender.name, run: number, ...fault });
  console.log(`${heading}: ${((Date.now() - start) / 1000).toFixed(0)} s`);
  for (const { step, what } of found.faults) console.log(`    ${step}: ${what}`);
  save();
}

/** After each run, so that one that is interrupted leaves what it has. */
function save() {
  const figures = figuresOf(chosen, runs);
  const context = { objects: OBJECTS, runs: RUNS, date: new Date().toISOString().slice(0, 10) };
  const named = chosen.map(({ name, label, kind, runs, objects }) => ({ name, label, kind, runs, objects }));
  const all = { ...context, contenders: named, figures, verdicts: verdicts(figures), faults, single: runs };
  fs.writeFileSync(output("compare.json"), JSON.stringify(all, undefined, 1));
  fs.writeFileSync(output("compare.md"), wholeTable(chosen, figures, faults, context));
  fs.writeFileSync(output("compare.svg"), plot(chosen, figures, verdicts(figures), context));
}

const figures = figuresOf(chosen, runs);
console.log(
  `\n${OBJECTS.toLocaleString("en")} objects of 7 fields; medians of up to ${RUNS} runs, lowest and highest in brackets\n`,
);
for (const line of table(figures, verdicts(figures))) console.log(line);
console.log(`\n${wholeTable(chosen, figures, faults, { objects: OBJECTS, runs: RUNS })}`);
console.log(`plot: ${output("compare.svg")}; all figures: ${output("compare.json")}`);
process.exit(0);
