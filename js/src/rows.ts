// Reading values where they lie in the module's memory: a call for each costs several times as much. What is known of their
// places holds while a count in that memory stays; src/api/directory.rs describes the directory of a class.
import { core, moduleMemory, type RealmCore } from "./core.js";

/** Words of a page before those of its columns. */
const HEAD = 4;
/** Words of a column. */
const PLACES = 4;
const TWO_32 = 2 ** 32;
/** So many reads of one state are made by calls before a directory pays. */
const PATIENCE = 8;
/** A page takes as long to describe as so many reads that it saves. */
const READS_PER_PAGE = 0.25;
const SHORT_STRING = 32;
/** Strings that were read lately, by a hash of their bytes: most columns of short strings have few different ones. */
const recent: string[] = new Array(256).fill("");
const decoder = new TextDecoder();

let bytes = new Uint8Array(0);
let words = new Int32Array(bytes.buffer);
let floats = new Float32Array(bytes.buffer);
let doubles = new Float64Array(bytes.buffer);
/** The index of the count in `words`. */
let countAt = 0;

/** The rows of one class. */
export class Rows {
  /** The count for which the directory holds. */
  private count = Number.NaN;
  private directory = new Uint32Array(0);
  private firstKeys = new Float64Array(0);
  private readonly stride: number;
  /** From the last primary key that was found to its object's key. */
  private distance = 0;
  /** The object that was looked for last, the place of its page in the directory, and its row. */
  private key = 0;
  private page = 0;
  private row = 0;
  /** The count at the last read by a call, and how many such reads there were since. */
  private seen = Number.NaN;
  private calls = 0;
  private patience = PATIENCE;

  constructor(
    private readonly core: RealmCore,
    private readonly index: number,
    private readonly columns: number,
  ) {
    this.stride = HEAD + PLACES * columns;
  }

  /** Whether an object's values can be read here; otherwise the engine is to be asked. What follows reads of that object. */
  find(key: number): boolean {
    // Memory that has grown leaves old views without a count.
    if (words[countAt] !== this.count && !this.renew()) return false;
    if (key === this.key) return true;
    const { firstKeys } = this;
    let low = 0;
    let high = firstKeys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((firstKeys[middle] as number) <= key) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return false;
    const page = (low - 1) * this.stride;
    const row = this.rowOf(page, key, firstKeys[low - 1] as number);
    if (row < 0) return false;
    this.key = key;
    this.page = page;
    this.row = row;
    return true;
  }

  /**
   * The object with an int as its primary key, if that is as far from its key as the last one's was, as with primary keys that
   * count up; 0 if the engine is to be asked.
   */
  guess(primaryKey: number, column: number): number {
    // Between writes nothing is known of places, and asking for it does not pay.
    if (words[countAt] !== this.count) return 0;
    const key = primaryKey + this.distance;
    return key > 0 && this.find(key) && !this.isNull(column) && this.integer(column) === primaryKey ? key : 0;
  }

  /** Takes note of what the engine found. */
  learn(primaryKey: number, key: number): void {
    this.distance = key - primaryKey;
  }

  /** The place of a key among those of a page; -1 if it has none. */
  private rowOf(page: number, key: number, first: number): number {
    const { directory } = this;
    const rows = directory[page + 2] as number;
    const keys = directory[page + 3] as number;
    if (keys === 0) return key - first < rows ? key - first : -1;
    let low = 0;
    let high = rows;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (wide((keys >>> 2) + middle * 2) < key) low = middle + 1;
      else high = middle;
    }
    return low < rows && wide((keys >>> 2) + low * 2) === key ? low : -1;
  }

  /** Has a new directory made, if the state has been read often enough. */
  private renew(): boolean {
    refresh();
    const count = words[countAt] as number;
    if (count !== this.seen) {
      this.seen = count;
      this.calls = 0;
    }
    this.calls += 1;
    if (this.calls < this.patience) return false;
    const directory = this.core.directory(this.index, this.columns);
    if (!directory) return false;
    refresh();
    this.directory = directory;
    const pages = directory.length / this.stride;
    this.firstKeys = new Float64Array(pages);
    for (let page = 0; page < pages; page++) {
      const at = page * this.stride;
      this.firstKeys[page] = (directory[at + 1] as number) * TWO_32 + (directory[at] as number);
    }
    this.patience = PATIENCE + pages * READS_PER_PAGE;
    this.key = 0;
    this.count = count;
    return true;
  }

  isNull(column: number): boolean {
    const nulls = this.directory[this.page + HEAD + column * PLACES + 1] as number;
    return nulls !== 0 && ((bytes[nulls + (this.row >>> 3)] as number) & (1 << (this.row & 7))) !== 0;
  }

  boolean(column: number): boolean {
    return bytes[this.values(column) + this.row] === 1;
  }

  /** An int, a date's milliseconds or a link's key; rounded if a double does not hold it. */
  integer(column: number): number {
    return wide((this.values(column) >>> 2) + this.row * 2);
  }

  float(column: number): number {
    return floats[(this.values(column) >>> 2) + this.row] as number;
  }

  double(column: number): number {
    return doubles[(this.values(column) >>> 3) + this.row] as number;
  }

  string(column: number): string {
    const at = this.page + HEAD + column * PLACES;
    const span = this.row * 2;
    const offset = words[((this.directory[at] as number) >>> 2) + span] as number;
    const length = words[((this.directory[at + 2] as number) >>> 2) + span] as number;
    return text((this.directory[at + 3] as number) + offset, length);
  }

  private values(column: number): number {
    return this.directory[this.page + HEAD + column * PLACES] as number;
  }
}

function refresh(): void {
  if (bytes.length !== 0) return;
  const { buffer } = moduleMemory();
  bytes = new Uint8Array(buffer);
  words = new Int32Array(buffer);
  floats = new Float32Array(buffer);
  doubles = new Float64Array(buffer);
  countAt = core.generationAddress() >>> 2;
}

/** The integer of 64 bits at a word, as a double. */
function wide(at: number): number {
  return (words[at + 1] as number) * TWO_32 + ((words[at] as number) >>> 0);
}

/** The string at a place that the engine named: an address times 256 plus a length. */
export function stringAt(place: number): string {
  refresh();
  const length = place % 256;
  return text((place - length) / 256, length);
}

function text(address: number, length: number): string {
  if (length > SHORT_STRING) return decoder.decode(bytes.subarray(address, address + length));
  const memory = bytes;
  const end = address + length;
  let hash = length;
  for (let at = address; at < end; at++) {
    const unit = memory[at] as number;
    if (unit > 0x7f) return decoder.decode(memory.subarray(address, end));
    hash = (hash * 31 + unit) & 0xff;
  }
  const known = recent[hash] as string;
  if (known.length === length) {
    let same = 0;
    while (same < length && known.charCodeAt(same) === memory[address + same]) same++;
    if (same === length) return known;
  }
  let made = "";
  for (let at = address; at < end; at++) made += String.fromCharCode(memory[at] as number);
  recent[hash] = made;
  return made;
}
