// @ts-check
/** Runs the adapter in Node with an installed package. */

import { inspect } from "node:util";

import { Adapter } from "./adapter.mjs";
import { serve } from "./lines.mjs";
import { Package, readArguments } from "./package.mjs";

/** @typedef {import("./host.mjs").Host} Host */

/**
 * @param {string} name The package's.
 * @param {Pick<Host, "lacks" | "settings">} host
 */
export async function runInNode(name, host) {
  const installed = new Package(readArguments().project, name);
  const adapter = new Adapter({
    ...host,
    name: `${installed.label} in Node ${process.versions.node}`,
    sdk: await installed.import("."),
    webhooks: await installed.import("./webhooks"),
    show,
  });
  await serve((request) => adapter.answer(request));
  // Calls under way end with the process.
  process.exit(0);
}

/**
 * What `console.log`, an unhandled rejection, `JSON.stringify` and the curious see.
 *
 * @param {unknown} value
 * @returns {string[]}
 */
function show(value) {
  const stack = value instanceof Error ? [String(value.stack)] : [];
  const deep = inspect(value, { depth: 10, getters: true, maxArrayLength: 20, showHidden: true });
  return [String(value), inspect(value), deep, String(JSON.stringify(value)), ...stack];
}
