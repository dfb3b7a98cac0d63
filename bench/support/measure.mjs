// One run of one contender: a fresh profile, one browser that stores, another that starts cold and goes on from there.
import { Browser, run, TookTooLong, within } from "./browser.mjs";

const STEP_MS = 60_000;
const CLOSE_MS = 20_000;
const SETTLE_MS = 1500;
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
 * answer or one that takes too long: after that the browser is started again for the next step.
 */
export async function measure(contender, address, objects, answers, tell) {
  const run = new Run(contender, address, objects, answers, tell);
  try {
    run.browser = await Browser.start();
    await run.all();
  } catch (error) {
    run.fault("the run", error);
  } finally {
    await run.browser?.end();
  }
  return run.found;
}

class Run {
  browser;
  #page;
  #url;
  #answers;
  #tell;
  #kind;

  constructor({ name, kind }, address, objects, answers, tell) {
    this.#url = `${address}/${name}/`;
    this.#kind = kind;
    this.#answers = answers;
    this.#tell = tell;
    this.found = { contender: name, objects, faults: [] };
  }

  async all() {
    const { objects } = this.found;
    this.#page = await this.browser.page(this.#url);
    if (this.#kind === "empty") {
      await this.#coldStart();
      await this.#step("memory");
      return;
    }
    await this.#within("open", run(this.#page, "open", DATABASE));
    await this.#timed("insert", objects);
    if (this.#kind !== "memory") await this.#coldStart();
    for (const step of AFTER_COLD_START) await this.#step(step, objects);
  }

  fault(step, { message }) {
    this.found.faults.push({ step, what: message.split("\n")[0].slice(0, 200) });
  }

  /** Closes the browser, so that all is written, and starts it again with a page that opens the database at once. */
  async #coldStart() {
    if (this.#kind !== "empty") await within(CLOSE_MS, "close", run(this.#page, "close")).catch(() => undefined);
    await this.#page.waitForTimeout(SETTLE_MS);
    await this.browser.close();
    this.found.stored = this.browser.stored();
    await this.browser.restart();
    this.#tell("coldStart");
    this.#page = await this.browser.page(`${this.#url}?cold=${DATABASE}`);
    this.found.coldStart = await this.#within(
      "coldStart",
      this.#page.evaluate(() => globalThis.bench.cold),
    );
    check("coldStart", this.found, this.#answers);
  }

  async #step(name, ...args) {
    try {
      await this.#timed(name, ...args);
    } catch (error) {
      this.fault(name, error);
      if (error instanceof TookTooLong) await this.#again();
    }
  }

  async #timed(name, ...args) {
    this.#tell(name);
    this.found[name] = await this.#within(name, run(this.#page, name, ...args));
    check(name, this.found, this.#answers);
  }

  #within(name, work) {
    return within(STEP_MS, name, work);
  }

  /** A page that still works on a step that was given up would be measured with the next one. */
  async #again() {
    if (this.#kind === "memory") throw new Error("what is in memory only is lost with the page");
    await this.browser.restart();
    this.#page = await this.browser.page(this.#url);
    await this.#within("open", run(this.#page, "open", DATABASE));
  }
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
