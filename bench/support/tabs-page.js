// One of several tabs on one realm: writes, and takes down when its listener is called. As a worker it only listens.
import Realm from "/dist/index.js";
import { Dog, dogs } from "./dogs.js";

/** Between two writes, so that each is a message of its own. */
const PAUSE_MS = 10;

const arrivals = new Map();
let realm;
let wake = () => {};
let worker;

/** Milliseconds on a clock that all tabs of a machine share. */
const now = () => performance.timeOrigin + performance.now();

/** Opens the realm, and creates so many objects if there are none. */
export async function open(path, objects) {
  realm = await Realm.open({ path, schema: [Dog] });
  const found = realm.objects("Dog");
  if (found.length < objects) {
    realm.write(() => {
      for (const dog of dogs(objects)) realm.create("Dog", dog);
    });
    await realm.waitForDurable();
  }
  found.addListener((all, { insertions }) => {
    const moment = now();
    for (const index of insertions) arrivals.set(all[index].notes, moment);
    wake();
  });
}

/** Writes one object at a time; gives the moments. */
export async function write(count) {
  const moments = [];
  for (let index = 0; index < count; index++) {
    const dog = { _id: -1 - index, name: "", breed: "", age: 0, weight: 0, ownerId: 0, notes: String(index) };
    moments.push(now());
    realm.write(() => realm.create("Dog", dog));
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return moments;
}

/** The moments at which the listener was told of them. */
export async function heard(count) {
  while (arrivals.size < count) {
    await new Promise((resolve) => {
      wake = resolve;
    });
  }
  return Array.from({ length: count }, (_, index) => arrivals.get(String(index)));
}

/** Has a worker open the realm too. */
export async function openWorker(path) {
  worker = new Worker(import.meta.url, { type: "module" });
  // What is said before its module has run is lost.
  await new Promise((resolve) => {
    worker.onmessage = resolve;
  });
  await asked("open", path, 0);
}

export function heardInWorker(count) {
  return asked("heard", count);
}

function asked(name, ...args) {
  return new Promise((resolve, reject) => {
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage({ name, args });
  });
}

if (typeof document === "undefined") {
  addEventListener("message", async ({ data: { name, args } }) => {
    postMessage(name === "open" ? await open(...args) : await heard(...args));
  });
  postMessage("ready");
}
