// Crash points: every place where a page changes IndexedDB, and the callbacks between. The page stops dead at one of them,
// and the script, which is told, kills it there.
import http from "node:http";

/**
 * Where a change can be interrupted: before it is asked for; with the requests of a transaction issued, but not committed;
 * with the commit asked for and its outcome unknown; with the change done and the page not yet told. A callback is one moment.
 */
const MOMENTS = {
  write: ["begun", "issued", "committing", "complete"],
  create: ["begun", "complete"],
  delete: ["begun", "committing", "complete"],
  call: ["begun"],
};

/** The moments of a place, by its name. */
export function momentsOf(place) {
  return MOMENTS[place.split(" ")[0]];
}

/** Where a page reports that it has stopped. Its request is never answered, so that the page waits for ever. */
export class Lookout {
  #server;
  #waiting = new Map();
  #reached = new Set();

  static async open() {
    const lookout = new Lookout();
    lookout.#server = http.createServer((request) => lookout.#report(request.url.slice(1)));
    await new Promise((resolve) => lookout.#server.listen(0, "127.0.0.1", resolve));
    return lookout;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/`;
  }

  /** Resolves when the page with this ticket has stopped. */
  reached(ticket) {
    return new Promise((resolve) => {
      if (this.#reached.delete(ticket)) resolve();
      else this.#waiting.set(ticket, resolve);
    });
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #report(ticket) {
    const tell = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    if (tell) tell();
    else this.#reached.add(ticket);
  }
}

/**
 * Runs in the page, before anything else. After `crashPoints.arm({ at, moment, url })` it counts the places where the databases
 * of the package change, and stops at place number `at` in the given moment, until `crashPoints.disarm()`.
 */
export function watchForCrashPoint() {
  const ofTransaction = new WeakMap();
  const crashPoints = {
    places: [],
    arm(target) {
      crashPoints.target = target;
      crashPoints.places = [];
    },
    /** Gives the places that were come by; nothing stops the page any more. */
    disarm() {
      crashPoints.target = undefined;
      return crashPoints.places;
    },
    /** The page comes by a place of its own: a callback. */
    reach(name) {
      if (crashPoints.target) newPlace(`call ${name}`)("begun");
    },
  };

  const stop = (url) => {
    // A synchronous request that is never answered: nothing of this page runs any more, not even an event of IndexedDB.
    const request = new XMLHttpRequest();
    request.open("GET", url, false);
    request.send();
    for (;;);
  };
  const newPlace = (name) => {
    const { target } = crashPoints;
    const index = crashPoints.places.push(name) - 1;
    return (now) => {
      if (index === target.at && now === target.moment) stop(target.url);
    };
  };
  const isOurs = (name) => crashPoints.target && (name === "ebbtide" || name.startsWith("ebbtide:"));
  const follow = (transaction, place) => {
    ofTransaction.set(transaction, place);
    transaction.addEventListener("complete", () => place("complete"));
  };

  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (stores, mode, ...rest) {
    if (mode !== "readwrite" || !isOurs(this.name)) return transaction.call(this, stores, mode, ...rest);
    const place = newPlace(`write ${this.name} ${[].concat(stores)}`);
    place("begun");
    const made = transaction.call(this, stores, mode, ...rest);
    follow(made, place);
    return made;
  };

  const { commit } = IDBTransaction.prototype;
  IDBTransaction.prototype.commit = function () {
    const place = ofTransaction.get(this);
    place?.("issued");
    commit.call(this);
    place?.("committing");
  };

  const { open, deleteDatabase } = IDBFactory.prototype;
  IDBFactory.prototype.open = function (name, ...rest) {
    const request = open.call(this, name, ...rest);
    request.addEventListener("upgradeneeded", () => {
      if (!isOurs(name)) return;
      const place = newPlace(`create ${name}`);
      place("begun");
      follow(request.transaction, place);
    });
    return request;
  };
  IDBFactory.prototype.deleteDatabase = function (name) {
    if (!isOurs(name)) return deleteDatabase.call(this, name);
    const place = newPlace(`delete ${name}`);
    place("begun");
    const request = deleteDatabase.call(this, name);
    place("committing");
    request.addEventListener("success", () => place("complete"));
    return request;
  };

  globalThis.crashPoints = crashPoints;
}
