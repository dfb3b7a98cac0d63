// What is in every contender's page: the steps, within reach of the script that drives it.
import { coldStart, STEPS } from "./steps.js";

strictByDefault();

/** Puts a contender into the page. A page whose address says `?cold=NAME` opens that database at once. */
export function install(contender) {
  const cold = new URL(location.href).searchParams.get("cold");
  globalThis.bench = {
    run: (step, ...args) => STEPS[step](contender, ...args),
    cold: cold ? coldStart(contender, cold).catch(failed) : undefined,
  };
}

/**
 * Everybody's writes are reported as complete when the disk has them, unless the contender itself says how it wants them: the
 * browser's own default would let those who say nothing off more lightly.
 */
function strictByDefault() {
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (stores, mode = "readonly", options = {}) {
    return transaction.call(this, stores, mode, { durability: "strict", ...options });
  };
}

function failed(error) {
  return { error: String(error?.stack ?? error) };
}
