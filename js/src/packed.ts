// The module's own memory: new objects are written into it whole, because a call with bytes costs less than a call for each
// value. src/api/packed.rs describes the bytes.
import { core, moduleMemory } from "./core.js";

const DEFAULT = 0x8000_0000;
/** Bytes of one cell without its run. */
const CELL_BYTES = 13;

let bytes = new Uint8Array(0);
let view = new DataView(bytes.buffer);
let start = 0;
let room = 0;
const encoder = new TextEncoder();

/** A new object being written. One at a time: `begin` forgets the one before. */
export class PackedObject {
  private at = 0;

  begin(): void {
    if (room === 0) reserve(4096, 0);
    this.at = 0;
  }

  /** How many bytes were written. */
  get length(): number {
    return this.at;
  }

  null(column: number, isDefault: boolean): void {
    this.head(column, isDefault, 0, 0);
  }

  boolean(column: number, isDefault: boolean, value: boolean): void {
    this.head(column, isDefault, value ? 2 : 3, 0);
  }

  number(column: number, isDefault: boolean, value: number): void {
    this.head(column, isDefault, 1, 8);
    view.setFloat64(start + this.at, value, true);
    this.at += 8;
  }

  bigint(column: number, isDefault: boolean, value: bigint): void {
    this.head(column, isDefault, 4, 8);
    view.setBigInt64(start + this.at, value, true);
    this.at += 8;
  }

  bytes(column: number, isDefault: boolean, value: Uint8Array): void {
    this.head(column, isDefault, 6, value.length);
    view.setUint32(start + this.at, value.length, true);
    bytes.set(value, start + this.at + 4);
    this.at += 4 + value.length;
  }

  string(column: number, isDefault: boolean, value: string): void {
    const { length } = value;
    this.head(column, isDefault, 5, length * 3);
    const from = start + this.at + 4;
    let written = 0;
    // Short and ASCII, as most are: a loop beats the encoder up to about a hundred characters.
    if (length <= 128) {
      const memory = bytes;
      for (; written < length; written++) {
        const unit = value.charCodeAt(written);
        if (unit > 0x7f) break;
        memory[from + written] = unit;
      }
    }
    if (written < length) {
      written = encoder.encodeInto(value, bytes.subarray(from, from + length * 3)).written;
    }
    view.setUint32(start + this.at, written, true);
    this.at += 4 + written;
  }

  private head(column: number, isDefault: boolean, kind: number, run: number): void {
    // Memory that has grown leaves the old buffer without bytes.
    if (this.at + CELL_BYTES + run > room || bytes.length === 0) {
      reserve(this.at + CELL_BYTES + run, this.at);
    }
    view.setUint32(start + this.at, isDefault ? (column | DEFAULT) >>> 0 : column, true);
    bytes[start + this.at + 4] = kind;
    this.at += 5;
  }
}

/** Makes room for `wanted` bytes, and keeps the first `kept`: the module may move the memory, and the memory may grow. */
function reserve(wanted: number, kept: number): void {
  const present = bytes.length === 0 ? new Uint8Array(moduleMemory().buffer) : bytes;
  const saved = kept > 0 ? present.slice(start, start + kept) : undefined;
  room = Math.max(room, 2 ** Math.ceil(Math.log2(wanted)));
  start = core.scratch(room);
  bytes = new Uint8Array(moduleMemory().buffer);
  view = new DataView(bytes.buffer);
  if (saved) bytes.set(saved, start);
}
