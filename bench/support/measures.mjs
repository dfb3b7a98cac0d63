// What is measured of each contender, where its figure is found in a run, and what Ebbtide aims at.
//
// A target is `{ than, most }`: at most so many times `best` (the best product), `reference`, or a contender by its name. A
// limit is in the measure's own unit.

const ms = "ms";
const us = "us";
const thousand = (value) => (value === undefined ? undefined : value * 1000);
const best = (most) => ({ than: "best", most });
const reference = (most) => ({ than: "reference", most });

export const MEASURES = [
  measure("insert, visible", ms, (run) => run.insert?.visible),
  measure("insert, durable", ms, (run) => persisted(run, run.insert?.durable), best(0.35)),
  measure("commit of one, visible, p50", us, (run) => thousand(run.commitsVisible?.p50), best(1)),
  measure("1,000 commits at once, durable", ms, (run) => persisted(run, run.commitsPipelined?.all), best(0.25)),
  measure("commit of one, awaited durable, p50", ms, (run) => persisted(run, run.commitsAwaited?.p50), reference(1.3)),
  measure("read by primary key, two properties, each", us, (run) => thousand(run.reads?.each), {
    than: "lokijs",
    most: 2,
  }),
  measure("age > X AND breed == Y, first 50 by name, p50", ms, (run) => run.questions?.p50, best(0.4)),
  measure("notes CONTAINS s, first 50 by name, p50", ms, (run) => run.contains?.p50, best(0.4)),
  measure("write until a live query's listener knows, p50", ms, (run) => run.live?.p50, best(0.5)),
  measure("cold start, navigation to first answer", ms, (run) => run.coldStart?.answered, best(0.75)),
  measure("cold start, open() to first answer", ms, (run) => run.coldStart?.opened),
  measure("change 10 %, visible", ms, (run) => run.change?.visible),
  measure("change 10 %, durable", ms, (run) => persisted(run, run.change?.durable), best(0.2)),
  measure("delete 10 %, visible", ms, (run) => run.remove?.visible),
  measure("delete 10 %, durable", ms, (run) => persisted(run, run.remove?.durable), best(0.2)),
  measure("memory above the empty page", "MB", (run) => run.memory && run.memory.above / 1e6, reference(1.5)),
  measure("on disk", "MB", (run) => run.stored && run.stored / 1e6, reference(1.1)),
  measure("download, gzipped", "kB", (run) => run.download && run.download / 1e3, { limit: 300 }),
];

function measure(name, unit, of, target) {
  return { name, unit, of, target };
}

/** What is never on the disk has no figure for being there. */
function persisted(run, value) {
  return run.contender === "realm" ? undefined : value;
}
