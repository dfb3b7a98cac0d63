// Where the measurements leave their results.
import fs from "node:fs";
import path from "node:path";

const FOLDER = path.join(process.env.EBBTIDE_OUTPUT, "bench");

export function output(name) {
  fs.mkdirSync(FOLDER, { recursive: true });
  return path.join(FOLDER, name);
}
