// @ts-check
/**
 * What the translating modules need to know of the place they run in: Node with either package, or a page in a browser.
 *
 * @typedef {typeof import("../../../bindings-node/types/shared.js")} Sdk The exports of `gatewright` or `gatewright-web`.
 * @typedef {typeof import("../../../bindings-node/types/webhooks.js")} Webhooks The exports of their entry `webhooks`.
 *
 * @typedef {object} Host
 * @property {Sdk} sdk
 * @property {Webhooks} webhooks
 * @property {string} name What `hello` says this SDK is.
 * @property {Readonly<Record<string, string>>} lacks Capabilities that this host has not, and why.
 * @property {{ readonly proxy?: false }} settings Given to every client beside the scenario's options.
 * @property {(value: unknown) => string[]} show Everything that this host shows of a value when it is printed.
 *
 * @typedef {Record<string, any>} Json An object of the line protocol, as it came or as it is written.
 */

/** What the harness asked for and the adapter cannot do. */
export class Unsupported extends Error {}

/** All that PROTOCOL.md has. */
export const CAPABILITIES = Object.freeze([
  "api_key_cookie",
  "breaker",
  "cache",
  "cancel",
  "concurrency",
  "connections",
  "credentials",
  "download",
  "events",
  "explain",
  "failure_kinds",
  "float_times",
  "hedging",
  "hooks",
  "idempotency",
  "input_errors",
  "interruptible_callbacks",
  "json_lines",
  "min_throughput",
  "oauth",
  "oauth_login",
  "only_cache",
  "pages",
  "pacing",
  "partial_bodies",
  "redirects",
  "regions",
  "replayable_upload",
  "signatures",
  "stream_download",
  "stream_upload",
  "tls",
  "token_callback",
  "trace_context",
  "truncated_encodings",
  "upload",
  "webhook_asymmetric",
  "webhook_schemes",
  "webhook_sign",
  "webhook_verify",
]);

/**
 * @param {number | undefined} ms
 * @returns {Promise<void>}
 */
export function wait(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms ?? 0));
}

/**
 * @param {string} base64
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
