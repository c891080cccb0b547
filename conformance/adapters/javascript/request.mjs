// @ts-check
/** A scenario's request as the options of a call. */

import { bytesOf, Unsupported } from "./host.mjs";
import { camel, millis, minThroughput, TIMEOUTS } from "./options.mjs";

/** @typedef {import("./host.mjs").Json} Json */

/** @type {Record<string, string>} */
const PLAIN = {
  query: "query",
  headers: "headers",
  json: "json",
  text: "body",
  cache: "cache",
  credential: "credential",
  idempotency_key: "idempotencyKey",
  max_attempts: "maxAttempts",
  raise_for_status: "throwOnError",
  url_template: "urlTemplate",
};

/** Members that are no options of a call. */
const OF_THE_CALL = [
  "method",
  "path",
  "mode",
  "pages",
  "max_pages",
  "max_events",
  "last_event_id",
  "idle_timeout_ms",
  "max_line_bytes",
  "max_values",
  "stop_after_bytes",
  "replayable",
  "chunk_size",
  "traceparent",
  "tracestate",
];

/** The members that are an upload's source. */
const SOURCE = ["json", "text", "base64", "chunks", "unencodable"];

/**
 * @param {Json} request
 * @param {AbortSignal} signal
 * @returns {import("../../../bindings-node/types/shared.js").BodyOptions}
 */
export function callOptions(request, signal) {
  /** @type {Json} */
  const options = { signal };
  if (request.traceparent !== undefined) {
    const { traceparent, tracestate } = request;
    options.traceContext = tracestate === undefined ? { traceparent } : { traceparent, tracestate };
  }
  for (const [name, value] of Object.entries(request)) {
    if (OF_THE_CALL.includes(name)) {
      continue;
    }
    if (name in PLAIN) {
      options[PLAIN[name]] = value;
    } else if (name === "timeout_ms" || name === "attempt_timeout_ms") {
      options[TIMEOUTS[name]] = millis(value);
    } else if (name === "min_throughput") {
      options.minThroughput = minThroughput(value);
    } else if (name === "hedge") {
      options.hedge = camel(value);
    } else if (name === "base64") {
      options.body = bytesOf(value);
    } else if (name === "chunks") {
      options.body = request.replayable ? () => pieces(value) : pieces(value);
    } else if (name === "unencodable") {
      // JSON has no form for it, and `JSON.stringify` throws.
      options.json = { value: 1n };
    } else {
      throw new Unsupported(`the request's ${name}`);
    }
  }
  return options;
}

/**
 * @param {Json} request
 * @param {AbortSignal} signal
 * @returns {import("../../../bindings-node/types/shared.js").DownloadOptions}
 */
export function downloadOptions(request, signal) {
  if (request.method !== "GET") {
    throw new Unsupported("downloads by another method than GET");
  }
  return callOptions(request, signal);
}

/**
 * @param {Json} request
 * @param {AbortSignal} signal
 * @returns {import("../../../bindings-node/types/shared.js").UploadOptions}
 */
export function uploadOptions(request, signal) {
  const rest = Object.fromEntries(Object.entries(request).filter(([name]) => !SOURCE.includes(name)));
  const { method, chunk_size: chunkSize } = request;
  return { ...callOptions(rest, signal), method, ...(chunkSize === undefined ? {} : { chunkSize }) };
}

/**
 * @param {Json} request
 * @returns {import("../../../bindings-node/types/shared.js").UploadInput}
 */
export function uploadSource(request) {
  if (request.json !== undefined) {
    return JSON.stringify(request.json);
  }
  if (request.base64 !== undefined) {
    return bytesOf(request.base64);
  }
  if (request.chunks !== undefined) {
    return request.replayable ? () => pieces(request.chunks) : pieces(request.chunks);
  }
  return request.text ?? "";
}

/**
 * What is supposed, for `explain`.
 *
 * @param {Json} request
 * @returns {import("../../../bindings-node/types/shared.js").Supposed}
 */
export function supposed(request) {
  const { elapsed_ms: elapsed, ...members } = request.supposed;
  const { method, path, max_attempts: maxAttempts, timeout_ms: timeout } = request;
  const limits = { elapsed, maxAttempts, timeout: timeout === undefined ? undefined : millis(timeout) };
  /** @type {Json} */
  const given = { ...camel(members), method, path, ...limits };
  return /** @type {ReturnType<typeof supposed>} */ (given);
}

/**
 * What was explained, in the words of the protocol.
 *
 * @param {import("../../../bindings-node/types/shared.js").Explanation} explained
 * @returns {Json}
 */
export function explanation(explained) {
  const snake = (/** @type {string} */ name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const renamed = (/** @type {object} */ of) =>
    Object.fromEntries(Object.entries(of).map(([name, value]) => [snake(name), value]));
  return { ...renamed(explained), quotas: explained.quotas.map(renamed) };
}

/**
 * @param {Json} request
 * @param {AbortSignal} signal
 * @returns {import("../../../bindings-node/types/shared.js").PageOptions}
 */
export function pageOptions(request, signal) {
  if (request.method !== "GET") {
    throw new Unsupported("pages of another method than GET");
  }
  const { items, cursor, cursor_param: cursorParam } = request.pages ?? {};
  return { ...callOptions(request, signal), items, cursor, cursorParam };
}

/**
 * @param {Json} request
 * @param {AbortSignal} signal
 * @returns {import("../../../bindings-node/types/shared.js").EventOptions}
 */
export function eventOptions(request, signal) {
  return {
    ...callOptions(request, signal),
    method: request.method,
    ...("last_event_id" in request ? { lastEventId: request.last_event_id } : {}),
    ...("idle_timeout_ms" in request ? { idleTimeout: millis(request.idle_timeout_ms) } : {}),
  };
}

/**
 * @param {Json} request
 * @param {AbortSignal} signal
 * @returns {import("../../../bindings-node/types/shared.js").LineOptions}
 */
export function lineOptions(request, signal) {
  return {
    ...callOptions(request, signal),
    method: request.method,
    ...("max_line_bytes" in request ? { maxLineBytes: request.max_line_bytes } : {}),
    ...("idle_timeout_ms" in request ? { idleTimeout: millis(request.idle_timeout_ms) } : {}),
  };
}

/**
 * A stream that can be read once.
 *
 * @param {string[]} chunks
 * @returns {ReadableStream<Uint8Array>}
 */
function pieces(chunks) {
  const rest = chunks.map((chunk) => new TextEncoder().encode(chunk));
  return new ReadableStream({
    pull(controller) {
      const next = rest.shift();
      if (next === undefined) {
        controller.close();
      } else {
        controller.enqueue(next);
      }
    },
  });
}
