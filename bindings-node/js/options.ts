/**
 * What a program says about a client and about a call, into the JSON of the native half. Names are checked here, where they are
 * written; what values mean is checked there.
 *
 * Settings JSON (all optional): `auth`, `credentials`, `headers`, `timeoutMs`, `attemptTimeoutMs`, `connectTimeoutMs`, `readTimeoutMs`, `maxAttempts`,
 * `backoffBaseMs`, `backoffCapMs`, `maxRetryAfterMs`, `budget`, `pacing`, `quota` or `sharedQuota`, `cache: true | false | {maxBytes,
 * maxEntryBytes, staleIfErrorMs, heuristicFreshnessMs}`, `idempotencyKeys`, `idempotencyHeader`,
 * `breaker: true | false | {failureRate, minimumCalls, windowMs, openMs}`, `maxConcurrency`, `regions`, `hedge: false | null | "p95" | {afterMs}`,
 * `idempotencyQuoted`, `maxRedirects`, `allowedOrigins`, `allowHttp`, `proxy`, `caCertificates`, `maxResponseBytes`, `throwOnError`,
 * `pins`, `minThroughput: {bytesPerSecond, graceMs} | null`, `hooks: {before, after}`, `client`. `pacing` may be `{maxQueue}`.
 *
 * Options JSON (all optional): `query`, `headers`, `timeoutMs`, `attemptTimeoutMs`, `maxAttempts`, `cache`, `hedge`, `idempotencyKey`, `credential`, `throwOnError`,
 * `stream: {replayable, length}`, `contentType`, `minThroughput`, `traceContext: {traceparent, tracestate}`, `urlTemplate`.
 *
 * A time is a number, `null` for none, or the text `NaN`, `Infinity` or `-Infinity`, which JSON cannot say as a number.
 */

import type { Hooks, Observer, TokenCallback, TraceContext } from "../types/shared.js";
import { authJson, credentialsJson, storesOf } from "./auth.ts";
import { Callbacks, register } from "./callbacks.ts";
import { invalidConfig, invalidRequest } from "./errors.ts";
import { headerPairs } from "./headers.ts";
import { queryPairs } from "./query.ts";
import { RedisQuota } from "./redis_quota.ts";
import type { RequestBody } from "./request_body.ts";
import { decode, kindOf } from "./text.ts";

type Wrong = (what: string) => Error;
type Json = { [name: string]: unknown };
/** Puts an option into the JSON. */
type Read = (value: unknown, name: string, into: Json, wrong: Wrong) => void;
type Readers = { readonly [name: string]: Read };

/** What JSON cannot say is said as text. */
const sayable = (value: number): number | string => (Number.isFinite(value) ? value : String(value));

const time: Read = (value, name, into, wrong) => {
  if (value !== null && typeof value !== "number") {
    throw wrong(`\`${name}\` must be a number of milliseconds, or null for none, not ${kindOf(value)}`);
  }
  into[`${name}Ms`] = value === null ? null : sayable(value);
};

const count: Read = (value, name, into, wrong) => {
  if (typeof value !== "number") {
    throw wrong(`\`${name}\` must be a number, not ${kindOf(value)}`);
  }
  into[name] = sayable(value);
};

const flag: Read = (value, name, into, wrong) => {
  if (typeof value !== "boolean") {
    throw wrong(`\`${name}\` must be true or false, not ${kindOf(value)}`);
  }
  into[name] = value;
};

const text: Read = (value, name, into, wrong) => {
  if (typeof value !== "string") {
    throw wrong(`\`${name}\` must be a string, not ${kindOf(value)}`);
  }
  into[name] = value;
};

const headers: Read = (value, name, into, wrong) => {
  into[name] = headerPairs(value, wrong);
};

const query: Read = (value, name, into, wrong) => {
  into[name] = queryPairs(value, wrong);
};

/** Read elsewhere. */
const apart: Read = () => {};

const retryRules: Readers = {
  maxAttempts: count,
  backoffBase: time,
  backoffCap: time,
  maxRetryAfter: time,
  budget: count,
};

const cacheRules: Readers = {
  maxBytes: count,
  maxEntryBytes: count,
  staleIfError: time,
  heuristicFreshness: time,
};

const breakerRules: Readers = { failureRate: count, minimumCalls: count, windowMs: count, openMs: count };
const hedgeRules: Readers = { afterMs: count };

const hedge: Read = (value, name, into, wrong) => {
  if (value === false || value === null || value === "p95") {
    into[name] = value;
  } else if (typeof value === "object") {
    const hedge: Json = {};
    read(value, hedgeRules, hedge, wrong, "`hedge`");
    into[name] = hedge;
  } else {
    throw wrong(`\`hedge\` must be {afterMs}, "p95" or false, not ${kindOf(value)}`);
  }
};

const floorRules: Readers = { bytesPerSecond: count, grace: time };

const minThroughput: Read = (value, name, into, wrong) => {
  if (value === null) {
    into[name] = null;
  } else if (typeof value === "object") {
    const floor: Json = {};
    read(value, floorRules, floor, wrong, "`minThroughput`");
    into[name] = floor;
  } else {
    throw wrong(`\`${name}\` must be an object, or null for no floor, not ${kindOf(value)}`);
  }
};

const settings: Readers = {
  auth: (value, name, into) => {
    into[name] = authJson(value);
  },
  credentials: (value, name, into) => {
    into[name] = credentialsJson(value);
  },
  headers,
  timeout: time,
  attemptTimeout: time,
  connectTimeout: time,
  readTimeout: time,
  retry: (value, _name, into, wrong) => {
    if (value === false) {
      into.maxAttempts = 1;
    } else if (typeof value === "number") {
      into.maxAttempts = sayable(value);
    } else if (typeof value === "object" && value !== null) {
      read(value, retryRules, into, wrong, "`retry`");
    } else {
      throw wrong(`\`retry\` must be an object, a number of attempts or false, not ${kindOf(value)}`);
    }
  },
  pacing: (value, name, into, wrong) => {
    if (typeof value === "boolean") {
      into[name] = value;
    } else if (typeof value === "object" && value !== null) {
      const pacing: Json = {};
      read(value, { maxQueue: count }, pacing, wrong, "`pacing`");
      into[name] = pacing;
    } else {
      throw wrong(`\`pacing\` must be true, false or an object, not ${kindOf(value)}`);
    }
  },
  minThroughput,
  traceContext: (value, name, _into, wrong) => {
    if (typeof value !== "function") {
      throw wrong(`\`${name}\` must be a function that gives the trace context, not ${kindOf(value)}`);
    }
  },
  observer: (value, name, _into, wrong) => {
    if (typeof value !== "object" || value === null) {
      throw wrong(`\`${name}\` must be an object, not ${kindOf(value)}`);
    }
    const observer: Json = {};
    read(value, observerNames, observer, wrong, "`observer`");
  },
  pins: (value, name, into, wrong) => {
    if (!Array.isArray(value) || !value.every((pin) => typeof pin === "string")) {
      throw wrong("`pins` must be a list of strings");
    }
    into[name] = value;
  },
  quota: (value, name, into, wrong) => {
    if (value instanceof RedisQuota) {
      into.sharedQuota = RedisQuota.jsonOf(value);
    } else if (typeof value === "string") {
      into[name] = value;
    } else {
      throw wrong(`\`quota\` must be a string or what redisQuota() makes, not ${kindOf(value)}`);
    }
  },
  breaker: (value, name, into, wrong) => {
    if (typeof value === "boolean") {
      into[name] = value;
    } else if (typeof value === "object" && value !== null) {
      const breaker: Json = {};
      read(value, breakerRules, breaker, wrong, "`breaker`");
      into[name] = breaker;
    } else {
      throw wrong(`\`breaker\` must be true, false or an object, not ${kindOf(value)}`);
    }
  },
  maxConcurrency: count,
  regions: (value, name, into, wrong) => {
    const known = (url: unknown): boolean => typeof url === "string" || url instanceof URL;
    if (!Array.isArray(value) || !value.every(known)) {
      throw wrong("`regions` must be a list of strings or URLs");
    }
    into[name] = value.map(String);
  },
  hedge,
  cache: (value, name, into, wrong) => {
    if (typeof value === "boolean") {
      into[name] = value;
    } else if (typeof value === "object" && value !== null) {
      const cache: Json = {};
      read(value, cacheRules, cache, wrong, "`cache`");
      into[name] = cache;
    } else {
      throw wrong(`\`cache\` must be true, false or an object, not ${kindOf(value)}`);
    }
  },
  idempotencyKeys: flag,
  idempotencyHeader: text,
  idempotencyQuoted: flag,
  maxRedirects: count,
  allowedOrigins: (value, name, into, wrong) => {
    if (!Array.isArray(value) || !value.every((origin) => typeof origin === "string")) {
      throw wrong("`allowedOrigins` must be a list of strings");
    }
    into[name] = value;
  },
  allowHttp: flag,
  proxy: (value, name, into, wrong) => {
    if (value === false) {
      into[name] = value;
    } else {
      text(value instanceof URL ? value.href : value, name, into, (what) => wrong(`${what}; false is for none`));
    }
  },
  caCertificates: (value, name, into, wrong) => {
    if (value instanceof Uint8Array) {
      into[name] = decode(value, 0, value.length);
    } else if (typeof value === "string") {
      into[name] = value;
    } else {
      throw wrong(`\`caCertificates\` must be PEM text or its bytes, not ${kindOf(value)}`);
    }
  },
  maxResponseBytes: count,
  throwOnError: flag,
  hooks: (value, name, into, wrong) => {
    if (typeof value !== "object" || value === null) {
      throw wrong(`\`hooks\` must be an object, not ${kindOf(value)}`);
    }
    const hooks: Json = {};
    read(value, hookNames, hooks, wrong, "`hooks`");
    into[name] = { before: hooks.beforeAttempt === true, after: hooks.afterAttempt === true };
  },
};

const called =
  (of: string): Read =>
  (value, name, into, wrong) => {
    if (typeof value !== "function") {
      throw wrong(`\`${of}.${name}\` must be a function, not ${kindOf(value)}`);
    }
    into[name] = true;
  };

const hookNames: Readers = { beforeAttempt: called("hooks"), afterAttempt: called("hooks") };
const observing = called("observer");
const observerNames: Readers = {
  callStarted: observing,
  attemptStarted: observing,
  attemptEnded: observing,
  callEnded: observing,
};
const traceNames: Readers = { traceparent: text, tracestate: text };

const requestReaders: Readers = {
  query,
  headers,
  signal: apart,
  timeout: time,
  attemptTimeout: time,
  maxAttempts: count,
  cache: text,
  hedge,
  idempotencyKey: text,
  credential: (value, name, into, wrong) => {
    if (value !== false && typeof value !== "string") {
      throw wrong(`\`${name}\` must be the name of a credential, or false for none, not ${kindOf(value)}`);
    }
    into[name] = value;
  },
  throwOnError: flag,
  minThroughput,
  traceContext: (value, name, into, wrong) => {
    if (value === null) {
      return;
    }
    if (typeof value !== "object") {
      throw wrong(`\`${name}\` must be { traceparent, tracestate }, or null for none, not ${kindOf(value)}`);
    }
    const trace: Json = {};
    read(value, traceNames, trace, wrong, "`traceContext`");
    into[name] = trace;
  },
  urlTemplate: text,
};

const bodyReaders: Readers = { ...requestReaders, json: apart, body: apart };

const { idempotencyKey: _key, throwOnError: _throws, ...pageReaders } = requestReaders;
const listReaders: Readers = { ...pageReaders, items: apart, cursor: apart, cursorParam: apart };
const {
  cache: _cacheOfEvents,
  hedge: _hedgeOfEvents,
  idempotencyKey: _keyOfEvents,
  throwOnError: _throwsOfEvents,
  ...eventRequestReaders
} = bodyReaders;
const eventReaders: Readers = { ...eventRequestReaders, method: apart, lastEventId: apart, idleTimeout: apart };
const lineReaders: Readers = { ...eventRequestReaders, method: apart, idleTimeout: apart, maxLineBytes: apart };
const {
  throwOnError: _throwsOfDownloads,
  cache: _cacheOfDownloads,
  hedge: _hedgeOfDownloads,
  ...downloadReaders
} = requestReaders;
const uploadReaders: Readers = {
  ...downloadReaders,
  method: apart,
  chunkSize: apart,
  resume: apart,
  assumeResumable: apart,
  onProgress: apart,
};
const uploadStyleReaders: Readers = { chunkSize: count, resume: text, assumeResumable: flag };
const lineStyleReaders: Readers = { idleTimeout: time, maxLineBytes: count };
const eventStyleReaders: Readers = { lastEventId: text, idleTimeout: time };
const styleReaders: Readers = { items: text, cursor: text, cursorParam: text };

const supposedReaders: Readers = {
  status: count,
  failure: text,
  headers,
  body: text,
  method: text,
  path: text,
  idempotencyKey: flag,
  replayable: flag,
  attempt: count,
  elapsed: time,
  maxAttempts: count,
  timeout: time,
};

/** What `explain` is asked, into JSON. */
export function supposedJson(supposed: unknown): string {
  if (typeof supposed !== "object" || supposed === null) {
    throw invalidRequest(`what is supposed must be an object, not ${kindOf(supposed)}`);
  }
  const json: Json = {};
  read(supposed, supposedReaders, json, invalidRequest, "what is supposed");
  return JSON.stringify(json);
}

/** Reads an object by its readers. Names that none has are refused; members that are undefined are as if they were not there. */
function read(from: object, readers: Readers, into: Json, wrong: Wrong, what: string): void {
  // Inherited members count: options made from others with Object.create are options.
  for (const name in from) {
    const value = (from as Json)[name];
    if (value === undefined) {
      continue;
    }
    const reader = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (reader === undefined) {
      throw wrong(`${what} has no option \`${name}\`${suggestion(name, readers)}`);
    }
    reader(value, name, into, wrong);
  }
}

/** The option that was meant, where one is close. */
function suggestion(name: string, readers: Readers): string {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z]|ms$/g, "");
  const near = Object.keys(readers).find(
    (known) => plain(known) === plain(name) || distance(plain(known), plain(name)) <= 2,
  );
  return near === undefined ? "" : `; \`${near}\` may be meant`;
}

/** How many letters differ (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}

/** A client's settings as JSON, and what it calls back. */
export function settingsJson(options: unknown): { json: string; callbacks: Callbacks | undefined } {
  if (options === undefined) {
    return { json: "{}", callbacks: undefined };
  }
  if (typeof options !== "object" || options === null) {
    throw invalidConfig(`the options must be an object, not ${kindOf(options)}`);
  }
  const json: Json = {};
  read(options, settings, json, invalidConfig, "a client");
  const { auth, credentials, hooks, observer } = options as {
    auth?: unknown;
    credentials?: unknown;
    hooks?: Hooks;
    observer?: Observer;
  };
  const token = typeof auth === "function" ? (auth as TokenCallback) : undefined;
  const stores = storesOf(auth, credentials);
  if (token === undefined && hooks === undefined && observer === undefined && stores.size === 0) {
    return { json: JSON.stringify(json), callbacks: undefined };
  }
  const callbacks = new Callbacks(token, hooks, observer, stores);
  if (observer !== undefined) {
    const { before, after } = (json.hooks ?? {}) as { before?: boolean; after?: boolean };
    json.hooks = {
      before: before === true || observer.attemptStarted !== undefined,
      after: after === true || observer.attemptEnded !== undefined,
    };
  }
  json.client = register(callbacks);
  return { json: JSON.stringify(json), callbacks };
}

/** Gives the trace that a call belongs to. */
export type TraceSource = () => unknown;

/** The options of a call with the trace that it belongs to, where it does not say that itself. */
export function withTrace<T extends object>(options: T | undefined, source: TraceSource | undefined): T | undefined {
  if (source === undefined || (options as { traceContext?: unknown } | undefined)?.traceContext !== undefined) {
    return options;
  }
  const trace = source() as Partial<TraceContext> | null | undefined;
  if (typeof trace?.traceparent !== "string" || trace.traceparent === "") {
    return options;
  }
  const { traceparent, tracestate } = trace;
  const traceContext = tracestate ? { traceparent, tracestate } : { traceparent };
  // Inherited options are options: a copy would lose them.
  return Object.assign(Object.create(options ?? null), { traceContext }) as T;
}

/** The kinds of calls, by what may be said of them. */
export type OptionKind = "request" | "body" | "download";

const READERS: { readonly [kind in OptionKind]: readonly [Readers, string] } = {
  request: [requestReaders, "a request without body"],
  body: [bodyReaders, "a request"],
  download: [downloadReaders, "a download"],
};

/** Says the options of a call, as far as they are its own affair: neither its signal nor its body. */
export function optionsJson(
  options: object | undefined,
  kind: OptionKind,
  body: RequestBody | undefined,
): string | undefined {
  const json: Json = {};
  if (options !== undefined) {
    const [readers, what] = READERS[kind];
    read(options, readers, json, invalidRequest, what);
  }
  return withBody(json, body);
}

function withBody(json: Json, body: RequestBody | undefined): string | undefined {
  if (body !== undefined) {
    if (body.contentType !== undefined) {
      json.contentType = body.contentType;
    }
    if (body.source !== undefined) {
      json.stream = { replayable: body.replayable === true, length: body.length ?? null };
    }
  }
  for (const _ in json) {
    return JSON.stringify(json);
  }
  return undefined;
}

/** The options of a list, and where it has its items and cursors. */
export function listJson(options: object | undefined): { json: string | undefined; style: string; items: string } {
  const json: Json = {};
  const style = { items: "data", cursor: "next_cursor", cursorParam: "cursor" };
  if (options !== undefined) {
    read(options, listReaders, json, invalidRequest, "a list");
    for (const name of Object.keys(styleReaders)) {
      const value = (options as Json)[name];
      if (value !== undefined) {
        styleReaders[name]?.(value, name, style, invalidRequest);
      }
    }
  }
  return { json: withBody(json, undefined), style: JSON.stringify(style), items: style.items };
}

/** The options of a stream of events: those of its requests, and its own. */
export function eventsJson(options: object | undefined, body: RequestBody | undefined): StreamJson {
  return streamJson(options, body, eventReaders, eventStyleReaders, "a stream of events");
}

/** The options of a stream of JSON lines: those of its request, and its own. */
export function linesJson(options: object | undefined, body: RequestBody | undefined): StreamJson {
  return streamJson(options, body, lineReaders, lineStyleReaders, "a stream of JSON lines");
}

/** The options of an upload: those of its requests, and its own. */
export function uploadJson(
  options: object | undefined,
  body: RequestBody | undefined,
  file: string | undefined,
): StreamJson {
  const json: Json = {};
  const style: Json = {};
  if (options !== undefined) {
    read(options, uploadReaders, json, invalidRequest, "an upload");
    for (const name of Object.keys(uploadStyleReaders)) {
      const value = (options as Json)[name];
      if (value !== undefined) {
        uploadStyleReaders[name]?.(value, name, style, invalidRequest);
      }
    }
    const { onProgress } = options as { onProgress?: unknown };
    if (onProgress !== undefined) {
      called("upload")(onProgress, "onProgress", style, invalidRequest);
      delete style.onProgress;
      style.progress = true;
    }
  }
  if (file !== undefined) {
    style.file = file;
  }
  if (body?.contentType !== undefined) {
    json.contentType = body.contentType;
  }
  if (body?.source !== undefined) {
    style.stream = { replayable: body.replayable === true, length: body.length ?? null };
  }
  return { json: withBody(json, undefined), style: JSON.stringify(style) };
}

interface StreamJson {
  readonly json: string | undefined;
  readonly style: string;
}

function streamJson(
  options: object | undefined,
  body: RequestBody | undefined,
  readers: Readers,
  styleReaders: Readers,
  what: string,
): StreamJson {
  const json: Json = {};
  const style: Json = {};
  if (options !== undefined) {
    read(options, readers, json, invalidRequest, what);
    for (const name of Object.keys(styleReaders)) {
      const value = (options as Json)[name];
      if (value !== undefined) {
        styleReaders[name]?.(value, name, style, invalidRequest);
      }
    }
  }
  return { json: withBody(json, body), style: JSON.stringify(style) };
}
