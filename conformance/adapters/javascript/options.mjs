// @ts-check
/** A scenario's client options as the options of `new Client`. */

import { credential } from "./credentials.mjs";
import { Unsupported, wait } from "./host.mjs";

/**
 * @typedef {import("./host.mjs").Json} Json
 * @typedef {import("../../../bindings-node/types/shared.js").Hooks} Hooks
 * @typedef {import("../../../bindings-node/types/shared.js").TokenCallback} TokenCallback
 *
 * @typedef {{ tokens: number, before: number, after: number }} Counts How often a client called back.
 */

/** @type {Record<string, string>} */
const PLAIN = {
  headers: "headers",
  pacing: "pacing",
  quota: "quota",
  idempotency_keys: "idempotencyKeys",
  idempotency_header: "idempotencyHeader",
  idempotency_quoted: "idempotencyQuoted",
  max_concurrency: "maxConcurrency",
  regions: "regions",
  max_redirects: "maxRedirects",
  allowed_origins: "allowedOrigins",
  allow_http: "allowHttp",
  max_response_bytes: "maxResponseBytes",
  raise_for_status: "throwOnError",
};

/** @type {Record<string, string>} */
export const TIMEOUTS = {
  timeout_ms: "timeout",
  attempt_timeout_ms: "attemptTimeout",
  connect_timeout_ms: "connectTimeout",
  read_timeout_ms: "readTimeout",
};

/** @type {Record<string, string>} */
const CACHE = {
  max_bytes: "maxBytes",
  max_entry_bytes: "maxEntryBytes",
  stale_if_error_ms: "staleIfError",
  heuristic_freshness_ms: "heuristicFreshness",
};

/**
 * @param {Json} options
 * @returns {import("../../../bindings-node/types/shared.js").CacheOptions}
 */
function cache(options) {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [CACHE[name] ?? name, value]));
}

/** @type {Record<string, string>} */
const RETRY = {
  max_attempts: "maxAttempts",
  backoff_base_ms: "backoffBase",
  backoff_cap_ms: "backoffCap",
  max_retry_after_ms: "maxRetryAfter",
  budget: "budget",
};

/**
 * @param {Json | null} floor
 * @returns {import("../../../bindings-node/types/shared.js").MinThroughput | null}
 */
export function minThroughput(floor) {
  return floor === null ? null : { bytesPerSecond: floor.bytes_per_second, grace: floor.grace_ms };
}

/**
 * The same with its members in camel case.
 *
 * @param {Json} value
 * @returns {Json}
 */
export function camel(value) {
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const name = (/** @type {string} */ snake) => snake.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(value).map(([member, of]) => [name(member), of]));
}

/**
 * Milliseconds as they are; the numbers that JSON has no form for come as texts.
 *
 * @param {number | string | null} value
 * @returns {number | null}
 */
export function millis(value) {
  const named = { nan: Number.NaN, inf: Number.POSITIVE_INFINITY, "-inf": Number.NEGATIVE_INFINITY };
  return typeof value === "string" ? named[/** @type {keyof typeof named} */ (value)] : value;
}

/**
 * @param {Json} options
 * @param {Counts} counts
 * @returns {Promise<import("../../../bindings-node/types/shared.js").ClientOptions>}
 */
export async function clientOptions(options, counts) {
  /** @type {Json} */
  const settings = {};
  /** @type {Json} */
  const retry = {};
  for (const [name, value] of Object.entries(options)) {
    if (name === "base_url") {
      continue;
    }
    if (name in PLAIN) {
      settings[PLAIN[name]] = value;
    } else if (name in TIMEOUTS) {
      settings[TIMEOUTS[name]] = millis(value);
    } else if (name in RETRY) {
      retry[RETRY[name]] = value;
    } else if (name === "cache") {
      settings.cache = typeof value === "object" ? cache(value) : value;
    } else if (name === "min_throughput") {
      settings.minThroughput = minThroughput(value);
    } else if (name === "hedge" || name === "breaker") {
      settings[name] = camel(value);
    } else if (name === "auth") {
      settings.auth = value.kind === "token" ? tokenCallback(value.fetches, counts) : await credential(value);
    } else if (name === "credentials") {
      settings.credentials = {};
      for (const [named, of] of Object.entries(value)) {
        settings.credentials[named] = await credential(of);
      }
    } else if (name === "hooks") {
      settings.hooks = hooks(value, counts);
    } else {
      throw new Unsupported(`the option ${name}`);
    }
  }
  // A client as built is given no rules at all, not even the default ones.
  return Object.keys(retry).length > 0 ? { ...settings, retry } : settings;
}

/**
 * @param {Json[]} fetches
 * @param {Counts} counts
 * @returns {TokenCallback}
 */
function tokenCallback(fetches, counts) {
  return async () => {
    // The last one goes on for ever.
    const fetch = fetches[Math.min(counts.tokens, fetches.length - 1)];
    counts.tokens += 1;
    await wait(fetch.after_ms);
    if (fetch.error !== undefined) {
      throw new Error(fetch.error);
    }
    return fetch.expires_in_ms === undefined ? fetch.token : { token: fetch.token, expiresInMs: fetch.expires_in_ms };
  };
}

/**
 * @param {Json} script
 * @param {Counts} counts
 * @returns {Hooks}
 */
function hooks(script, counts) {
  return {
    beforeAttempt(attempt) {
      counts.before += 1;
      if (script.number_header !== undefined) {
        attempt.headers.set(script.number_header, String(attempt.number));
      }
      if (script.before_error !== undefined) {
        throw new Error(script.before_error);
      }
    },
    afterAttempt() {
      counts.after += 1;
      if (script.after_error !== undefined) {
        throw new Error(script.after_error);
      }
    },
  };
}
