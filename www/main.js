// Puts the page together: two clients, the server they share, and what is told of them.
import { BackupsView } from "./backups-view.js";
import { Client, PARTITION } from "./client.js";
import { ClientView } from "./client-view.js";
import { ComparisonView } from "./comparison-view.js";
import * as conductor from "./conductor.js";
import { actionButton, byId } from "./element.js";
import { Journal } from "./journal.js";
import { ServerPanel } from "./server-panel.js";
import { Timeline } from "./timeline.js";

const journal = new Journal(byId("log"));

/** What a client remembers over a reload besides its realm. */
function memoryOf(client) {
  const key = (name) => `ebbtide-demo ${client} ${name}`;
  return {
    read: (name) => localStorage.getItem(key(name)) ?? undefined,
    write: (name, value) => localStorage.setItem(key(name), value),
    clear: () => {
      for (const name of ["user", "mode", "offline"]) localStorage.removeItem(key(name));
    },
  };
}

function fail(message) {
  const notice = byId("notice");
  notice.hidden = false;
  notice.textContent = message;
}

async function start() {
  const { appId, serverUrl, proxyUrl } = await conductor.info();
  const serverRealm = `${appId}/s_${PARTITION}`;
  // The first client goes through the proxy, if there is one, so that its connection alone can be disturbed.
  const client = (name, baseUrl) => new Client({ name, appId, baseUrl, serverRealm, journal, memory: memoryOf(name) });
  const clients = [client("A", proxyUrl ?? serverUrl), client("B", serverUrl)];

  const timeline = new Timeline();
  const comparison = new ComparisonView();
  const backups = new BackupsView({ journal, clients });
  for (const each of clients) {
    each.addEventListener("reset", ({ detail: record }) => {
      timeline.show(record);
      comparison.show(record);
    });
    each.addEventListener("backup", () => void backups.refresh());
    byId("clients").append(new ClientView(each).element);
  }

  const server = new ServerPanel({ serverRealm, journal, hasProxy: proxyUrl !== undefined });
  server.addEventListener("back", () => {
    for (const each of clients) each.serverIsBack();
  });
  byId("start-over").replaceWith(
    actionButton(
      "Forget everything in this browser",
      async () => {
        for (const each of clients) {
          await each.forget();
          each.memory.clear();
        }
        await backups.removeAll();
        location.reload();
      },
      (error) => journal.error("Page", error),
      { class: "quiet", id: "start-over" },
    ),
  );

  void server.poll();
  // One after the other: the first fills an empty realm, the second downloads it.
  for (const each of clients) await each.start();
  await backups.refresh();
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  fail(`The demo cannot start: ${error.message}. Run it with: cargo xtask demo`);
});
