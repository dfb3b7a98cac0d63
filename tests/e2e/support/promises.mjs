// Runs a script's promises one after the other and says which were kept.

/** Throws unless both are the same as JSON. */
export function equal(actual, expected, what = "value") {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`);
}

export function isTrue(condition, what) {
  if (!condition) throw new Error(`expected ${what}`);
}

/** Gives what `look` finds, once it finds something; looks again whenever a little time has passed. */
export async function until(what, look, timeoutMs = 15000) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`${what} did not come true within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Fails if the promise takes too long. */
export async function within(timeoutMs, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Runs the functions in order, each named after the promise that it keeps, and says last which were broken, and how. The process fails if one was. */
export async function keep(promises, { patienceMs = 60000 } = {}) {
  const wanted = process.argv.slice(2);
  const broken = [];
  for (const [name, test] of Object.entries(promises)) {
    if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
    const start = performance.now();
    const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
    try {
      const words = await within(patienceMs, name, test());
      console.log(`ok      ${name} (${seconds()})${words ? `: ${words}` : ""}`);
    } catch (error) {
      console.log(`BROKEN  ${name} (${seconds()})`);
      broken.push(`${name}: ${error?.stack ?? error}`);
    }
  }
  for (const words of broken) console.log(words);
  process.exitCode = broken.length === 0 ? 0 : 1;
}
