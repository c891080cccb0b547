// @ts-check
/** The adapter for pages and web workers: takes lines, answers with lines. */

import { Adapter } from "../javascript/adapter.mjs";
import { IN_A_BROWSER } from "./lacks.mjs";

/**
 * @param {import("../javascript/host.mjs").Sdk} sdk
 * @param {import("../javascript/host.mjs").Webhooks} webhooks
 * @returns {(line: string) => Promise<string>}
 */
export function adapterInBrowser(sdk, webhooks) {
  const name = `gatewright-web ${sdk.version}`;
  const adapter = new Adapter({ lacks: IN_A_BROWSER, name, sdk, settings: {}, show, webhooks });
  return async (line) => JSON.stringify(await adapter.answer(JSON.parse(line)));
}

/**
 * What the console, `JSON.stringify` and the curious see.
 *
 * @param {unknown} value
 * @returns {string[]}
 */
function show(value) {
  return [String(value), String(JSON.stringify(value)), ...properties(value, new Set())];
}

/**
 * The texts of all properties, hidden ones and those of prototypes too: what the developer tools unfold.
 *
 * @param {unknown} value
 * @param {Set<unknown>} seen
 * @returns {string[]}
 */
function properties(value, seen) {
  if (typeof value === "string") {
    return [value];
  }
  if (typeof value !== "object" || value === null || seen.has(value) || ArrayBuffer.isView(value)) {
    return [];
  }
  seen.add(value);
  /** @type {string[]} */
  const texts = value instanceof Headers ? [...value].flat() : [];
  for (let owner = value; owner !== null && owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
    for (const name of Object.getOwnPropertyNames(owner)) {
      const property = Object.getOwnPropertyDescriptor(owner, name);
      try {
        const shown = property?.get ? property.get.call(value) : property?.value;
        texts.push(...properties(shown, seen));
      } catch {
        // A getter that only works elsewhere shows nothing.
      }
    }
  }
  return texts;
}
