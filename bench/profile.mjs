// Where Ebbtide's time goes: CPU profiles of inserting, of reads by primary key and of writes that a live query's listener sees.
// The module that ships has no names of functions; EBBTIDE_BENCH_MODULE may be the path of one that has (docs/bench.md).
import fs from "node:fs";
import { Browser, run } from "./support/browser.mjs";
import { bundle, PAGES, READABLE } from "./support/bundle.mjs";
import { contender } from "./support/contenders.mjs";
import { OBJECTS } from "./support/options.mjs";
import { output } from "./support/output.mjs";
import { serve } from "./support/serve.mjs";

const STEPS = [
  "insert",
  "reads",
  "questions",
  "contains",
  "live",
  "commitsVisible",
  "commitsAwaited",
  "change",
  "remove",
];
const TOP = 25;
const INTERVAL_US = 200;

await bundle(contender("ebbtide"), READABLE);
const named = process.env.EBBTIDE_BENCH_MODULE;
if (named) fs.copyFileSync(named, `${PAGES}/ebbtide/ebbtide_bg.wasm`);
const browser = await Browser.start();
const page = await browser.page(`${await serve(PAGES)}/ebbtide/`);
const devtools = await page.context().newCDPSession(page);
await devtools.send("Profiler.enable");
await devtools.send("Profiler.setSamplingInterval", { interval: INTERVAL_US });
await run(page, "open", "dogs");
const lines = [];
for (const step of STEPS) {
  await devtools.send("Profiler.start");
  await run(page, step, OBJECTS);
  const { profile } = await devtools.send("Profiler.stop");
  fs.writeFileSync(output(`${step}.cpuprofile`), JSON.stringify(profile));
  lines.push(`== ${step}`, ...top(profile), "");
}
await browser.end();
fs.writeFileSync(output("profile.txt"), `${lines.join("\n")}\n`);
console.log(lines.join("\n"));
process.exit(0);

/** The functions that took most time by themselves; idle time is nobody's. */
function top({ nodes, samples, timeDeltas }) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const times = new Map();
  let whole = 0;
  for (const [at, id] of samples.entries()) {
    const name = names.get(id);
    if (name === "(idle)") continue;
    times.set(name, (times.get(name) ?? 0) + timeDeltas[at]);
    whole += timeDeltas[at];
  }
  const sorted = [...times].sort((a, b) => b[1] - a[1]).slice(0, TOP);
  const row = ([name, time]) =>
    `${(time / 1000).toFixed(1).padStart(9)} ms ${((100 * time) / whole).toFixed(1).padStart(5)} %  ${name}`;
  return [`${(whole / 1000).toFixed(1).padStart(9)} ms in all`, ...sorted.map(row)];
}

function nameOf({ functionName, url, lineNumber, columnNumber }) {
  const file = url.split("/").at(-1);
  const where = file === "main.js" ? `  (${file}:${lineNumber + 1}:${columnNumber})` : "";
  return `${functionName || "(anonymous)"}${where}`;
}
