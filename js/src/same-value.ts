// Whether an element of a collection is what a program looks for.
import { BSON, isDecimal, isObjectId, isUuid } from "./bson.js";
import { RealmObject } from "./object.js";
import { bytesOf, type PropertyModel } from "./property.js";
import { KEY, MODEL } from "./symbols.js";

/** A value as a collection of one kind keeps it. What it cannot keep is left as it is, and equals no element. */
export function asKept(kind: PropertyModel["kind"], value: unknown): unknown {
  if (kind === "float" && typeof value === "number") return Math.fround(value);
  if (kind === "date" && typeof value === "string") return new Date(value);
  if (kind === "data" && typeof value === "string") return fromBase64(value);
  return value;
}

function fromBase64(text: string): unknown {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return text;
  }
}

/** Whether an element in its JavaScript form equals a value. */
export function sameValue(element: unknown, value: unknown): boolean {
  if (element === value || (element === null && value === undefined)) return true;
  if (typeof element === "number" && Number.isNaN(element)) return typeof value === "number" && Number.isNaN(value);
  if (element instanceof RealmObject) {
    if (!(value instanceof RealmObject) || value[MODEL] === undefined) return false;
    const isOfOne = element[MODEL].index === value[MODEL].index && element[MODEL].view.core === value[MODEL].view.core;
    return isOfOne && element[KEY] === value[KEY];
  }
  if (element instanceof BSON.Decimal128 || isDecimal(value)) return sameNumber(element, value);
  if (element instanceof Date) return value instanceof Date && element.getTime() === value.getTime();
  if (element instanceof BSON.ObjectId) return isObjectId(value) && element.equals(value as BSON.ObjectId);
  if (element instanceof BSON.UUID) return isUuid(value) && element.toHexString() === value.toHexString();
  if (element instanceof ArrayBuffer) {
    const [a, b] = [bytesOf(element), bytesOf(value)];
    if (!a || !b) return false;
    return a.length === b.length && a.every((byte, index) => byte === b[index]);
  }
  const isNumeric = (one: unknown) => typeof one === "bigint" || typeof one === "number";
  // biome-ignore lint/suspicious/noDoubleEquals: an int is a number or a bigint, and these are equal only loosely
  return isNumeric(element) && isNumeric(value) && (element as number) == (value as number);
}

/** Whether two numbers, decimals among them, are of one value. */
function sameNumber(a: unknown, b: unknown): boolean {
  const digits = digitsOf(a);
  return digits !== undefined && digits === digitsOf(b);
}

/** One spelling for all numbers of a value (`1`, `1.00`, `10E-1`): its digits without zeros at the ends, and where the last stands. */
function digitsOf(value: unknown): string | undefined {
  if (typeof value !== "number" && typeof value !== "bigint" && !isDecimal(value)) return undefined;
  const text = value.toString();
  const [, sign, whole, fraction = "", exponent = "0"] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  if (whole === undefined) return text;
  const all = (whole + fraction).replace(/^0+/, "");
  const digits = all.replace(/0+$/, "");
  return digits === "" ? "0" : `${sign}${digits}e${Number(exponent) - fraction.length + all.length - digits.length}`;
}
