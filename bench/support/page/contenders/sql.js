// The page's half of the two SQLites: everything is asked of a worker.
export function throughWorker(worker) {
  const waiting = new Map();
  const started = Promise.withResolvers();
  let number = 0;
  let listener;
  worker.onerror = ({ message }) => started.reject(new Error(message));
  worker.onmessage = ({ data }) => {
    if (data.isStarted) {
      started.resolve();
    } else if (data.live) {
      listener(data.live.length);
    } else {
      const { resolve, reject } = waiting.get(data.number);
      waiting.delete(data.number);
      if (data.error) reject(new Error(data.error));
      else resolve(data.answer);
    }
  };
  const ask =
    (name) =>
    (...args) => {
      const { promise, ...settle } = Promise.withResolvers();
      number += 1;
      waiting.set(number, settle);
      worker.postMessage({ number, name, args });
      return promise;
    };
  return {
    async open(name) {
      await started.promise;
      await ask("open")(name);
    },
    insertMany: ask("insertMany"),
    commit: ask("commit"),
    get: ask("get"),
    question: ask("question"),
    contains: ask("contains"),
    async live(callback) {
      listener = callback;
      await ask("live")();
      return ask("unlive");
    },
    setAge: ask("setAge"),
    setWeights: ask("setWeights"),
    deleteMany: ask("deleteMany"),
    close: ask("close"),
  };
}
