// @ts-check
/** What the web package cannot do in each of its hosts, and why. */

import { CAPABILITIES } from "../javascript/host.mjs";

/** @type {readonly string[]} */
const BY_FETCH_IN_NODE = [];

/** @type {readonly string[]} */
const BY_A_BROWSER = [
  // Scripts may not set `Cookie`.
  "api_key_cookie",
  // `fetch` says "TypeError" for all of them.
  "failure_kinds",
  // `fetch` hides status and target of a redirect that it is told not to follow.
  "redirects",
  "tls",
];

export const IN_NODE = CAPABILITIES.filter((name) => !BY_FETCH_IN_NODE.includes(name));
export const IN_A_BROWSER = CAPABILITIES.filter((name) => !BY_A_BROWSER.includes(name));
