// No database: what a page costs by itself, in bytes and in memory.
export default {
  open() {},
  question: () => ({ count: 0, first: [] }),
};
