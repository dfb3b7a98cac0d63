// A program as the code that somebody would type to see the same.
import { toConfiguration } from "./schemas.mjs";

/** The text of a program. */
export function programText({ schema, steps }) {
  const lines = [`const realm = new Realm({ schema: ${code(toConfiguration(schema))} });`];
  for (const step of steps) lines.push(...stepLines(step));
  return lines.map((line) => `  ${line}`).join("\n");
}

function stepLines(step) {
  switch (step.step) {
    case "write":
      return ["realm.write(() => {", ...step.operations.map((operation) => `  ${operationText(operation)};`), "});"];
    case "query":
      return [`${sourceText(step.source)}.map(key);${step.aggregate ? ` // and ${step.aggregate.join(" of ")}` : ""}`];
    case "listen":
      return [`${sourceText(step.source)}.addListener(${step.id});`];
    case "unlisten":
      return [`removeListener(${step.id});`];
  }
}

function operationText(operation) {
  const { class: name, target, property, method, args, key, value, values, mode } = operation;
  switch (operation.operation) {
    case "create":
      return `realm.create("${name}", ${code(values)}${mode ? `, "${mode}"` : ""})`;
    case "assign":
      return `${objectText(target)}.${property} = ${code(value)}`;
    case "put":
      return `${objectText(target)}.${property}[${code(key)}] = ${code(value)}`;
    case "call":
      return `${objectText(target)}.${property}.${method}(${args.map(code).join(", ")})`;
    case "delete":
      return `realm.delete(${objectText(target)})`;
    case "deleteMatching":
      return `realm.delete(${sourceText(operation.source)})`;
  }
}

function objectText([name, key]) {
  return `the("${name}", ${code(key)})`;
}

function sourceText({ class: name, target, property, filter, args = [], sort }) {
  let text = name ? `realm.objects("${name}")` : objectText(target) + (property ? `.${property}` : "");
  if (filter !== undefined) text += `.filtered(${[filter, ...args].map(code).join(", ")})`;
  if (sort !== undefined) text += `.sorted(${code(sort)})`;
  return text;
}

function code(value) {
  if (Array.isArray(value)) return `[${value.map(code).join(", ")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  switch (value.$) {
    case undefined:
      return `{ ${Object.entries(value)
        .map(([name, part]) => `${/^\w+$/.test(name) ? name : JSON.stringify(name)}: ${code(part)}`)
        .join(", ")} }`;
    case "ref":
      return objectText(value.v);
    case "date":
      return `new Date(${value.v})`;
    case "data":
      return `new Uint8Array([${value.v}])`;
    case "decimal128":
      return `Decimal128.fromString("${value.v}")`;
    case "objectId":
      return `new ObjectId("${value.v}")`;
    case "uuid":
      return `new UUID("${value.v}")`;
    default:
      return code(value.v);
  }
}
