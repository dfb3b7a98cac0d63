// Repeated measurements as rows of the table.

/** Each figure is the median of so many runs, each in a fresh profile. */
export const RUNS = 7;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
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
