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
    const other = target && { best, reference: of.packed, ...of }[target.than];
    const limit = target?.limit ?? (other && other.median * target.most);
    return {
      name,
      unit,
      best: best?.name,
      toBest: ratio(best),
      toReference: ratio(of.packed),
      target,
      toTarget: ratio(other),
      limit,
      isMet: of.ebbtide && limit !== undefined ? of.ebbtide.median <= limit : undefined,
    };
  });
}

/** The product with the lowest median, among those that had all the objects. */
function bestProduct(of) {
  const products = CONTENDERS.filter(({ kind, objects, name }) => kind === "product" && !objects && of[name]);
  const all = products.map(({ name, label }) => ({ name, label, ...of[name] }));
  return all.sort((a, b) => a.median - b.median)[0];
}

const spread = (found) => (found ? `${figure(found.median)} (${figure(found.low)}-${figure(found.high)})` : "-");
const times = (value) => (Number.isFinite(value) ? `${figure(value)} x` : "-");
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
    const had = Math.max(...Object.values(figures).map((of) => of[contender.name]?.runs ?? 0));
    if (had < runs) limits.push(had === 1 ? "1 run" : `${had} runs`);
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
