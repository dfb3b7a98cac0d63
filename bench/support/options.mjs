// What `cargo xtask bench` was asked for, with defaults.
import { parseArgs } from "node:util";
import { CONTENDERS, contender } from "./contenders.mjs";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    contenders: { type: "string", default: CONTENDERS.map(({ name }) => name).join() },
    n: { type: "string", default: "100000" },
    million: { type: "boolean", default: false },
  },
});

function positive(name) {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name} takes a whole number from 1, not ${values[name]}`);
  return value;
}

/** Each figure is the median of so many runs, each in a fresh profile. */
export const RUNS = positive("runs");

/** How many objects each contender gets, unless it has a limit of its own. */
export const OBJECTS = positive("n");

/** The empty page always takes part: its memory and its bytes are subtracted. */
export const CHOSEN = [...new Set(["empty", ...values.contenders.split(",")])].map(contender);

/** Whether the growth is followed up to a million objects. */
export const MILLION = values.million;
