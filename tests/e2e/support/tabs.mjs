// Several tabs on one realm, as scripts move them.
import { BLANK, call, Profile } from "./profile.mjs";
import { equal, until } from "./promises.mjs";

const CLIENT = "/tests/e2e/support/tab-client.js";
const HOST = "/tests/e2e/support/tab-host.js";

/** A tab: `tab("write", path, notes)` calls a function of the client there. */
export async function tabIn(profile, options) {
  const page = await profile.page(options);
  const tab = (name, ...args) => call(page, CLIENT, name, ...args);
  tab.page = page;
  return tab;
}

/** A worker of a tab's page. */
export function workerOf(tab) {
  return (name, ...args) => call(tab.page, HOST, "inWorker", name, args);
}

/** A frame in a tab's page. */
export async function frameOf(tab) {
  const element = await tab.page.evaluateHandle((address) => {
    const frame = document.createElement("iframe");
    frame.src = address;
    return new Promise((resolve) => {
      frame.addEventListener("load", () => resolve(frame));
      document.body.append(frame);
    });
  }, BLANK);
  const frame = await element.asElement().contentFrame();
  return (name, ...args) => call(frame, CLIENT, name, ...args);
}

/** As many tabs as `use` takes, of a browser that is spoken to in its own protocol; the last is in front. They are closed afterwards. */
export async function withPages(browser, use) {
  const tabs = [];
  try {
    while (tabs.length < use.length) {
      const page = await browser.page();
      const tab = (name, ...args) => page.call(CLIENT, name, ...args);
      tab.page = page;
      tabs.push(tab);
    }
    return await use(...tabs);
  } finally {
    for (const tab of tabs) await tab.page.close();
  }
}

/** A tab of another profile, as on another device, with what the server has of a realm. */
export async function onDevice(profile, server, realm, use) {
  const tab = await tabIn(profile);
  try {
    await tab("openSynced", server, realm);
    await tab("session", realm, "downloadAllServerChanges", 10000);
    return await use(tab);
  } finally {
    await tab.page.close();
  }
}

export async function leads(tab, realm) {
  return (await tab("sessionState", realm)).leads;
}

/** A browser profile and so many tabs, which are closed afterwards. */
export async function withTabs(count, use) {
  const profile = await Profile.create();
  try {
    const tabs = [];
    for (let index = 0; index < count; index++) tabs.push(await tabIn(profile));
    return await use(tabs, profile);
  } finally {
    await profile.end();
  }
}

/** Waits until all show the same and `isAll` is content with it, and that their listeners have been told so. */
export async function agree(tabs, path, isAll = () => true) {
  let last = [];
  const look = async () => {
    last = await Promise.all(tabs.map((tab) => tab("shown", path)));
    const [first, ...others] = last;
    const text = JSON.stringify(first);
    if (!isAll(first) || others.some((other) => JSON.stringify(other) !== text)) return undefined;
    const copies = await Promise.all(tabs.map(async (tab) => (await tab("heard", path)).copy));
    return copies.every((copy) => copy === first.notes.length) && first;
  };
  try {
    return await until(`agreement of ${tabs.length} tabs on ${path}`, look);
  } catch (error) {
    const heard = await Promise.all(tabs.map((tab) => tab("heard", path)));
    const told = heard.map(({ mistakes, errors, copy }) => JSON.stringify({ mistakes: mistakes.length, errors, copy }));
    throw new Error(`${error.message}\n${differences(last)}\n${told.join("\n")}`);
  }
}

/** Where what several tabs show differs first. */
function differences(all) {
  const lines = [];
  for (const part of Object.keys(all[0] ?? {})) {
    const lists = all.map((shown) => shown[part].flatMap((item) => (part === "boards" ? Object.values(item) : [item])));
    const at = lists[0].findIndex((item, index) =>
      lists.some((list) => JSON.stringify(list[index]) !== JSON.stringify(item)),
    );
    const lengths = lists.map((list) => list.length);
    lines.push(`${part}: ${lengths} there, first difference at ${at}`);
    if (at < 0) continue;
    for (const list of lists) lines.push(`  ${JSON.stringify(list[at] ?? null).slice(0, 400)}`);
  }
  return lines.join("\n");
}

/** Nobody's listener was told anything that does not lead from what it knew to what there was. */
export async function noMistakes(tabs, path) {
  for (const tab of tabs) {
    const { mistakes, errors } = await tab("heard", path);
    equal([mistakes, errors], [[], []], `mistakes and errors of ${path}`);
  }
}
