// The demo page as a script sees and uses it: what is shown, and the controls that a person would use.

const PATIENCE_MS = 30_000;
/** The longest time between two looks when nothing on the page moves. */
const LOOK_AGAIN_MS = 250;

export class DemoPage {
  constructor(page) {
    this.page = page;
  }

  async open(url) {
    await this.page.goto(url);
    await this.until("both clients are open", ({ isReady }) => isReady);
  }

  async reload() {
    await this.page.reload();
    await this.until("both clients are open again", ({ isReady }) => isReady);
  }

  /** Everything that is shown. */
  read() {
    return this.page.evaluate(readPage);
  }

  /** Looks at the page each time it changes, until `condition` holds; gives what was seen then. */
  async until(what, condition, patienceMs = PATIENCE_MS) {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const seen = await this.read();
      if (condition(seen)) return seen;
      if (performance.now() > deadline) {
        const clients = JSON.stringify(seen.clients, undefined, 1);
        const log = seen.log.slice(0, 12).join("\n");
        throw new Error(`waited ${patienceMs / 1000} s until ${what}; the page shows\n${clients}\nand its log\n${log}`);
      }
      await this.page.evaluate(nextChange, LOOK_AGAIN_MS);
    }
  }

  /** Presses a button of the server panel. */
  async server(label) {
    await this.page.locator("#server-actions").getByRole("button", { name: label, exact: true }).click();
  }

  async chooseBackup(name) {
    await this.page.getByLabel("Backup to restore").selectOption(name);
  }

  /** Adds a task by typing it and pressing Enter. */
  async add(client, title) {
    const input = this.page.getByLabel(`New task for Client ${client}`);
    await input.fill(title);
    await input.press("Enter");
  }

  async retitle(client, title, next) {
    const input = this.panel(client).getByLabel(`Title: ${title}`, { exact: true });
    await input.fill(next);
    await input.press("Enter");
  }

  async toggleDone(client, title) {
    await this.panel(client).getByLabel(`Done: ${title}`, { exact: true }).press("Space");
  }

  async morePoints(client, title) {
    await this.panel(client).getByLabel(`One point more: ${title}`, { exact: true }).click();
  }

  async remove(client, title) {
    await this.panel(client).getByLabel(`Delete: ${title}`, { exact: true }).click();
  }

  /** The offline switch, by keyboard. */
  async setOffline(client, isOffline) {
    const control = this.panel(client).getByRole("switch", { name: "Offline" });
    if ((await control.isChecked()) !== isOffline) await control.press("Space");
  }

  /** The mode picker, by keyboard. */
  async setMode(client, mode) {
    await this.panel(client).getByRole("radio", { name: mode }).press("Space");
  }

  async finishManualReset(client) {
    await this.panel(client).getByRole("button", { name: "Copy to a backup and download afresh" }).click();
  }

  /** Opens or deletes the backup at a place of the list. */
  async backup(action, index) {
    const item = this.page.locator("#backups > li").nth(index);
    await item.getByRole("button", { name: action }).click();
  }

  panel(client) {
    return this.page.locator(`#client-${client}`);
  }
}

/** Runs in the page: resolves at its next change, or after `patienceMs`. */
function nextChange(patienceMs) {
  return new Promise((resolve) => {
    const finish = () => {
      observer.disconnect();
      clearTimeout(timer);
      resolve();
    };
    const observer = new MutationObserver(finish);
    const timer = setTimeout(finish, patienceMs);
    observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  });
}

/** Runs in the page. */
function readPage() {
  const text = (element) => element?.textContent.trim() ?? "";
  const all = (root, selector) => [...root.querySelectorAll(selector)];
  const clientOf = (name) => {
    const panel = document.getElementById(`client-${name}`);
    if (!panel) return undefined;
    const tasks = all(panel, ".task").map((row) => ({
      title: row.querySelector(".title").value,
      done: row.querySelector("input[type=checkbox]").checked,
      points: Number(text(row.querySelector(".points"))),
      owner: text(row.querySelector(".owner")),
    }));
    const { realm, results, object } = panel.querySelector("[data-figure=callsFigure]").dataset;
    return {
      state: text(panel.querySelector(".state")),
      sync: text(panel.querySelector(".sync-line")),
      problem: text(panel.querySelector(".problem strong")),
      tasks,
      titles: tasks.map(({ title }) => title),
      calls: { realm: Number(realm), results: Number(results), object: Number(object) },
      badges: all(panel, ".badge").map((badge) => text(badge)),
      changes: text(panel.querySelector("[data-figure=changesFigure]")),
    };
  };
  const figures = all(document, "#server-figures > div").map((row) => [
    row.dataset.figure,
    text(row.querySelector("dd")),
  ]);
  const resets = all(document, ".reset").map((reset) => ({
    client: reset.dataset.client,
    outcome: reset.dataset.outcome,
    isSettled: reset.dataset.settled === "yes",
    code: Number(reset.dataset.code),
    title: text(reset.querySelector(".reset-title")),
    total: text(reset.querySelector(".reset-total")),
    result: text(reset.querySelector(".reset-result")),
    phases: all(reset, ".phases > li").map((row) => ({ name: row.dataset.phase, ms: Number(row.dataset.ms) })),
  }));
  const comparison = all(document, "#comparison tbody tr").map((row) => ({
    verdict: row.dataset.verdict,
    cells: all(row, "td").map(text),
  }));
  return {
    isReady: document.documentElement.dataset.ready === "yes",
    clients: { A: clientOf("A"), B: clientOf("B") },
    server: { state: text(document.getElementById("server-state")), ...Object.fromEntries(figures) },
    serverBackups: all(document, "#server-backups option").map(({ value }) => value),
    // The page shows the newest first; a story is told from the beginning.
    resets: resets.reverse(),
    comparison,
    backups: all(document, "#backups > li").map((item) => text(item)),
    backupRows: all(document, "#backup-table tbody tr").map((row) => all(row, "td").map(text)),
    log: all(document, "#log > li").map((line) => all(line, "span").map(text).join(": ")),
  };
}
