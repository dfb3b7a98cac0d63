// A dedicated worker that does what its page tells it.
const client = await import("./tab-client.js");

addEventListener("message", async ({ data: { id, name, args } }) => {
  try {
    postMessage({ id, value: await client[name](...args) });
  } catch (error) {
    postMessage({ id, error: `${error?.name} [${error?.code}]: ${error?.message}\n${error?.stack}` });
  }
});
postMessage({ id: 0 });
