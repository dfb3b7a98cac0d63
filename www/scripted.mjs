// Plays the demo page's whole story through its visible controls in a headless browser, prints each step with its figures, and
// fails at the first thing that is not as it should be. `cargo xtask demo --scripted` sets the stage.
import assert from "node:assert/strict";
import { conductorUrl, launch, output } from "../tests/e2e/support/stage.mjs";
import { DemoPage } from "./scripted/page.mjs";

const IN_PLACE = ["marked", "staging", "checking", "before", "swapping", "after", "resume"];

const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: "light" });
const pageErrors = [];
page.on("pageerror", (error) => pageErrors.push(error.message));
const demo = new DemoPage(page);
let current = "starting";

/** One step of the story; `play` gives its figures. */
async function step(name, play) {
  current = name;
  const begin = performance.now();
  const figures = await play();
  assert.deepEqual(pageErrors, [], "errors that nobody caught on the page");
  console.log(`  ${name.padEnd(56)} ${`${Math.round(performance.now() - begin)} ms`.padStart(8)}   ${figures ?? ""}`);
}

async function play() {
  await step("both clients open one realm", async () => {
    await demo.open(`${conductorUrl}/`);
    const { clients } = await demo.until("both are connected", ({ clients }) => bothAre("connected", clients));
    assert.equal(clients.A.titles.length, 4, "tasks on the first visit");
    await converged();
    return `${clients.A.titles.length} tasks, ${badges(clients.A)} and ${badges(clients.B)}`;
  });

  await step("each sees what the other writes", async () => {
    const before = performance.now();
    await demo.add("A", "Written on A");
    await demo.until("B has the task of A", ({ clients }) => clients.B.titles.includes("Written on A"));
    const there = performance.now();
    await demo.toggleDone("B", "Written on A");
    await demo.until("A has it done", ({ clients }) => taskOf(clients.A, "Written on A").done);
    const back = performance.now();
    await demo.remove("B", "Order new charts");
    await demo.until("A has lost a task", ({ clients }) => !clients.A.titles.includes("Order new charts"));
    await converged();
    return `there ${ms(there - before)}, back ${ms(back - there)}`;
  });

  await step("A writes offline and uploads later", async () => {
    await demo.setOffline("A", true);
    await demo.until("A is offline", ({ clients }) => clients.A.state === "offline");
    await demo.add("A", "Written offline");
    await demo.morePoints("A", "Log the tide at noon");
    const seen = await demo.until("A has something to upload", ({ clients }) => waiting(clients.A) !== undefined);
    const kept = waiting(seen.clients.A);
    assert.ok(!seen.clients.B.titles.includes("Written offline"), "B cannot know it yet");
    await demo.setOffline("A", false);
    await demo.until("B has it", ({ clients }) => clients.B.titles.includes("Written offline"));
    await converged();
    return `${kept} waited for upload`;
  });

  let backup;
  let atBackup;
  await step("a backup, and more writes after it", async () => {
    atBackup = (await converged()).clients.A.tasks;
    await demo.server("Take a backup");
    const seen = await demo.until("the backup is listed", ({ serverBackups }) => serverBackups.length === 1);
    [backup] = seen.serverBackups;
    await demo.add("A", "After the backup, on A");
    await demo.add("B", "After the backup, on B");
    await demo.retitle("B", "Refill the water tanks", "Refill the tanks, both of them");
    await converged();
    await demo.setOffline("A", true);
    await demo.until("A is offline", ({ clients }) => clients.A.state === "offline");
    await demo.add("A", "Never uploaded");
    await demo.toggleDone("A", "Check the mooring lines");
    const { clients } = await demo.until("A has both", ({ clients }) => clients.A.titles.includes("Never uploaded"));
    return `backup ${backup}, ${clients.A.titles.length} tasks on A and ${clients.B.titles.length} on B`;
  });

  await step("the backup is restored: both reset in place", async () => {
    await demo.chooseBackup(backup);
    const atB = await resetOf("B", () => demo.server("Restore it"));
    const atA = await resetOf("A", () => demo.setOffline("A", false));
    for (const { reset, before, after, told } of [atA, atB]) {
      assert.deepEqual(after.badges, before.badges, "the JavaScript objects are the same ones, and live");
      assert.deepEqual([told.realm, told.results], [1, 1], "each listener was told once");
      assert.ok([209, 211].includes(reset.code), `the cause is a restored backup, not ${reset.code}`);
    }
    const { clients, comparison } = await converged();
    assert.deepEqual(clients.A.tasks, atBackup, "A is what the backup was");
    const dropped = comparison.filter(({ verdict }) => verdict === "dropped").map(({ cells }) => cells[0]);
    assert.ok(
      dropped.some((cell) => cell.includes("Never uploaded")),
      "the unsynced task is shown as dropped",
    );
    return `A ${atA.reset.total}, B ${atB.reset.total}; code ${atA.reset.code} and ${atB.reset.code}; ${atA.after.changes}`;
  });
  await picture("restored");

  await step("sync is terminated: a reset without a difference is silent", async () => {
    await demo.setOffline("A", true);
    await demo.until("A is offline", ({ clients }) => clients.A.state === "offline");
    await demo.morePoints("A", "Written offline");
    const atB = await resetOf("B", () => demo.server("Terminate sync"));
    const atA = await resetOf("A", () => demo.setOffline("A", false));
    assert.deepEqual([atA.reset.code, atB.reset.code], [211, 211], "another epoch");
    assert.deepEqual(
      atB.told,
      { realm: atB.told.realm, results: 0, object: 0 },
      "nothing differs on B: nobody is told",
    );
    assert.equal(atA.told.results, 1, "one task differs on A: its list is told once");
    assert.deepEqual(atA.after.badges, atA.before.badges, "the same objects on A");
    assert.deepEqual(atB.after.badges, atB.before.badges, "the same objects on B");
    const { clients } = await converged();
    assert.deepEqual(clients.A.tasks, atBackup, "the unsynced point is gone");
    return `A ${atA.reset.total}, told ${calls(atA.told)}; B ${atB.reset.total}, told ${calls(atB.told)}`;
  });

  await step("the history is trimmed while A is away", async () => {
    await demo.setOffline("A", true);
    await demo.until("A is offline", ({ clients }) => clients.A.state === "offline");
    const { server } = await demo.read();
    await demo.add("B", "While A was away");
    await demo.until("the server has it", ({ server: now }) => now.head !== server.head);
    await demo.server("Trim history");
    const trimmed = await demo.until("history is trimmed", ({ server: now }) => now["history-from"] === now.head);
    const resets = trimmed.resets.length;
    const atA = await resetOf("A", () => demo.setOffline("A", false));
    assert.equal(atA.reset.code, 222, "the client is expired");
    assert.deepEqual(atA.after.badges, atA.before.badges, "the same objects");
    assert.equal(atA.told.results, 1, "its list is told once");
    const seen = await converged();
    assert.ok(seen.clients.A.titles.includes("While A was away"), "A has what it missed");
    assert.equal(seen.resets.length, resets + 1, "B had no reason to reset");
    return `A ${atA.reset.total}, code ${atA.reset.code}, history from ${trimmed.server["history-from"]}`;
  });

  await step("the server is killed, both write on, it starts again", async () => {
    const { resets } = await demo.read();
    await demo.server("kill -9");
    await demo.until(
      "both have lost it",
      (seen) => seen.server.state === "not running" && bothAreNot("connected", seen.clients),
    );
    await demo.add("A", "Without a server, on A");
    await demo.add("B", "Without a server, on B");
    await demo.morePoints("A", "Check the mooring lines");
    await demo.until("both wait", ({ clients }) => waiting(clients.A) && waiting(clients.B));
    const begin = performance.now();
    await demo.server("Start");
    const seen = await converged(
      (titles) => titles.includes("Without a server, on A") && titles.includes("Without a server, on B"),
    );
    assert.equal(seen.resets.length, resets.length, "no reset was needed");
    return `converged ${ms(performance.now() - begin)} after the start, ${seen.server.process}`;
  });

  await step("bytes that mean nothing arrive at A", async () => {
    await demo.server("Garbage to client A");
    await demo.until("the log says so", ({ log }) => log.some((line) => line.includes("mean nothing")));
    await demo.add("A", "After the garbage");
    await demo.until("B has it", ({ clients }) => clients.B.titles.includes("After the garbage"));
    const { clients } = await converged();
    return `A is ${clients.A.state}, ${clients.A.titles.length} tasks`;
  });

  await step("in manual mode a reset is left to the app", async () => {
    await demo.setMode("B", "manual");
    await demo.until("B is open in that mode", ({ log }) => log.includes("Client B: mode manual"));
    await converged();
    const atA = await resetOf("A", () => demo.server("Terminate sync"));
    assert.equal(atA.reset.code, 211, "A, in the other mode, resets in place");
    const { clients } = await demo.until("B has the error", (now) => now.clients.B.problem === "ClientReset");
    await demo.finishManualReset("B");
    await demo.until("the old realm is a backup", ({ backups }) => backups.length === 1);
    const { clients: afresh } = await converged();
    assert.equal(afresh.B.titles.length, clients.B.titles.length, "everything was downloaded afresh");
    await demo.backup(/^Delete/, 0);
    await demo.until("the backup is deleted", ({ backups }) => backups.length === 0);
    await demo.setMode("B", "discardLocal");
    await demo.until("B is open in that mode", ({ log }) => log.includes("Client B: mode discardLocal"));
    await converged();
    return `A ${atA.reset.total} in place; B ${clients.B.problem}, then ${badges(afresh.B)}`;
  });

  let rescued;
  await step("the schema is broken: ClientReset, and the manual path", async () => {
    await demo.setOffline("A", true);
    await demo.until("A is offline", ({ clients }) => clients.A.state === "offline");
    const known = (await demo.read()).resets.length;
    await demo.add("A", "Unsynced when the schema broke");
    await demo.server("Drop Task.points");
    await demo.setOffline("A", false);
    await demo.until("both have the error", ({ clients }) => bothHaveTheError(clients));
    await demo.add("A", "Written while it waits for the app");
    const { clients: broken } = await demo.until("A still writes", ({ clients }) =>
      clients.A.titles.includes("Written while it waits for the app"),
    );
    rescued = broken.A.tasks;
    for (const name of ["A", "B"]) {
      await demo.finishManualReset(name);
      await demo.until(
        `${name} is open again`,
        ({ clients }) => clients[name].state === "connected" && !clients[name].problem,
      );
    }
    await demo.until("both old realms are backups", ({ backups }) => backups.length === 2);
    const seen = await converged();
    assert.ok(
      !seen.clients.A.titles.includes("Unsynced when the schema broke"),
      "the fresh realm has what the server has",
    );
    const manual = seen.resets.slice(known).filter(({ outcome }) => outcome === "manual");
    assert.equal(manual.length, 2, "two resets in the manual path");
    assert.ok(seen.clients.A.calls.results > broken.A.calls.results, "the counters went on");
    return `${broken.A.problem} (code ${manual[0].code}), ${seen.backups.length} backups, ${seen.clients.A.titles.length} tasks afresh`;
  });

  await step("the backup has the old data, unsynced included", async () => {
    const { backups } = await demo.read();
    const index = backups.findIndex((line) => line.includes("Client A"));
    await demo.backup(/^Open/, index);
    const { backupRows } = await demo.until("the backup is open", (seen) => seen.backupRows.length > 0);
    const titles = backupRows.map(([title]) => title);
    assert.deepEqual([...titles].sort(), rescued.map(({ title }) => title).sort(), "every task of the old realm");
    assert.ok(titles.includes("Unsynced when the schema broke"), "what was never uploaded");
    assert.ok(
      backupRows.some(([, , points]) => points === "2 points"),
      "the dropped property has its values",
    );
    await demo.backup(
      /^Delete/,
      backups.findIndex((line) => line.includes("Client B")),
    );
    await demo.until("one backup is left", (seen) => seen.backups.length === 1);
    return `${titles.length} tasks in it, ${backupRows.filter((row) => row.at(-1) === "only in the backup").length} only there`;
  });
  await picture("manual");

  const { resets } = await demo.read();
  await step("after a reload everything is still there", async () => {
    await demo.setOffline("A", true);
    await demo.until("A is offline", ({ clients }) => clients.A.state === "offline");
    await demo.add("A", "Written before the reload");
    const { clients: before } = await demo.until("A has it", ({ clients }) =>
      clients.A.titles.includes("Written before the reload"),
    );
    const begin = performance.now();
    await demo.reload();
    const { clients } = await demo.until("A shows its tasks", ({ clients }) => clients.A.titles.length > 0);
    const opened = performance.now() - begin;
    assert.deepEqual(clients.A.tasks, before.A.tasks, "A as before, with what was never uploaded");
    assert.equal(clients.A.state, "offline", "and still offline");
    await demo.setOffline("A", false);
    await demo.until("B has it too", ({ clients: now }) => now.B.titles.includes("Written before the reload"));
    const seen = await converged();
    assert.equal(seen.backups.length, 1, "the backup is still listed");
    return `open again after ${ms(opened)}, ${seen.clients.A.titles.length} tasks`;
  });
  await picture("end");
  printTimeline(resets);
}

/** Waits for the next reset of a client that `cause` brings about, and says what the client was told meanwhile. */
async function resetOf(client, cause) {
  const { clients, resets } = await demo.read();
  const known = resets.filter((reset) => reset.client === client).length;
  const before = clients[client];
  await cause();
  const seen = await demo.until(`client ${client} is reset`, (now) => {
    const last = now.resets.filter((reset) => reset.client === client)[known];
    return last?.outcome === "done" && last.isSettled && now.clients[client].state === "connected";
  });
  const reset = seen.resets.filter((each) => each.client === client)[known];
  const names = reset.phases.map(({ name }) => name).filter((name) => name !== "tell");
  assert.deepEqual(names, IN_PLACE, "every phase of a reset in place");
  const after = seen.clients[client];
  const told = Object.fromEntries(
    Object.keys(after.calls).map((name) => [name, after.calls[name] - before.calls[name]]),
  );
  return { reset, before, after, told };
}

/** Waits until both clients are connected, have nothing to upload, and show the same tasks as the server counts. */
function converged(also = () => true) {
  return demo.until("both clients and the server agree", ({ clients, server }) => {
    const { A, B } = clients;
    if (!bothAre("connected", clients) || waiting(A) || waiting(B)) return false;
    const isSame = JSON.stringify(A.tasks) === JSON.stringify(B.tasks);
    return isSame && server.tasks === String(A.tasks.length) && also(A.titles);
  });
}

function bothAre(state, { A, B }) {
  return A.state === state && B.state === state;
}

function bothAreNot(state, { A, B }) {
  return A.state !== state && B.state !== state;
}

function bothHaveTheError({ A, B }) {
  return A.problem === "ClientReset" && B.problem === "ClientReset";
}

/** How much waits for upload, in words, if anything. */
function waiting(client) {
  return / ([\d.]+ k?M?B) wait for upload/.exec(client.sync)?.[1];
}

function taskOf(client, title) {
  return client.tasks.find((task) => task.title === title) ?? {};
}

function badges(client) {
  return client.badges.map((badge) => badge.replace("live", " live")).join(", ");
}

function calls({ realm, results, object }) {
  return `realm ${realm}, results ${results}, object ${object}`;
}

function ms(duration) {
  return `${duration.toFixed(0)} ms`;
}

function printTimeline(resets) {
  console.log("\nThe resets, in milliseconds:");
  const columns = [...IN_PLACE.slice(0, 5), "tell", ...IN_PLACE.slice(5), "manual"];
  const row = (cells) => `  ${cells.map((cell, index) => (index === 2 ? cell.padEnd(52) : cell.padStart(9))).join("")}`;
  console.log(row(["client", "code", "  cause", ...columns, "total"]));
  for (const { client, code, title, phases, total } of resets) {
    const times = columns.map((name) => phases.find((phase) => phase.name === name)?.ms.toFixed(1) ?? "-");
    console.log(row([client, String(code), `  ${title}`, ...times, total.replace(" ms", "")]));
  }
}

/** The page as it looks now, on a desk, in the dark, and on a phone. */
async function picture(name) {
  const shots = [
    ["desktop", 1280, "light"],
    ["dark", 1280, "dark"],
    ["phone", 360, "light"],
  ];
  for (const [kind, width, colorScheme] of shots) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(overflow <= 0, `${name}: the page is ${overflow} px wider than a window of ${width} px`);
    await page.screenshot({ path: output(`demo-${name}-${kind}.png`), fullPage: true });
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
}

console.log("The story of the demo page:");
try {
  await play();
  console.log(`\nEvery step held. Pictures are in ${output("")}`);
} catch (error) {
  console.error(`\nFAILED: ${current}: ${error.message}`);
  if (pageErrors.length > 0) console.error(`errors on the page: ${pageErrors.join("; ")}`);
  await page.screenshot({ path: output("demo-failed.png"), fullPage: true }).catch(() => undefined);
  process.exitCode = 1;
} finally {
  await browser.close();
}
