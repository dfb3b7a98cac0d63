// wa-sqlite (the maintained fork) on the origin's private files, in a worker.
import { throughWorker } from "./sql.js";

export default throughWorker(new Worker(new URL("./worker.js", import.meta.url), { type: "module" }));
