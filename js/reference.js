// The reference of the API, docs/api.md, from the declarations in dist/. `node js/reference.js` writes it; with `--check` it
// fails if what is written is not what the declarations say, if a public member has no words of its own, or if no test uses it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const dist = path.join(root, "dist");
const target = path.join(root, "docs/api.md");
const TESTS = ["tests/suite", "tests/e2e", "tests/e2e/support", "tests/types", "tests/types/consumer"];

const read = (name) => readFileSync(path.join(dist, name), "utf8");

/** What a module of declarations exports: names with the module and the name that they have there. */
function exportsOf(name, seen = new Set()) {
  if (seen.has(name)) return [];
  seen.add(name);
  const text = read(name);
  const found = [];
  for (const [, kind, own] of text.matchAll(/^export declare (abstract class|class|function|enum|const) (\w+)/gm)) {
    // A constant that has the members of a class beside it is one for who uses it.
    const isClass = kind === "const" && text.includes(`class ${own}Methods`);
    if (isClass) found.push({ kind: "class", name: own, own: `${own}Methods`, module: name });
    else found.push({ kind: kind.replace("abstract ", ""), name: own, own, module: name });
  }
  for (const [, , from] of text.matchAll(/^export \*( as \w+)? from "\.\/(.+)\.js"/gm)) {
    found.push(...exportsOf(`${from}.d.ts`, seen));
  }
  for (const [, names, from] of text.matchAll(/^export \{([^}]*)\} from "\.\/(.+)\.js"/gm)) {
    const there = exportsOf(`${from}.d.ts`, new Set(seen));
    for (const each of names.split(",").map((each) => each.trim())) {
      const [own, as = own] = each.split(" as ");
      const known = there.find(({ name: known }) => known === own);
      if (known) found.push({ ...known, name: as });
    }
  }
  return found;
}

/** The words of a comment, in one line. */
function wordsOf(comment) {
  const lines = comment.split("\n").map((line) => line.replace(/^\s*(\/\*\*|\*\/|\*)?\s?/, "").replace(/\s*\*\/$/, ""));
  return lines.join(" ").replace(/\s+/g, " ").trim();
}

/** The public members of a class: name, signature and words, overloads as one. */
function membersOf({ module, own }) {
  const text = read(module);
  const start = text.search(new RegExp(`^export declare (abstract )?class ${own}\\b`, "m"));
  const body = text.indexOf(" {\n", start) + 3;
  const lines = text.slice(body, text.indexOf("\n}", body)).split("\n");
  const members = new Map();
  let comment = "";
  let open = "";
  for (const line of lines) {
    if (open !== "" || /^ {4}\/\*\*/.test(line)) {
      open += `${line}\n`;
      if (line.includes("*/")) {
        comment = wordsOf(open);
        open = "";
      }
      continue;
    }
    if (!/^ {4}\S/.test(line) || line.startsWith("    }")) continue;
    const words = comment;
    comment = "";
    if (/^ {4}(private|protected|#)/.test(line)) continue;
    const [, modifiers, name] = line.match(/^ {4}((?:(?:static|readonly|abstract|get|set) )*)(\w+|\[\w[^\]]*\])/) ?? [];
    if (name === undefined || name.startsWith("[")) continue;
    const isStatic = modifiers.includes("static");
    const id = `${isStatic ? "static " : ""}${name}`;
    const isCalled = new RegExp(`^ {4}(static )?(abstract )?${name}(<.*>)?\\(`).test(line);
    const known = members.get(id);
    members.set(id, { name, isStatic, isCalled, words: known?.words || words });
  }
  return [...members.values()];
}

/** The comment before a declaration. */
function introduction({ module, own, kind }) {
  const before = read(module).split(new RegExp(`^export declare (?:abstract )?${kind} ${own}\\b`, "m"))[0];
  const comment = before.match(/\/\*\*((?!\*\/)[\s\S])*\*\/\s*$/)?.[0];
  return comment ? wordsOf(comment) : "";
}

function baseOf({ module, own }) {
  return read(module).match(new RegExp(`^export declare (?:abstract )?class ${own}\\b.*? extends (\\w+)`, "m"))?.[1];
}

/** The words of a member: its own, or those of the class that it is from. */
function wordsFor(each, { name, isStatic, words }) {
  if (words !== "") return words;
  const base = all.find(({ own, kind }) => kind === "class" && own === baseOf(each));
  const there = base && membersOf(base).find((member) => member.name === name && member.isStatic === isStatic);
  return there ? wordsFor(base, there) : "";
}

function enumOf({ module, own }) {
  const text = read(module);
  const start = text.indexOf(`export declare enum ${own} {`);
  const body = text.slice(start, text.indexOf("\n}", start));
  return [...body.matchAll(/^ {4}(\w+) = (.+?),?$/gm)].map(([, name, value]) => `\`${name}\` = ${value}`);
}

const everything = new Map();
for (const each of exportsOf("index.d.ts")) {
  const id = `${each.module} ${each.own}`;
  const known = everything.get(id);
  if (!known) everything.set(id, { ...each, names: [each.name] });
  else if (!known.names.includes(each.name)) known.names.push(each.name);
}
const all = [...everything.values()].sort((a, b) => (a.own < b.own ? -1 : 1));
const of = (kind) => all.filter((each) => each.kind === kind);
const wrong = [];

const tests = TESTS.flatMap((folder) => {
  const names = readdirSync(path.join(root, folder)).filter((name) => /\.(js|mjs|ts)$/.test(name));
  return names.map((name) => readFileSync(path.join(root, folder, name), "utf8"));
}).join("\n");
/** Classes whose members tests/suite/surface.js calls by the names in its own list. */
const LISTED = ["ApiKeyAuth", "EmailPasswordAuth", "MongoDBCollection", "PushClient"];
const isTested = (name) => new RegExp(`[.?]${name}\\b`).test(tests);
const shown = ({ names }) => (names.includes("Object") ? "Object" : names.includes("Set") ? "Set" : names.at(-1));

const lines = [
  "# The API",
  "",
  "Every class, function and enumeration that the package exports, with every public member: what Realm JS has, and Ebbtide's own.",
  "The types of arguments and answers are in the declarations, which editors show. Names are also found under `Realm.`; members",
  "that a class has of another are described there. This page is made by `node js/reference.js`, and a check keeps it true.",
  "",
];

for (const each of of("class")) {
  const base = baseOf(each);
  lines.push(`## ${shown(each)}`, "");
  const words = introduction(each);
  if (words === "") wrong.push(`${each.own}: no words`);
  lines.push(
    `${words}${base && all.some(({ own }) => own === base) ? ` Has what \`${base.replace("Realm", "")}\` has.` : ""}`,
  );
  const members = membersOf(each).filter(({ name }) => name !== "constructor");
  if (members.length > 0) lines.push("", "| | |", "|---|---|");
  for (const member of members) {
    const { name, isStatic, isCalled } = member;
    const words = wordsFor(each, member);
    const label = `${isStatic ? `${shown(each)}.` : ""}${name}${isCalled ? "()" : ""}`;
    if (words === "") wrong.push(`${each.own}.${name}: no words`);
    if (!isTested(name) && !LISTED.includes(each.own)) wrong.push(`${each.own}.${name}: in no test`);
    lines.push(`| \`${label}\` | ${words.replaceAll("|", "\\|")} |`);
  }
  lines.push("");
}
lines.push("## Functions", "", "| | |", "|---|---|");
for (const each of of("function")) {
  const words = introduction(each);
  if (words === "") wrong.push(`${each.own}(): no words`);
  if (!isTested(each.name) && !new RegExp(`\\b${each.name}\\(`).test(tests)) wrong.push(`${each.own}(): in no test`);
  lines.push(`| \`${each.name}()\` | ${words.replaceAll("|", "\\|")} |`);
}
lines.push("", "## Enumerations", "", "| | |", "|---|---|");
for (const each of of("enum")) lines.push(`| \`${each.name}\` | ${enumOf(each).join(", ")} |`);

const text = `${lines.join("\n")}\n`;
if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== text)
    wrong.push("docs/api.md is not what the declarations say: node js/reference.js");
  if (wrong.length > 0) {
    console.error(wrong.join("\n"));
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
  if (wrong.length > 0) console.log(wrong.join("\n"));
}
