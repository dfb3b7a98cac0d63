// Several tabs on one realm, as scripts move them.
import { BLANK, call, inProfile } from "./profile.mjs";
import { equal, isTrue, until } from "./promises.mjs";

const CLIENT = "/tests/e2e/support/tab-client.js";
const HOST = "/tests/e2e/support/tab-host.js";
/** Within this another tab has the lead. */
const HANDOVER_MS = 1000;

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

/** What uses another device: `device(realm, use)` gives a tab of the profile that has what the server has of a realm. */
export function deviceOf(profile, server) {
  return async (realm, use) => {
    const tab = await tabIn(profile);
    try {
      await tab("openSynced", server, realm);
      await tab("session", realm, "downloadAllServerChanges", 10000);
      return await use(tab);
    } finally {
      await tab.page.close();
    }
  };
}

export async function leads(tab, realm) {
  return (await tab("sessionState", realm)).leads;
}

/** Waits until the session of a tab, or of the tab that leads, has a state. */
export function sessionIs(tab, realm, wanted) {
  return until(`a session that is ${JSON.stringify(wanted)}`, async () => {
    const state = await tab("sessionState", realm);
    return Object.entries(wanted).every(([key, value]) => state[key] === value);
  });
}

/** Does what takes the lead from another tab; fails unless this one has it within a second. Gives after how many milliseconds. */
export async function takesLead(tab, realm, act) {
  await tab("watchLead", realm);
  const begun = Date.now();
  await act();
  const afterMs = (await tab("hasLed", realm)) - begun;
  isTrue(afterMs < HANDOVER_MS, `the lead within ${HANDOVER_MS} ms, not ${afterMs}`);
  return afterMs;
}

/** A browser profile and so many tabs, which are closed afterwards. */
export function withTabs(count, use) {
  return inProfile(async (profile) => {
    const tabs = [];
    for (let index = 0; index < count; index++) tabs.push(await tabIn(profile));
    return await use(tabs, profile);
  });
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

/** A tab's listener was told once of each of these notes, in any order, and of no other. */
export async function heardOnce(tab, path, ids) {
  const { inserted } = await tab("heard", path);
  equal(Object.entries(inserted).sort(), ids.map((id) => [id, 1]).sort(), "what the listener was told of, how often");
}

/** Nobody's listener was told anything that does not lead from what it knew to what there was. */
export async function noMistakes(tabs, path) {
  for (const tab of tabs) {
    const { mistakes, errors } = await tab("heard", path);
    equal([mistakes, errors], [[], []], `mistakes and errors of ${path}`);
  }
}
