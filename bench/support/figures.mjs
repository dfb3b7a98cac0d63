// Repeated measurements, and rows of the table that `cargo xtask bench` prints.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median of some values with the lowest and the highest, or nothing if there are none. */
export function summaryOf(values) {
  const found = values.filter((value) => Number.isFinite(value));
  if (found.length === 0) return undefined;
  return { median: median(found), low: Math.min(...found), high: Math.max(...found), runs: found.length };
}

/** Three digits say enough. */
export function figure(value) {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en");
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** Prints one row: the median with the lowest and the highest. */
export function row(name, values, unit = "ms") {
  const value = median(values);
  console.log(JSON.stringify({ name, value, unit, spread: [Math.min(...values), Math.max(...values)] }));
  return value;
}

/** Prints how many times as long the one takes as the other. */
export function ratio(name, value, reference) {
  console.log(JSON.stringify({ name, value: value / reference, unit: "x" }));
}
