// Reads of properties through live objects, type by type: Ebbtide beside Realm's own build for browsers.
import fs from "node:fs";
import { Browser, run, within } from "./support/browser.mjs";
import { bundlePage, PAGES } from "./support/bundle.mjs";
import { contender } from "./support/contenders.mjs";
import { ratio, row, summaryOf } from "./support/figures.mjs";
import { RUNS } from "./support/options.mjs";
import { output } from "./support/output.mjs";
import { serve } from "./support/serve.mjs";

const PATIENCE_MS = 60_000;
const NAMES = { ebbtide: "Ebbtide", realm: "Realm" };

for (const name of Object.keys(NAMES)) {
  const entry = `import Realm from "${name}"; import { install } from "./properties.js"; install(Realm);`;
  await bundlePage(`properties-${name}`, entry, contender(name).assets);
}
const address = await serve(PAGES);
const found = { ebbtide: [], realm: [] };
for (let number = 1; number <= RUNS; number++) {
  for (const name of number % 2 === 1 ? Object.keys(NAMES) : Object.keys(NAMES).toReversed()) {
    console.log(`run ${number} of ${RUNS}: ${NAMES[name]}: reads of properties`);
    const browser = await Browser.start();
    try {
      const page = await browser.page(`${address}/properties-${name}/`);
      found[name].push(await within(PATIENCE_MS, "reading properties", run(page, "properties")));
    } finally {
      await browser.end();
    }
  }
}

const figures = {};
for (const type of Object.keys(found.ebbtide[0])) {
  const of = (name) => found[name].map((run) => run[type]);
  const medians = Object.keys(NAMES).map((name) => row(`read a property, ${type}: ${NAMES[name]}`, of(name), "ns"));
  ratio(`read a property, ${type}: Ebbtide / Realm`, ...medians);
  figures[type] = { ebbtide: summaryOf(of("ebbtide")), realm: summaryOf(of("realm")) };
}
fs.writeFileSync(output("properties.json"), JSON.stringify({ runs: RUNS, unit: "ns", figures }, undefined, 1));
process.exit(0);
