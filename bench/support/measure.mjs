// One run of one contender: a fresh profile, one browser that stores, another that starts cold and goes on from there.
import { Browser, run, within } from "./browser.mjs";

const STEP_MS = 60_000;
const CLOSE_MS = 20_000;
const DATABASE = "dogs";
/** In this order: what adds objects comes after the questions, whose answers are known. */
const AFTER_COLD_START = [
  "memory",
  "reads",
  "questions",
  "contains",
  "live",
  "commitsVisible",
  "commitsPipelined",
  "commitsAwaited",
  "change",
  "remove",
];

/**
 * Gives `{ contender, objects, faults, <step>: <what it found> }`. A step that fails is a fault, and so is one with a wrong
 * answer; one that takes too long ends the run, and so does one without which there are no data.
 */
export async function measure({ name, kind }, address, objects, answers, tell) {
  const found = { contender: name, objects, faults: [] };
  const browser = await Browser.start();
  const url = `${address}/${name}/`;
  let isOver = false;
  const step = async (page, name, ...args) => {
    if (isOver) return;
    tell(name);
    try {
      found[name] = await within(STEP_MS, name, run(page, name, ...args));
      check(name, found, answers);
    } catch (error) {
      isOver = name === "open" || name === "insert" || /took longer than/.test(error.message);
      found.faults.push({ step: name, what: error.message.split("\n")[0].slice(0, 200) });
      if (!isOver) return;
      found.faults.at(-1).what += "; the run ends there";
    }
  };
  try {
    let page = await browser.page(url);
    if (kind !== "empty") {
      await step(page, "open", DATABASE);
      await step(page, "insert", objects);
    }
    if (kind !== "memory") {
      if (kind !== "empty") await within(CLOSE_MS, "close", run(page, "close")).catch(() => undefined);
      await page.waitForTimeout(1500);
      await browser.close();
      found.stored = browser.stored();
      if (isOver) return found;
      await browser.restart();
      await page.waitForTimeout?.(500).catch(() => undefined);
      tell("coldStart");
      page = await browser.page(`${url}?cold=${DATABASE}`);
      found.coldStart = await within(
        STEP_MS,
        "coldStart",
        page.evaluate(() => globalThis.bench.cold),
      );
      check("coldStart", found, answers);
    }
    for (const name of kind === "empty" ? ["memory"] : AFTER_COLD_START) await step(page, name, objects);
  } catch (error) {
    found.faults.push({ step: "the run", what: error.message.split("\n")[0].slice(0, 200) });
  } finally {
    await browser.end();
  }
  return found;
}

/** Compares answers with those known beforehand; a wrong one is said, and its figure is not used. */
function check(name, found, answers) {
  const result = found[name];
  if (result?.error) {
    delete found[name];
    throw new Error(result.error);
  }
  const wrong = wrongAnswer(name, result, found, answers);
  if (!wrong) return;
  delete found[name];
  throw new Error(`WRONG ANSWER: ${wrong}`);
}

function wrongAnswer(name, result, found, { questions, needles, live, first }) {
  const same = (is, right) => is.count === right.count && is.first === right.first && is.last === right.last;
  const among = (all, right) => {
    const at = all.findIndex((answer, at) => !same(answer, right[at]));
    return at < 0 ? undefined : `${JSON.stringify(all[at])} where ${JSON.stringify(right[at])} is right`;
  };
  if (name === "coldStart" && found.contender !== "empty") return among([result.answer], [questions[first]]);
  if (name === "questions") return among(result.answers, questions);
  if (name === "contains") return among(result.answers, needles);
  if (name === "live" && result.initial !== live) return `${result.initial} objects in the live query, not ${live}`;
  if ((name === "change" || name === "remove") && !result.isRight) return "what was written cannot be read";
  return undefined;
}
