// What one page measures of one contender.
import { answerOf, dogs } from "./dogs.js";

/** Creates `count` objects in one write: milliseconds until they can be read, and until they are durable. */
export async function insert(name, count) {
  const contender = await import(`./contenders/${name}.js`);
  const all = dogs(count);
  await contender.open();
  const start = performance.now();
  await contender.insert(all);
  const visible = performance.now() - start;
  await contender.durable();
  const durable = performance.now() - start;
  check(await contender.answer(), all);
  await contender.close();
  return { visible, durable };
}

/** Opens what an earlier page has stored: milliseconds until the first question is answered. The code is loaded already. */
export async function open(name, count) {
  const contender = await import(`./contenders/${name}.js`);
  const start = performance.now();
  await contender.open();
  const answer = await contender.answer();
  const opened = performance.now() - start;
  check(answer, dogs(count));
  await contender.close();
  return { opened };
}

function check(answer, all) {
  const wanted = answerOf(all);
  if (answer !== wanted) throw new Error(`a wrong answer: ${answer} where ${wanted} is right`);
}
