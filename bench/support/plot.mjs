// The comparison as a picture: for each measure a bar per contender on a logarithmic scale, the spread as a line on it.
import { figure } from "./figures.mjs";

const COLUMNS = 3;
const PANEL = { width: 460, left: 165, right: 70, head: 34, bar: 13, gap: 5, foot: 14 };
const HEAD = 64;
const COLOURS = { ours: "#0b7285", reference: "#868e96", product: "#adb5bd", memory: "#ced4da" };

export function plot(chosen, figures, verdicts, { objects, runs, date }) {
  const contenders = chosen.filter(({ kind }) => kind !== "empty");
  const height = PANEL.head + contenders.length * (PANEL.bar + PANEL.gap) + PANEL.foot;
  const panels = verdicts.map((measure, at) => {
    const x = (at % COLUMNS) * PANEL.width;
    const y = HEAD + Math.floor(at / COLUMNS) * height;
    return `<g transform="translate(${x} ${y})">${panel(measure, contenders, figures[measure.name], objects)}</g>`;
  });
  const size = [COLUMNS * PANEL.width, HEAD + Math.ceil(verdicts.length / COLUMNS) * height];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size[0]}" height="${size[1]}" viewBox="0 0 ${size.join(" ")}"
  font-family="system-ui, sans-serif" font-size="11" fill="#212529">
<rect width="100%" height="100%" fill="#fff"/>
${text(16, 28, `${objects.toLocaleString("en")} objects of 7 fields, ${date}`, 'font-size="18" font-weight="600"')}
${text(16, 48, `Medians of up to ${runs} runs with lowest and highest; logarithmic, shorter is better. Dashed: where Ebbtide aims. [n]: so many objects only.`)}
${panels.join("\n")}
</svg>
`;
}

function panel({ name, unit, limit }, contenders, of, objects) {
  const rows = contenders.map((contender) => ({ ...contender, found: of[contender.name] }));
  for (const row of rows) if (row.objects < objects) row.label += ` [${row.objects.toLocaleString("en")}]`;
  const found = rows.flatMap(({ found }) => (found ? [found.low, found.high] : [])).filter((value) => value > 0);
  const scale = logarithmic(found);
  const lines = rows.map((row, at) => bar(row, PANEL.head + at * (PANEL.bar + PANEL.gap), scale));
  const bottom = PANEL.head + rows.length * (PANEL.bar + PANEL.gap);
  if (limit !== undefined && found.length > 0) {
    const x = scale(limit).toFixed(1);
    lines.push(
      `<line x1="${x}" x2="${x}" y1="${PANEL.head - 4}" y2="${bottom}" stroke="#e03131" stroke-dasharray="3 2"/>`,
    );
  }
  return text(16, 20, `${name}, ${unit}`, 'font-size="12" font-weight="600"') + lines.join("");
}

function logarithmic(values) {
  const low = Math.log10(Math.min(...values)) - 0.3;
  const high = Math.log10(Math.max(...values));
  const width = PANEL.width - PANEL.left - PANEL.right;
  return (value) => PANEL.left + width * Math.min(1, Math.max(0, (Math.log10(value) - low) / (high - low || 1)));
}

function bar({ label, kind, found }, y, scale) {
  const weight = kind === "ours" ? ' font-weight="600"' : "";
  const name = text(PANEL.left - 6, y + 10, label, `text-anchor="end"${weight}`);
  if (!found) return name + text(PANEL.left + 2, y + 10, "-");
  const end = scale(found.median);
  const middle = y + PANEL.bar / 2;
  return `${name}<rect x="${PANEL.left}" y="${y}" width="${(end - PANEL.left).toFixed(1)}" height="${PANEL.bar}" fill="${COLOURS[kind]}"/>
<line x1="${scale(found.low).toFixed(1)}" x2="${scale(found.high).toFixed(1)}" y1="${middle}" y2="${middle}" stroke="#212529"/>
${text(Math.max(end, scale(found.high)) + 4, y + 10, figure(found.median), weight)}`;
}

function text(x, y, words, attributes = "") {
  const escaped = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return `<text x="${typeof x === "number" ? x.toFixed(1) : x}" y="${y}" ${attributes}>${escaped}</text>`;
}
