// @ts-check
/** The adapter within a page: `chromium.mjs` hands it lines. */

import * as sdk from "gatewright-web";
import * as webhooks from "gatewright-web/webhooks";

import { Adapter } from "../javascript/adapter.mjs";
import { IN_A_BROWSER } from "./lacks.mjs";

const adapter = new Adapter({
  lacks: IN_A_BROWSER,
  name: `gatewright-web ${sdk.version}`,
  sdk,
  settings: {},
  show,
  webhooks,
});

/** @param {string} line */
async function answer(line) {
  return JSON.stringify(await adapter.answer(JSON.parse(line)));
}

Object.assign(globalThis, { answer });

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
