// @ts-check
/** What a call came to, in the protocol's words. */

/**
 * @typedef {import("./host.mjs").Json} Json
 * @typedef {import("./host.mjs").Host} Host
 * @typedef {import("../../../bindings-node/types/shared.js").Attempt} Attempt
 * @typedef {import("../../../bindings-node/types/shared.js").Response} Response
 * @typedef {import("../../../bindings-node/types/shared.js").StreamResponse} StreamResponse
 */

/** Bodies up to this are shown, longer ones only hashed. */
const SHOWN_BODY = 64 * 1024;

/**
 * @param {Response | StreamResponse} response
 * @returns {Json}
 */
export function head(response) {
  return {
    ok: true,
    status: response.status,
    headers: Object.fromEntries(response.headers),
    url: response.url,
    request_id: response.requestId,
    attempts: response.attempts.map(attempt),
    elapsed_ms: response.elapsedMs,
    cache: response.cacheStatus,
  };
}

/**
 * @param {Uint8Array<ArrayBuffer>} content
 * @returns {Promise<Json>}
 */
export async function bodyOf(content) {
  /** @type {Json} */
  const body = { length: content.length, sha256: await sha256(content) };
  if (content.length > SHOWN_BODY) {
    return body;
  }
  try {
    body.text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content);
    body.json = JSON.parse(body.text);
  } catch {
    // It is no text, or no JSON.
  }
  return body;
}

/** What came of a streamed body. */
export class Received {
  length = 0;
  /** @type {Uint8Array[]} */
  #chunks = [];

  /** @param {Uint8Array} chunk */
  take(chunk) {
    this.length += chunk.length;
    this.#chunks.push(chunk);
  }

  /** @returns {Promise<Json>} */
  async shown() {
    const whole = new Uint8Array(this.length);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return { length: this.length, chunks: this.#chunks.length, sha256: await sha256(whole) };
  }
}

/**
 * An error of the SDK; anything else shows as what it is, which is none of the protocol's codes.
 *
 * @param {unknown} error
 * @param {Host} host
 * @returns {Json}
 */
export function failed(error, host) {
  const shown = host.show(error);
  if (!(error instanceof host.sdk.GatewrightError)) {
    const name = error instanceof Error ? error.name : typeof error;
    return { ok: false, error: { code: `javascript ${name}`, message: String(error), shown } };
  }
  return {
    ok: false,
    error: {
      code: error.code,
      status: error.status,
      retry_after_ms: error.retryAfterMs,
      request_id: error.requestId,
      retryability: error.retryability,
      message: inProtocolNames(error.message),
      method: error.method,
      url: error.url,
      problem: error.problem,
      body_text: new TextDecoder().decode(error.body.subarray(0, SHOWN_BODY)),
      shown: [...shown, error.advice],
    },
    attempts: error.attempts.map(attempt),
    elapsed_ms: error.elapsedMs,
  };
}

/**
 * Texts name options as the language has them; scenarios know them by the protocol's names.
 *
 * @param {string} message
 */
export function inProtocolNames(message) {
  return message.replaceAll(/`([a-z]+(?:[A-Z][a-z]+)+)`/g, (_, /** @type {string} */ name) => {
    const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return `\`${snake === "throw_on_error" ? "raise_for_status" : snake}\``;
  });
}

/**
 * @param {Attempt} a
 * @returns {Json}
 */
export function attempt(a) {
  return {
    number: a.number,
    started_ms: a.startedMs,
    queued_ms: a.queuedMs,
    queued_for: a.queuedFor,
    took_ms: a.tookMs,
    status: a.status,
    error: a.error,
    retry_after_ms: a.retryAfterMs,
    request_id: a.requestId,
    decision: a.decision,
    reason: a.reason,
    wait_ms: a.waitMs,
    budget_left: a.budgetLeft,
    region: a.region,
    hedge: a.hedge,
  };
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<string>}
 */
async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
