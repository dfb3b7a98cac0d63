// A page's side of a worker that has a realm open.
const worker = new Worker("/tests/e2e/support/tab-worker.js", { type: "module" });
const waiting = new Map();
let last = 0;

const ready = new Promise((resolve, reject) => {
  waiting.set(0, { resolve, reject });
});
worker.onmessage = ({ data: { id, value, error } }) => {
  const { resolve, reject } = waiting.get(id);
  waiting.delete(id);
  if (error === undefined) resolve(value);
  else reject(new Error(`in the worker: ${error}`));
};
worker.onerror = ({ message }) => waiting.get(0)?.reject(new Error(`the worker did not start: ${message}`));

/** Calls a function of the client in the worker. */
export async function inWorker(name, args) {
  await ready;
  last += 1;
  const id = last;
  const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  worker.postMessage({ id, name, args });
  return answer;
}
