// What runs in another page: see openPage() in server.js.
import * as ebbtide from "/dist/index.js";

globalThis.ebbtide = ebbtide;
globalThis.tellReady();
