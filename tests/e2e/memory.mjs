// What an app has closed or dropped takes no memory.
import { equal, keep, until } from "./support/promises.mjs";
import { tabIn, withTabs } from "./support/tabs.mjs";

const ROUNDS = 10;

await keep({
  async a_realm_that_was_closed_is_collected_with_all_that_was_asked_of_it() {
    await withTabs(0, async (_, profile) => {
      const tab = await tabIn(profile);
      await tab("openAndClose", "collected", ROUNDS);
      const left = await until("the end of what was closed", async () => {
        await tab.page.devtools.send("HeapProfiler.collectGarbage");
        const found = await tab("left");
        return found.realms === 0 && found;
      });
      equal(left, { realms: 0, collections: 0 });
    });
  },
});
