// The package in a page with a strict content security policy.
import { Profile } from "./support/profile.mjs";
import { equal, keep, within } from "./support/promises.mjs";
import { info } from "./support/stage.mjs";

const PAGE = "/tests/e2e/support/csp.html";

const profile = await Profile.create();
const { appId, serverUrl } = await info();

await keep({
  async a_strict_content_security_policy_is_never_violated() {
    const page = await profile.page();
    const story = new Promise((resolve) => {
      page.on("console", (message) => {
        const [mark, json] = message.text().split("story: ");
        if (mark === "" && json) resolve(JSON.parse(json));
      });
    });
    await page.goto(`${new URL(PAGE, page.url())}?${new URLSearchParams({ appId, baseUrl: serverUrl })}`);
    const { steps, violations, evalIsBlocked } = await within(30000, "the page's story", story);
    equal(steps, ["local: 1", "synced: 1", "heard: 1", "backup list: 0", "closed"]);
    equal(violations, []);
    // What the page does last shows that the policy is in force.
    equal(evalIsBlocked, true);
    equal(
      page.complaints.filter((line) => !line.includes("unsafe-eval")),
      [],
    );
  },
});
await profile.end();
