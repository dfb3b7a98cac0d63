// What a generated schema may use: whatever both builds open. A type that Ebbtide refuses today is left out today.

const PLAIN = { name: "Other", properties: { x: "int" } };
const one = (type, ...more) => [{ name: "One", properties: { p: type } }, ...more];

/** A schema for each feature that may be missing. */
const PROBES = {
  float: one("float"),
  decimal128: one("decimal128"),
  mixed: one("mixed"),
  set: one("int<>"),
  dictionary: one("int{}"),
  embedded: one("Inner", { name: "Inner", embedded: true, properties: { x: "int" } }),
  linkingObjects: [
    { name: "Other", properties: { x: "int", back: { type: "linkingObjects", objectType: "One", property: "p" } } },
    { name: "One", properties: { p: "Other" } },
  ],
  linkSet: one("Other<>", PLAIN),
  linkDictionary: one("Other{}", PLAIN),
};

/** The features that every one of the pages has. */
export async function capabilities(pages) {
  const found = {};
  for (const [feature, schema] of Object.entries(PROBES)) {
    const answers = await Promise.all(pages.map((page) => page.opens(schema)));
    found[feature] = answers.every(Boolean);
  }
  return found;
}
