// Values of properties, as JSON that both pages can be given: what JSON lacks is `{ $: type, v: text }`.

const STRINGS = ["", "a", "b", "ab", "abc", "z", "10", "9"];
/** The oracle orders these as its time did, before Realm took the order of code points: nothing orders them here. */
const UNORDERED_STRINGS = [...STRINGS, "A", "B", "Abc", "aBC", "ä", "Ä", "é", "a b", "a*b", "日本"];
const INTS = [0, 1, 2, 3, 4, 5, -1, -2, 10, 100, 2147483648, -9007199254740991, 9007199254740991];
const DOUBLES = [0, 1, 2, 3, 0.5, 1.5, -1, -0.25, 100, 1e10];
const DATES = [0, 1, 1000, 86400000, 1577836800000, 1577836800001, 4102444800000];
const DECIMALS = ["0", "1", "1.5", "-2", "100", "0.25", "3"];

/** What may be the type of a property, with the features that it takes. A `name` is a string that nothing orders. */
export const PRIMITIVES = {
  bool: {},
  int: {},
  double: {},
  string: {},
  name: {},
  date: {},
  data: {},
  objectId: {},
  uuid: {},
  float: { feature: "float" },
  decimal128: { feature: "decimal128" },
  mixed: { feature: "mixed" },
};

/** The primitive types that there are with these features. */
export function primitivesOf(features) {
  return Object.keys(PRIMITIVES).filter((type) => {
    const { feature } = PRIMITIVES[type];
    return feature === undefined || features[feature];
  });
}

/** A value of a primitive type; few of them, so that some are equal. */
export function primitive(random, type) {
  const tagged = (v) => ({ $: type, v });
  switch (type) {
    case "bool":
      return random.chance(50);
    case "int":
      return random.chance(70) ? random.below(6) : random.pick(INTS);
    case "double":
    case "float":
      return random.pick(DOUBLES);
    case "string":
      return random.pick(STRINGS);
    case "name":
      return random.pick(UNORDERED_STRINGS);
    case "date":
      return tagged(random.pick(DATES));
    case "data":
      return tagged(random.many(0, 3, () => 97 + random.below(3)));
    case "objectId":
      return tagged(`0123456789abcdef0123456${random.below(4)}`);
    case "uuid":
      return tagged(`01234567-89ab-4def-8123-45678900000${random.below(4)}`);
    case "decimal128":
      return tagged(random.pick(DECIMALS));
    case "mixed":
      return random.chance(15)
        ? null
        : primitive(random, random.pick(["bool", "double", "string", "date", "objectId"]));
    default:
      throw new Error(`no values of the type ${type}`);
  }
}

/** A value that the type does not take. */
export function unfit(random, type) {
  // A mixed takes whatever the others do not.
  if (type === "mixed") return { $: "regexp" };
  return type === "string" || type === "name" ? 5 : random.pick([{ $: "object", v: {} }, type === "bool" ? 1 : true]);
}

/** The value as it stands in a query; undefined if it cannot be written there. */
export function literal(type, value) {
  if (value === null) return "null";
  if (typeof value === "string") return /^[ -~]*$/.test(value) ? `'${value}'` : undefined;
  if (typeof value !== "object") return String(value);
  if (type === "objectId") return `oid(${value.v})`;
  if (type === "uuid") return `uuid(${value.v})`;
  if (type === "decimal128") return value.v;
  return undefined;
}
