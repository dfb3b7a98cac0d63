// Plays programs by chance on Ebbtide and on Realm itself and compares what they say; see README.md beside this.
import { capabilities } from "./capabilities.mjs";
import { difference } from "./compare.mjs";
import { openPages } from "./pages.mjs";
import { makeProgram } from "./programs.mjs";
import { programText } from "./shown.mjs";
import { shrink } from "./shrink.mjs";

const [first, count] = process.argv.slice(2).map(Number);
const { pages, close } = await openPages(process.env.EBBTIDE_ORACLE);
let failed = 0;
try {
  const features = await capabilities(pages);
  const missing = Object.keys(features).filter((feature) => !features[feature]);
  if (missing.length > 0) console.log(`left out, as not both have it: ${missing.join(", ")}`);
  for (let seed = first; seed < first + count; seed += 1) if (!(await agree(seed, features))) failed += 1;
} finally {
  await close();
}
console.log(`${count - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Whether both say the same of a seed's program; prints the smallest program that shows the difference. */
async function agree(seed, features) {
  const program = makeProgram(seed, features);
  const found = await difference(pages, program);
  if (!found) return true;
  const smallest = await shrink(program, async (smaller) => (await difference(pages, smaller))?.step === found.step);
  console.log(`\nseed ${seed}:\n${programText(smallest)}`);
  const again = await difference(pages, smallest);
  if (!again) console.log("not every time; the lines are those of the whole program:");
  const { lines } = again ?? found;
  for (const [index, line] of lines.entries()) console.log(`  ${pages[index].name}: ${line}`);
  return false;
}
