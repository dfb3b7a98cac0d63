// The measured steps, the same for every contender. docs/bench.md says what a contender has to offer.
import { dog, dogs, FIRST_QUESTION, isLive, NEEDLES, numbers, QUESTIONS, summary } from "../dogs.js";

const COMMITS = 1000;
const READS = 100_000;
const LIVE_WRITES = 100;
/** A step that repeats something stops after so long, with what it has. */
const CAP_MS = 3000;

const now = () => performance.now();
const pause = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));
const isPromise = (value) => typeof value?.then === "function";

/** What contenders without `durable` have stored is durable when they say that it is stored. */
const durable = (contender) => contender.durable?.();

async function settle(ms = 100) {
  await pause(ms);
  globalThis.gc?.();
  await pause();
}

function percentiles(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  return { repeats: sorted.length, p50: at(0.5), p99: at(0.99), max: sorted.at(-1) };
}

async function open(contender, name) {
  await contender.open(name);
}

async function close(contender) {
  await contender.close();
}

/** Everything in one transaction. */
async function insert(contender, count) {
  const all = dogs(count);
  await settle(300);
  const start = now();
  await contender.insertMany(all);
  const visible = now() - start;
  await durable(contender);
  return { visible, durable: now() - start };
}

/** Opens as early as the page can; the clock of `answered` starts with the navigation. */
export async function coldStart(contender, name) {
  const start = now();
  await contender.open(name);
  const { age, breed } = QUESTIONS[FIRST_QUESTION];
  const answer = await contender.question(age, breed);
  const answered = now();
  return { answered, opened: answered - start, answer: summary(answer) };
}

async function reads(contender, count) {
  const next = numbers(99);
  const ids = Array.from({ length: READS }, () => 1 + Math.floor(next() * count));
  let sum = 0;
  let done = 0;
  await settle();
  const start = now();
  for (const id of ids) {
    let found = contender.get(id);
    if (isPromise(found)) found = await found;
    sum += found.age + found.breed.length;
    done += 1;
    if ((done & 15) === 0 && now() - start > CAP_MS) break;
  }
  return { each: (now() - start) / done, repeats: done, sum };
}

async function timed(parameters, ask) {
  const times = [];
  const answers = [];
  const end = now() + 2 * CAP_MS;
  for (const parameter of parameters) {
    const start = now();
    const answer = await ask(parameter);
    // What was asked for is looked at: a proxy is no answer yet.
    let looked = 0;
    for (const dog of answer.first) looked += dog.name.length + dog.weight;
    times.push(now() - start);
    answers.push({ ...summary(answer), looked });
    if (now() > end) break;
  }
  return { ...percentiles(times), answers };
}

async function questions(contender) {
  await settle();
  return timed(QUESTIONS, ({ age, breed }) => contender.question(age, breed));
}

async function contains(contender) {
  await settle();
  return timed(NEEDLES, (needle) => contender.contains(needle));
}

/** One object enters the live query, and leaves it again: until the listener has the change. */
async function live(contender, count) {
  const outside = dogs(count).filter(({ breed, age }) => breed === "Pug" && age < 4);
  const ids = outside.slice(0, LIVE_WRITES / 2).map(({ _id }) => _id);
  let size;
  let awaited;
  const stop = await contender.live((found) => {
    size = found;
    if (awaited?.size === found) awaited.resolve(now());
  });
  while (size === undefined) await pause(5);
  await settle();
  const initial = size;
  const times = [];
  const end = now() + CAP_MS;
  const write = async (id, age, wanted) => {
    awaited = { ...Promise.withResolvers(), size: wanted };
    const start = now();
    const written = contender.setAge(id, age);
    times.push((await awaited.promise) - start);
    await written;
    await contender.unload?.();
    await pause();
  };
  for (const id of ids) {
    await write(id, 19, initial + 1);
    await write(id, 3, initial);
    if (now() > end) break;
  }
  await stop?.();
  return { initial, expected: dogs(count).filter(isLive).length, ...percentiles(times) };
}

function strangers(first) {
  const next = numbers(5);
  return Array.from({ length: COMMITS }, (_, at) => dog(first + at, next));
}

/** One transaction after the other, each awaited until it is durable. */
async function commitsAwaited(contender, count) {
  const all = strangers(count + 1);
  const times = [];
  await settle();
  const end = now() + CAP_MS;
  for (const dog of all) {
    const start = now();
    await contender.commit(dog);
    await durable(contender);
    times.push(now() - start);
    if (now() > end) break;
  }
  return percentiles(times);
}

/** A thousand transactions at once, until all are durable. */
async function commitsPipelined(contender, count) {
  const all = strangers(count + 1 + COMMITS);
  await settle();
  const start = now();
  await Promise.all(all.map((dog) => contender.commit(dog)));
  await durable(contender);
  return { all: now() - start };
}

/** Until a commit can be read; durability is not awaited. */
async function commitsVisible(contender, count) {
  const all = strangers(count + 1 + 2 * COMMITS);
  const times = [];
  await settle();
  const end = now() + CAP_MS;
  for (const dog of all) {
    const start = now();
    const committed = contender.commit(dog);
    if (isPromise(committed)) await committed;
    times.push(now() - start);
    if (now() > end) break;
  }
  await durable(contender);
  return percentiles(times);
}

async function change(contender, count) {
  const ids = every(10, 3, count);
  const weights = ids.map((id) => id * 0.001);
  await settle();
  const start = now();
  await contender.setWeights(ids, weights);
  const visible = now() - start;
  await durable(contender);
  const whole = now() - start;
  const changed = await contender.get(ids.at(-1));
  return { visible, durable: whole, isRight: changed.weight === weights.at(-1) };
}

async function remove(contender, count) {
  const ids = every(10, 7, count);
  await settle();
  const start = now();
  await contender.deleteMany(ids);
  const visible = now() - start;
  await durable(contender);
  const whole = now() - start;
  return { visible, durable: whole, isRight: await isGone(contender, ids.at(-1)) };
}

/** Whoever is asked for what is not there gives nothing, an empty object, or an error. */
async function isGone(contender, id) {
  try {
    return (await contender.get(id))?.name === undefined;
  } catch {
    return true;
  }
}

function every(step, first, last) {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, at) => first + at * step);
}

/** What the browser itself says about memory, after collecting garbage. */
async function memory() {
  for (let times = 0; times < 3; times++) await settle();
  const { bytes } = await performance.measureUserAgentSpecificMemory();
  return { bytes, heap: performance.memory?.usedJSHeapSize };
}

export const STEPS = {
  open,
  close,
  insert,
  memory,
  reads,
  questions,
  contains,
  live,
  commitsAwaited,
  commitsPipelined,
  commitsVisible,
  change,
  remove,
};
