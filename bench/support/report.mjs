// From runs to figures, and from figures to tables.
import { CONTENDERS } from "./contenders.mjs";
import { figure, summaryOf } from "./figures.mjs";
import { MEASURES } from "./measures.mjs";

/** `figures[measure][contender]` is a median with its spread, or nothing. */
export function figuresOf(chosen, runs) {
  const empty = summaryOf(runs.filter(({ contender }) => contender === "empty").map(({ memory }) => memory?.bytes));
  for (const { memory } of runs) if (memory && empty) memory.above = memory.bytes - empty.median;
  const figures = {};
  for (const { name, of } of MEASURES) {
    figures[name] = {};
    for (const { name: contender, kind } of chosen) {
      if (kind === "empty") continue;
      figures[name][contender] = summaryOf(runs.filter((run) => run.contender === contender).map(of));
    }
  }
  return figures;
}

/** For each measure: Ebbtide beside the best product and the reference, and whether its target is met. */
export function verdicts(figures) {
  return MEASURES.map(({ name, unit, target }) => {
    const of = figures[name];
    const best = bestProduct(of);
    const ratio = (other) => (of.ebbtide && other ? of.ebbtide.median / other.median : undefined);
    const found = { name, unit, best: best?.name, toBest: ratio(best), toReference: ratio(of.packed), target };
    if (!target || !of.ebbtide) return found;
    if (target.limit !== undefined) return { ...found, isMet: of.ebbtide.median <= target.limit };
    const than = { best: found.toBest, reference: found.toReference }[target.than] ?? ratio(of[target.than]);
    return { ...found, toTarget: than, isMet: than === undefined ? undefined : than <= target.most };
  });
}

/** The product with the lowest median, among those that had all the objects. */
function bestProduct(of) {
  const products = CONTENDERS.filter(({ kind, objects, name }) => kind === "product" && !objects && of[name]);
  const all = products.map(({ name, label }) => ({ name, label, ...of[name] }));
  return all.sort((a, b) => a.median - b.median)[0];
}

const spread = (found) => (found ? `${figure(found.median)} (${figure(found.low)}-${figure(found.high)})` : "-");
const times = (value) => (value === undefined ? "-" : `${figure(value)} x`);
const label = (name) => CONTENDERS.find((contender) => contender.name === name)?.label ?? "-";

function aim(target) {
  if (!target) return "";
  if (target.limit !== undefined) return `<= ${target.limit}`;
  const than = { best: "best", reference: "reference" }[target.than] ?? label(target.than);
  return `<= ${target.most} x ${than}`;
}

function verdict({ target, isMet, toTarget }) {
  if (!target || isMet === undefined) return target ? "unknown" : "";
  const named = !["best", "reference"].includes(target.than) && toTarget !== undefined;
  return `${isMet ? "met" : "NOT MET"}${named ? ` (${times(toTarget)})` : ""}`;
}

/** The one table, as lines. */
export function table(figures, verdicts) {
  const head = ["", "Ebbtide", "best product", "", "reference", "to best", "to reference", "target", ""];
  const rows = verdicts.map((row) => {
    const of = figures[row.name];
    return [
      `${row.name}, ${row.unit}`,
      spread(of.ebbtide),
      spread(of[row.best]),
      row.best ? label(row.best) : "-",
      spread(of.packed),
      times(row.toBest),
      times(row.toReference),
      aim(row.target),
      verdict(row),
    ];
  });
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
}

/** Everybody's figures in Markdown, with what went wrong. */
export function wholeTable(chosen, figures, faults, { objects, runs }) {
  const all = chosen.filter(({ kind }) => kind !== "empty");
  const terms = ({ label, ...contender }) => {
    const limits = [];
    if (contender.runs && contender.runs < runs) limits.push(`${contender.runs} runs`);
    if (contender.objects && contender.objects < objects)
      limits.push(`${contender.objects.toLocaleString("en")} objects`);
    return limits.length > 0 ? `${label}: ${limits.join(", ")} only` : label;
  };
  const lines = [`| | ${all.map(terms).join(" | ")} |`, `|---|${all.map(() => "---:|").join("")}`];
  for (const { name, unit } of MEASURES) {
    lines.push(`| ${name}, ${unit} | ${all.map((contender) => spread(figures[name][contender.name])).join(" | ")} |`);
  }
  lines.push("");
  for (const [what, runs] of grouped(faults))
    lines.push(`- ${what}${runs.length > 0 ? ` (run ${runs.join(", ")})` : ""}`);
  if (faults.length === 0) lines.push("Nothing failed, and all answers were right.");
  return `${lines.join("\n")}\n`;
}

function grouped(faults) {
  const groups = new Map();
  for (const { contender, step, what, run } of faults) {
    const key = `${label(contender)}, ${step}: ${what}`;
    groups.set(key, [...(groups.get(key) ?? []), ...(run ? [run] : [])]);
  }
  return groups;
}
