// Rows as one buffer: their number, columns of numbers, the lengths of the texts, and the texts in UTF-8.
import { BREEDS } from "../../dogs.js";

const HEAD = 8;

function views(buffer, rows) {
  let at = HEAD;
  const view = (Type, length) => {
    const found = new Type(buffer, at, length);
    at += found.byteLength;
    return found;
  };
  const found = {
    weight: view(Float64Array, rows),
    _id: view(Int32Array, rows),
    age: view(Int32Array, rows),
    ownerId: view(Int32Array, rows),
    lengths: view(Uint16Array, 2 * rows),
    breed: view(Uint8Array, rows),
  };
  return { ...found, textsAt: at };
}

const BYTES_PER_ROW = 8 + 3 * 4 + 2 * 2 + 1;

export function pack(rows, columns, texts) {
  const text = new TextEncoder().encode(rows.map((row) => texts.name[row] + texts.notes[row]).join(""));
  const buffer = new ArrayBuffer(HEAD + BYTES_PER_ROW * rows.length + text.length);
  new Uint32Array(buffer, 0, 1)[0] = rows.length;
  const { lengths, textsAt, ...numbers } = views(buffer, rows.length);
  for (const [at, row] of rows.entries()) {
    for (const name in numbers) numbers[name][at] = columns[name][row];
    lengths[2 * at] = texts.name[row].length;
    lengths[2 * at + 1] = texts.notes[row].length;
  }
  new Uint8Array(buffer, textsAt).set(text);
  return buffer;
}

/** Calls `put` with each object. */
export function unpack(buffer, put) {
  const [rows] = new Uint32Array(buffer, 0, 1);
  const { lengths, textsAt, ...numbers } = views(buffer, rows);
  const text = new TextDecoder().decode(new Uint8Array(buffer, textsAt));
  let from = 0;
  const next = (length) => {
    from += length;
    return text.slice(from - length, from);
  };
  for (let at = 0; at < rows; at++) {
    put({
      _id: numbers._id[at],
      name: next(lengths[2 * at]),
      breed: BREEDS[numbers.breed[at]],
      age: numbers.age[at],
      weight: numbers.weight[at],
      notes: next(lengths[2 * at + 1]),
      ownerId: numbers.ownerId[at],
    });
  }
}
