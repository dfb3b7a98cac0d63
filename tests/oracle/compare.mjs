// Plays a program in both pages and finds the first line that differs.
import { toConfiguration } from "./schemas.mjs";

/** The first difference, `{ step, number, lines: [Ebbtide's, the oracle's] }`, or undefined. */
export async function difference(pages, { schema, steps }) {
  const classes = schema.filter(({ embedded }) => !embedded).map(({ name }) => name);
  const program = { configuration: toConfiguration(schema), classes, steps };
  const [left, right] = await Promise.all(pages.map((page) => page.play(program)));
  for (let number = 0; number < Math.max(left.length, right.length); number += 1) {
    const lines = [left[number], right[number]];
    if (sameLine(...lines)) continue;
    return { number, step: lines.map((line) => line?.step ?? "nothing").join("/"), lines: lines.map(shown) };
  }
}

function sameLine(left, right) {
  return left?.step === right?.step && comparable(left) === comparable(right);
}

/** Where Ebbtide differs on purpose (js/README.md), the texts are made equal here. */
function comparable({ step, text }) {
  if (typeof text !== "string" || !text.startsWith("error ")) return JSON.stringify(text);
  // Errors in queries say more than Realm's do; that there is one must agree.
  if (step === "query" || step === "listen") return "error";
  // The oracle's bundler has numbered some of its classes.
  return text
    .replace(/(^error .*) \(\w+\.\w+\)$/, "$1")
    .replace(/^error Expected '.*' to be /, "error Expected value to be ")
    .replace(/instance of (Decimal128|ObjectId|UUID)2\b/, "instance of $1");
}

function shown(line) {
  if (!line) return "nothing";
  return `${line.step}: ${Array.isArray(line.text) ? line.text.join("\n      ") : line.text}`;
}
