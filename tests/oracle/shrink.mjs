// Makes a failing program smaller while it fails in the same way.
import { isSelfContained } from "./schemas.mjs";

/** The smallest failing program that leaving things out finds. `fails` says whether one still fails. */
export async function shrink(program, fails) {
  let smallest = program;
  for (let found = true; found; ) {
    found = false;
    for (const smaller of candidates(smallest)) {
      if (smaller.schema.some((declared) => isSelfContained(smaller.schema, declared))) continue;
      if (!(await fails(smaller))) continue;
      smallest = smaller;
      found = true;
      break;
    }
  }
  return smallest;
}

/** Programs with one thing less, the biggest things first. */
function* candidates(program) {
  const { schema, steps } = program;
  for (let size = steps.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < steps.length; at += size) yield { ...program, steps: without(steps, at, size) };
  }
  for (const [at, step] of steps.entries()) {
    for (const smaller of smallerSteps(step)) yield { ...program, steps: steps.with(at, smaller) };
  }
  for (const [at, declared] of schema.entries()) {
    for (const name of Object.keys(declared.properties)) {
      if (name === "_id") continue;
      const { [name]: _, ...properties } = declared.properties;
      yield {
        ...program,
        schema: schema.with(at, { ...declared, properties }),
        steps: forget(steps, declared.name, name),
      };
    }
    const isTarget = schema.some(({ properties }) =>
      Object.values(properties).some(({ target }) => target === declared.name),
    );
    if (!isTarget) yield { ...program, schema: without(schema, at, 1), steps };
  }
}

function* smallerSteps(step) {
  if (step.operations) {
    for (let at = 0; at < step.operations.length; at += 1) {
      if (step.operations.length > 1) yield { ...step, operations: without(step.operations, at, 1) };
      const operation = step.operations[at];
      for (const smaller of smallerOperations(operation))
        yield { ...step, operations: step.operations.with(at, smaller) };
    }
  }
  if (step.aggregate) yield { ...step, aggregate: undefined };
  if (step.source?.sort) yield { ...step, source: { ...step.source, sort: undefined } };
  if (step.source?.sort?.length > 1) yield { ...step, source: { ...step.source, sort: step.source.sort.slice(0, 1) } };
  if (step.source?.filter) {
    yield { ...step, source: { ...step.source, filter: undefined, args: undefined } };
    if (step.source.args?.length > 0 && !/\$\d/.test(step.source.filter)) {
      yield { ...step, source: { ...step.source, args: undefined } };
    }
    for (const filter of smallerFilters(step.source.filter)) yield { ...step, source: { ...step.source, filter } };
  }
}

function* smallerOperations(operation) {
  for (const name of Object.keys(operation.values ?? {})) {
    if (name === "_id") continue;
    const { [name]: value, ...values } = operation.values;
    yield { ...operation, values };
    if (Array.isArray(value)) {
      for (let at = 0; at < value.length; at += 1) {
        yield { ...operation, values: { ...operation.values, [name]: without(value, at, 1) } };
      }
    }
  }
  if (operation.mode) yield { ...operation, mode: undefined };
  const { value } = operation;
  if (!Array.isArray(value)) return;
  for (let at = 0; at < value.length; at += 1) yield { ...operation, value: without(value, at, 1) };
}

/** Parts of a condition: the sides of its outermost AND or OR, and it without its suffixes. */
function* smallerFilters(filter) {
  const suffix = filter.search(/ (SORT|DISTINCT|LIMIT)\(/);
  if (suffix > 0) yield filter.slice(0, suffix);
  const [condition, rest] = suffix > 0 ? [filter.slice(0, suffix), filter.slice(suffix)] : [filter, ""];
  const body = condition.replace(/^(NOT |!)/, "");
  if (!body.startsWith("(") || !body.endsWith(")")) return;
  const inner = body.slice(1, -1);
  if (body !== condition) yield inner + rest;
  let depth = 0;
  for (let at = 0; at < inner.length; at += 1) {
    if ("({".includes(inner[at])) depth += 1;
    if (")}".includes(inner[at])) depth -= 1;
    const word = depth === 0 && inner.slice(at).match(/^ (AND|and|&&|OR|or|\|\|) /);
    if (!word) continue;
    yield inner.slice(0, at) + rest;
    yield inner.slice(at + word[0].length) + rest;
  }
}

/** The steps without a property that the schema no longer has. */
function forget(steps, name, property) {
  const isMeant = (operation) => operation.target?.[0] === name && operation.property === property;
  return steps
    .map((step) => {
      if (!step.operations) return step;
      const operations = step.operations.filter((operation) => !isMeant(operation));
      return { ...step, operations };
    })
    .filter((step) => step.operations?.length !== 0 && !(step.source && isMeant(step.source)));
}

function without(items, at, count) {
  return [...items.slice(0, at), ...items.slice(at + count)];
}
