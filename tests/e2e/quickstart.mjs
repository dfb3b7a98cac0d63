// The code of README.md, run as it stands there.
import fs from "node:fs";
import { Profile } from "./support/profile.mjs";
import { equal, isTrue, keep, until } from "./support/promises.mjs";
import { control, info, output, query } from "./support/stage.mjs";

const PAGE = "quickstart.html";
const DONE = "the script has run";

const readme = fs.readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const { serverUrl } = await info();

await keep({
  async the_quick_start_of_the_readme_runs_as_written_and_again_after_a_reload() {
    const code = blockUnder("Quick start");
    await inPage(code, async (visit, lines) => {
      await visit();
      const counted = () => lines.map((line) => line.match(/^(\d+) dogs/)?.[1]).filter(Boolean);
      equal(counted(), ["1"]);
      await visit();
      equal(counted(), ["1", "2"], "the dogs that the visits counted");
      // The listener's first call has what is there, and the second what was inserted.
      isTrue(
        lines.some((line) => line.includes("[Rex]") && line.includes("[0]")),
        `the listener's calls among ${lines}`,
      );
    });
    return `${code.split("\n").length} lines`;
  },

  async the_code_with_a_server_runs_as_written_and_resets_in_place() {
    const [beginning] = blockUnder("Quick start").split(/^const realm/m);
    const code = blockUnder("With a server");
    const { head } = await realmState();
    await inPage(
      `${beginning}${code}\nrealm.write(() => realm.create(Dog, { _id: 1, name: "Rex" }, "modified"));`,
      async (visit, lines) => {
        await visit();
        await until("the upload", async () => (await realmState()).head > head);
        await control("server/terminate-sync", { realm: "pets/s_my-family" });
        await until("the reset", () => lines.some((line) => line === "reset 1"));
        isTrue(
          lines.some((line) => line.startsWith("resetting ")),
          `the call before the reset among ${lines}`,
        );
      },
    );
  },
});

/** What the server has of the README's realm. */
async function realmState() {
  const { realms } = await query("server/state");
  return realms.find(({ realm }) => realm === "pets/s_my-family") ?? { head: 0 };
}

/** A page with the code as its script; `visit` loads it, once more each time. */
async function inPage(code, use) {
  const profile = await Profile.create();
  try {
    // A file of the conductor's: to a page that came from nowhere the browser shows no server of this machine.
    fs.writeFileSync(output(PAGE), pageWith(code));
    const page = await profile.page();
    const lines = [];
    page.on("console", (message) => lines.push(message.text()));
    let visits = 0;
    const visit = async () => {
      visits += 1;
      await page.goto(new URL(`/build/output/${PAGE}`, page.url()).href);
      const runs = () => lines.filter((line) => line === DONE).length;
      await until(`the end of visit ${visits}`, () => runs() === visits || page.complaints.length > 0);
      equal(page.complaints, []);
    };
    await use(visit, lines);
    equal(page.complaints, []);
  } finally {
    await profile.end();
  }
}

/** The first block of JavaScript under a heading. */
function blockUnder(heading) {
  const [, chapter] = readme.split(new RegExp(`^#+ ${heading}.*$`, "im"));
  isTrue(chapter, `a heading '${heading}' in README.md`);
  const [, code] = chapter.match(/^```(?:js|javascript)\n([\s\S]*?)^```/m) ?? [];
  isTrue(code, "a block of JavaScript under it");
  return code.trimEnd();
}

/** The package's name and the server's address are the reader's to set. */
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
await realm.waitForDurable();
console.log(${JSON.stringify(DONE)});
</script>
</body>
</html>`;
}
