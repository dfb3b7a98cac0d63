// A reference, not a product: a map of plain objects in memory, and IndexedDB used for a few packed chunks only.
import { QUESTION } from "../dogs.js";

const ROWS = 2048;
const NUMBERS = ["_id", "age", "weight", "ownerId"];
const TEXTS = ["name", "breed", "notes"];

let database;
let rows = new Map();

export async function open() {
  const request = indexedDB.open("bench", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("chunks", { autoIncrement: true });
  database = await settled(request);
  rows = new Map();
  for (const chunk of await settled(database.transaction("chunks").objectStore("chunks").getAll())) unpack(chunk);
}

export function insert(dogs) {
  for (const dog of dogs) rows.set(dog._id, { ...dog });
}

/** Writes everything as chunks, in one transaction. */
export function durable() {
  const transaction = database.transaction("chunks", "readwrite", { durability: "strict" });
  const chunks = transaction.objectStore("chunks");
  const all = [...rows.values()];
  for (let from = 0; from < all.length; from += ROWS) chunks.put(pack(all.slice(from, from + ROWS)));
  transaction.commit();
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

export function answer() {
  let count = 0;
  for (const { breed, age } of rows.values()) if (breed === QUESTION.breed && age > QUESTION.age) count += 1;
  return count;
}

export function close() {
  database.close();
}

/** Number of rows, columns of numbers, lengths of the texts, and the texts in UTF-8. */
function pack(dogs) {
  const count = dogs.length;
  const texts = new TextEncoder().encode(dogs.map((dog) => TEXTS.map((field) => dog[field]).join("")).join(""));
  const numbersAt = 8;
  const lengthsAt = numbersAt + 8 * NUMBERS.length * count;
  const textsAt = lengthsAt + 2 * TEXTS.length * count;
  const buffer = new ArrayBuffer(textsAt + texts.length);
  new Uint32Array(buffer, 0, 1)[0] = count;
  const numbers = new Float64Array(buffer, numbersAt, NUMBERS.length * count);
  const lengths = new Uint16Array(buffer, lengthsAt, TEXTS.length * count);
  dogs.forEach((dog, row) => {
    NUMBERS.forEach((field, column) => {
      numbers[column * count + row] = dog[field];
    });
    TEXTS.forEach((field, column) => {
      lengths[row * TEXTS.length + column] = dog[field].length;
    });
  });
  new Uint8Array(buffer, textsAt).set(texts);
  return buffer;
}

function unpack(buffer) {
  const count = new Uint32Array(buffer, 0, 1)[0];
  const lengthsAt = 8 + 8 * NUMBERS.length * count;
  const textsAt = lengthsAt + 2 * TEXTS.length * count;
  const numbers = new Float64Array(buffer, 8, NUMBERS.length * count);
  const lengths = new Uint16Array(buffer, lengthsAt, TEXTS.length * count);
  const text = new TextDecoder().decode(new Uint8Array(buffer, textsAt));
  let at = 0;
  for (let row = 0; row < count; row++) {
    const dog = {};
    NUMBERS.forEach((field, column) => {
      dog[field] = numbers[column * count + row];
    });
    TEXTS.forEach((field, column) => {
      const length = lengths[row * TEXTS.length + column];
      dog[field] = text.slice(at, at + length);
      at += length;
    });
    rows.set(dog._id, dog);
  }
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
