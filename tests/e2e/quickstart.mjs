// The quick start of README.md, run as it stands there.
import fs from "node:fs";
import { Profile } from "./support/profile.mjs";
import { equal, isTrue, keep, until } from "./support/promises.mjs";
import { conductorUrl, info } from "./support/stage.mjs";

const PAGE = `${conductorUrl}/quickstart`;
const DONE = "the quick start has run";

const profile = await Profile.create();
const { serverUrl } = await info();

await keep({
  async the_quick_start_of_the_readme_runs_as_written() {
    const code = quickStart(fs.readFileSync(new URL("../../README.md", import.meta.url), "utf8"));
    const page = await profile.page();
    await page.route(PAGE, (route) => route.fulfill({ contentType: "text/html", body: pageWith(code) }));
    const lines = [];
    page.on("console", (message) => lines.push(message.text()));
    // The second visit finds what the first has stored.
    for (const visit of [1, 2]) {
      await page.goto(PAGE);
      const runs = () => lines.filter((line) => line === DONE).length;
      await until(`the end of visit ${visit}`, () => runs() === visit || page.complaints.length > 0);
      equal(page.complaints, []);
    }
    return `${code.split("\n").length} lines`;
  },
});
await profile.end();

/** The first block of JavaScript under the heading. */
function quickStart(readme) {
  const [, chapter] = readme.split(/^#+ Quick start.*$/im);
  isTrue(chapter, "a heading 'Quick start' in README.md");
  const [, code] = chapter.match(/^```(?:js|javascript|html)\n([\s\S]*?)^```/m) ?? [];
  isTrue(code, "a block of JavaScript under it");
  return code.trimEnd();
}

/** A page with the code as its script. The package's name and the server's address are the reader's to set. */
function pageWith(code) {
  const script = code.replace(/https?:\/\/(localhost|127\.0\.0\.1):\d+/g, serverUrl);
  const imports = JSON.stringify({ imports: { ebbtide: "/dist/index.js" } });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Quick start</title>
<link rel="icon" href="data:,">
<script type="importmap">${imports}</script>
<body>
<script type="module">
${script}
console.log(${JSON.stringify(DONE)});
</script>
</body>
</html>`;
}
