// A page's whole story under a content security policy, told on the console: nothing may be run in it from outside.
const violations = [];
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  violations.push(`${violatedDirective} ${blockedURI}`);
});

const story = { steps: [] };
try {
  await live(story.steps);
} catch (error) {
  story.steps.push(`failed: ${error?.stack ?? error}`);
}
story.violations = [...violations];
try {
  // biome-ignore lint/security/noGlobalEval: it shows that the policy is in force
  globalThis.eval("1");
  story.evalIsBlocked = false;
} catch {
  story.evalIsBlocked = true;
}
console.log(`story: ${JSON.stringify(story)}`);

async function live(steps) {
  const { default: Realm } = await import("/dist/index.js");
  const { appOf, configOf, Note } = await import("./client.js");

  const local = await Realm.open({ path: "csp", schema: [Note] });
  local.write(() => local.create("Note", { _id: "a", text: "local" }));
  await local.waitForDurable();
  steps.push(`local: ${local.objects("Note").filtered("text BEGINSWITH 'loc'").length}`);
  local.close();

  const server = Object.fromEntries(new URLSearchParams(location.search));
  const realm = await Realm.open(await configOf(server, "csp"));
  const heard = Promise.withResolvers();
  realm.objects("Note").addListener((_notes, { insertions }) => {
    if (insertions.length > 0) heard.resolve(insertions.length);
  });
  realm.write(() => realm.create("Note", { _id: "a", text: "synced" }));
  await realm.syncSession.uploadAllLocalChanges();
  steps.push(`synced: ${realm.objects("Note").length}`, `heard: ${await heard.promise}`);
  steps.push(`backup list: ${(await appOf(server).constructor.Sync.listBackups()).length}`);
  realm.close();
  steps.push("closed");
}
