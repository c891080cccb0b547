"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// js/node/index.ts
var index_exports = {};
__export(index_exports, {
  AuthenticationError: () => AuthenticationError,
  BadRequestError: () => BadRequestError,
  Client: () => Client,
  ClosedError: () => ClosedError,
  ConflictError: () => ConflictError,
  ConnectError: () => ConnectError,
  ConnectionLostError: () => ConnectionLostError,
  CrossOriginError: () => CrossOriginError,
  DecodeError: () => DecodeError,
  GatewrightError: () => GatewrightError,
  HookError: () => HookError,
  InsecureUrlError: () => InsecureUrlError,
  InvalidConfigError: () => InvalidConfigError,
  InvalidRequestError: () => InvalidRequestError,
  NotFoundError: () => NotFoundError,
  OutcomeUnknownError: () => OutcomeUnknownError,
  PermissionDeniedError: () => PermissionDeniedError,
  PreconditionFailedError: () => PreconditionFailedError,
  ProtocolError: () => ProtocolError,
  RateLimitedError: () => RateLimitedError,
  RedirectError: () => RedirectError,
  Response: () => Response,
  ResponseTooLargeError: () => ResponseTooLargeError,
  ServerError: () => ServerError,
  StreamResponse: () => StreamResponse,
  TimeoutError: () => TimeoutError,
  TlsError: () => TlsError,
  TokenError: () => TokenError,
  UnprocessableError: () => UnprocessableError,
  Webhook: () => import_webhooks.Webhook,
  WebhookError: () => import_webhooks.WebhookError,
  WebhookKeyError: () => import_webhooks.WebhookKeyError,
  WebhookVerificationError: () => import_webhooks.WebhookVerificationError,
  generateSecret: () => import_webhooks.generateSecret,
  version: () => version
});
module.exports = __toCommonJS(index_exports);
var import_node_async_hooks = require("node:async_hooks");

// js/context.ts
var current;
function provideContext(keep) {
  current = keep;
}
var contexts = /* @__PURE__ */ new Map();
function keepContext(call) {
  if (current !== void 0) {
    contexts.set(call, current());
  }
}
function inContext(call, run) {
  const context = contexts.get(call);
  return context === void 0 ? run() : context(run);
}
function forgetContext(call) {
  if (contexts.size > 0) {
    contexts.delete(call);
  }
}

// js/webhook_native.ts
var provider;
function provideWebhooks(load2) {
  provider = load2;
}

// js/native.ts
var provider2;
var loaded;
function provide(load2) {
  provider2 = load2;
  loaded = void 0;
  provideWebhooks(native);
}
function native() {
  if (loaded === void 0) {
    if (provider2 === void 0) {
      throw new Error(
        "gatewright was loaded without its native half: import the package by its name, not by a file inside of it"
      );
    }
    loaded = provider2();
  }
  return loaded;
}

// js/node/index.ts
var import_load = require("./load.cjs");

// js/text.ts
var decoder = new TextDecoder();
var encoder = new TextEncoder();
var buffer = globalThis.Buffer?.prototype;
var utf8Slice = buffer?.utf8Slice;
var decode = utf8Slice === void 0 ? (bytes, start, end) => decoder.decode(bytes.subarray(start, end)) : (bytes, start, end) => {
  const from = bytes[start] === 239 && bytes[start + 1] === 187 && bytes[start + 2] === 191 && end - start >= 3 ? start + 3 : start;
  return utf8Slice.call(bytes, from, end);
};
function encode(text3) {
  return encoder.encode(text3);
}
function fromBase64(text3) {
  const raw = atob(text3);
  const bytes = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at++) {
    bytes[at] = raw.charCodeAt(at);
  }
  return bytes;
}
function kindOf(value) {
  if (value === null) {
    return "null";
  }
  if (Array.isArray(value)) {
    return "a list";
  }
  switch (typeof value) {
    case "undefined":
      return "undefined";
    case "object": {
      const name = value.constructor?.name;
      return typeof name === "string" && name !== "" && name !== "Object" ? `a ${name}` : "an object";
    }
    case "number":
      return Number.isFinite(value) ? "a number" : String(value);
    default:
      return `a ${typeof value}`;
  }
}

// js/headers.ts
function headerPairs(input, wrong) {
  if (typeof input !== "object" || input === null) {
    throw wrong(`\`headers\` must be an object, pairs or Headers, not ${kindOf(input)}`);
  }
  const pairs = [];
  if (Symbol.iterator in input) {
    for (const pair of input) {
      if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string") {
        throw wrong("`headers` must have pairs of a name and a value");
      }
      pairs.push([pair[0], headerValue(pair[0], pair[1], wrong)]);
    }
    return pairs;
  }
  for (const [name, value] of Object.entries(input)) {
    if (value === void 0) {
      continue;
    }
    if (Array.isArray(value)) {
      for (const one of value) {
        pairs.push([name, headerValue(name, one, wrong)]);
      }
    } else {
      pairs.push([name, headerValue(name, value, wrong)]);
    }
  }
  return pairs;
}
function headerValue(name, value, wrong) {
  if (typeof value === "string") {
    return value;
  }
  if (typeof value === "number" && Number.isFinite(value)) {
    return String(value);
  }
  throw wrong(`\`headers\` has a value for \`${name}\` that is ${kindOf(value)}; it must be a string or a number`);
}
function headersOf(pairs) {
  const headers2 = new Headers();
  for (const [name, value] of pairs) {
    try {
      headers2.append(name, value);
    } catch {
    }
  }
  return headers2;
}

// js/inspect.ts
var INSPECT = /* @__PURE__ */ Symbol.for("nodejs.util.inspect.custom");
function indent(text3, by) {
  return text3.replaceAll("\n", `
${" ".repeat(by)}`);
}
function shown(name, members, depth, options, inspect) {
  return depth < 0 ? `[${name}]` : `${name} ${inspect(members, options)}`;
}
function setName(kind, name) {
  Object.defineProperty(kind, "name", { value: name, configurable: true });
  Object.defineProperty(kind.prototype, "name", { value: name, configurable: true, writable: true });
}

// js/errors.ts
var NO_BYTES = new Uint8Array(0);
var MEMBERS = [
  "status",
  "method",
  "url",
  "requestId",
  "retryAfterMs",
  "retryability",
  "noRetry",
  "advice",
  "elapsedMs"
];
var GatewrightError = class extends Error {
  /** What is not shown with the error's own members, as it came. */
  #rest;
  #headers;
  #body;
  constructor(message, facts = {}) {
    super(message, "cause" in facts ? { cause: facts.cause } : void 0);
    this.#rest = facts;
    const known = this;
    known.code = facts.code ?? CODES.get(new.target) ?? "error";
    for (const name of MEMBERS) {
      const value = facts[name];
      if (value !== void 0 && value !== null) {
        known[name] = value;
      }
    }
  }
  get headers() {
    if (this.#headers === void 0) {
      const pairs = this.#rest.headers ?? null;
      this.#headers = pairs === null ? null : headersOf(pairs);
    }
    return this.#headers;
  }
  get body() {
    this.#body ??= this.#rest.body ? fromBase64(this.#rest.body) : NO_BYTES;
    return this.#body;
  }
  get problem() {
    return this.#rest.problem ?? null;
  }
  get attempts() {
    return this.#rest.attempts ?? [];
  }
  timeline() {
    return this.attempts.length === 0 ? "" : native().timeline(JSON.stringify(this.attempts));
  }
  toJSON() {
    return {
      name: this.name,
      code: this.code,
      message: this.message,
      status: this.status,
      method: this.method,
      url: this.url,
      requestId: this.requestId,
      retryAfterMs: this.retryAfterMs,
      retryability: this.retryability,
      noRetry: this.noRetry,
      advice: this.advice,
      elapsedMs: this.elapsedMs,
      problem: this.problem,
      attempts: this.attempts
    };
  }
  /** The stack, which begins with the message, and has the timeline if there was more than one attempt; what else is known; the cause. */
  [INSPECT](depth, options, inspect) {
    if (depth < 0) {
      return `[${this.name}: ${this.code}]`;
    }
    const lines = [this.stack ?? `${this.name}: ${this.message}`];
    for (const name of ["code", ...MEMBERS, "problem"]) {
      if (Object.hasOwn(this, name) || name === "problem" && this.problem !== null) {
        lines.push(`  ${name}: ${indent(inspect(this[name], options), 2)}`);
      }
    }
    if (this.attempts.length === 1) {
      lines.push(`  timeline: ${this.timeline().trimEnd()}`);
    }
    if ("cause" in this) {
      lines.push(`  [cause]: ${indent(inspect(this.cause, options), 2)}`);
    }
    return lines.join("\n");
  }
};
for (const name of ["status", "method", "url", "requestId", "retryAfterMs", "noRetry"]) {
  unknown(name, null);
}
unknown("retryability", "permanent");
unknown("advice", "");
unknown("elapsedMs", 0);
function unknown(name, value) {
  Object.defineProperty(GatewrightError.prototype, name, { value, configurable: true, writable: true });
}
var AuthenticationError = class extends GatewrightError {
};
var BadRequestError = class extends GatewrightError {
};
var ClosedError = class extends GatewrightError {
};
var ConflictError = class extends GatewrightError {
};
var ConnectError = class extends GatewrightError {
};
var ConnectionLostError = class extends GatewrightError {
};
var CrossOriginError = class extends GatewrightError {
};
var DecodeError = class extends GatewrightError {
};
var HookError = class extends GatewrightError {
};
var InsecureUrlError = class extends GatewrightError {
};
var InvalidConfigError = class extends GatewrightError {
};
var InvalidRequestError = class extends GatewrightError {
};
var NotFoundError = class extends GatewrightError {
};
var OutcomeUnknownError = class extends GatewrightError {
};
var PermissionDeniedError = class extends GatewrightError {
};
var PreconditionFailedError = class extends GatewrightError {
};
var ProtocolError = class extends GatewrightError {
};
var RateLimitedError = class extends GatewrightError {
};
var RedirectError = class extends GatewrightError {
};
var ResponseTooLargeError = class extends GatewrightError {
};
var ServerError = class extends GatewrightError {
};
var TimeoutError = class extends GatewrightError {
};
var TlsError = class extends GatewrightError {
};
var TokenError = class extends GatewrightError {
};
var UnprocessableError = class extends GatewrightError {
};
var KINDS = {
  authentication: ["AuthenticationError", AuthenticationError],
  bad_request: ["BadRequestError", BadRequestError],
  closed: ["ClosedError", ClosedError],
  conflict: ["ConflictError", ConflictError],
  connect: ["ConnectError", ConnectError],
  connection_lost: ["ConnectionLostError", ConnectionLostError],
  cross_origin: ["CrossOriginError", CrossOriginError],
  decode: ["DecodeError", DecodeError],
  hook: ["HookError", HookError],
  insecure_url: ["InsecureUrlError", InsecureUrlError],
  invalid_config: ["InvalidConfigError", InvalidConfigError],
  invalid_request: ["InvalidRequestError", InvalidRequestError],
  not_found: ["NotFoundError", NotFoundError],
  outcome_unknown: ["OutcomeUnknownError", OutcomeUnknownError],
  permission_denied: ["PermissionDeniedError", PermissionDeniedError],
  precondition_failed: ["PreconditionFailedError", PreconditionFailedError],
  protocol: ["ProtocolError", ProtocolError],
  rate_limited: ["RateLimitedError", RateLimitedError],
  redirect: ["RedirectError", RedirectError],
  response_too_large: ["ResponseTooLargeError", ResponseTooLargeError],
  server: ["ServerError", ServerError],
  timeout: ["TimeoutError", TimeoutError],
  tls: ["TlsError", TlsError],
  token: ["TokenError", TokenError],
  unprocessable: ["UnprocessableError", UnprocessableError]
};
var CODES = /* @__PURE__ */ new Map();
setName(GatewrightError, "GatewrightError");
for (const [code, [name, kind]] of Object.entries(KINDS)) {
  CODES.set(kind, code);
  setName(kind, name);
}
function errorFromJson(text3, causeOf2, below = errorFromJson) {
  const { message, cause: number, ...told } = JSON.parse(text3);
  const facts = told;
  const cause = causeOf2(number);
  if (cause !== void 0) {
    facts.cause = cause.thrown;
  }
  const error = new (KINDS[told.code]?.[1] ?? GatewrightError)(message, facts);
  Error.captureStackTrace?.(error, below);
  if (error.attempts.length > 1) {
    showTimeline(error);
  }
  return error;
}
function showTimeline(error) {
  const { stack, message } = error;
  const end = stack === void 0 ? -1 : stack.indexOf(message) + message.length;
  if (stack !== void 0 && end >= message.length) {
    const timeline = indent(`
${error.timeline().trimEnd()}`, 2);
    error.stack = `${stack.slice(0, end)}${timeline}${stack.slice(end)}`;
  }
}
function invalidRequest(what, options) {
  const advice = "change the request; nothing was sent";
  return new InvalidRequestError(`invalid_request: ${what}; ${advice}`, { ...options, advice });
}
function invalidConfig(what, options) {
  const advice = "change the setting";
  return new InvalidConfigError(`invalid_config: ${what}; ${advice}`, { ...options, advice });
}

// js/auth.ts
var FORMS = "a string, a function, { bearer }, { basic: [user, password] } or { apiKey }";
function authJson(auth) {
  if (typeof auth === "string") {
    return { kind: "bearer", token: auth };
  }
  if (typeof auth === "function") {
    return { kind: "callback" };
  }
  if (typeof auth !== "object" || auth === null || Array.isArray(auth)) {
    throw invalidConfig(`\`auth\` must be ${FORMS}, not ${kindOf(auth)}`);
  }
  const given = auth;
  const only = (...names) => {
    const other = Object.keys(given).find((name) => !names.includes(name) && given[name] !== void 0);
    if (other !== void 0) {
      throw invalidConfig(`\`auth\` has \`${other}\` beside \`${names[0]}\`, which do not go together`);
    }
  };
  if (given.bearer !== void 0) {
    only("bearer");
    return { kind: "bearer", token: text(given.bearer, "auth.bearer") };
  }
  if (given.basic !== void 0) {
    only("basic");
    if (!Array.isArray(given.basic) || given.basic.length !== 2) {
      throw invalidConfig("`auth.basic` must be a list of user and password");
    }
    return {
      kind: "basic",
      user: text(given.basic[0], "auth.basic[0]"),
      password: text(given.basic[1], "auth.basic[1]")
    };
  }
  if (given.apiKey !== void 0) {
    const key = text(given.apiKey, "auth.apiKey");
    for (const place of ["header", "query", "cookie"]) {
      if (given[place] !== void 0) {
        only("apiKey", place);
        return { kind: "apiKey", key, [place]: text(given[place], `auth.${place}`) };
      }
    }
    only("apiKey");
    return { kind: "apiKey", key, header: "X-API-Key" };
  }
  throw invalidConfig(`\`auth\` must be ${FORMS}`);
}
function text(value, name) {
  if (typeof value !== "string") {
    throw invalidConfig(`\`${name}\` must be a string, not ${kindOf(value)}`);
  }
  return value;
}
async function tokenJson(callback) {
  const given = await callback();
  if (typeof given === "string") {
    return JSON.stringify({ token: given, expiresInMs: null });
  }
  const token = given;
  if (typeof token !== "object" || token === null || typeof token.token !== "string") {
    throw new TypeError(`the token callback must give a string or { token, expiresInMs }, not ${kindOf(given)}`);
  }
  const expires = token.expiresInMs ?? null;
  if (expires !== null && !(typeof expires === "number" && expires >= 0)) {
    throw new TypeError(`\`expiresInMs\` of the token must be a number of at least 0, not ${kindOf(expires)}`);
  }
  return JSON.stringify({ token: token.token, expiresInMs: expires === Number.POSITIVE_INFINITY ? null : expires });
}

// js/hooks.ts
async function runBefore(hooks, told) {
  const headers2 = headersOf(told.headers ?? []);
  const before = JSON.stringify([...headers2]);
  await hooks.beforeAttempt?.({ number: told.number, method: told.method, url: told.url, headers: headers2 });
  const after = JSON.stringify([...headers2]);
  return after === before ? void 0 : after;
}
async function runAfter(hooks, told) {
  await hooks.afterAttempt?.({
    number: told.number,
    method: told.method,
    url: told.url,
    status: told.status,
    headers: told.headers === null ? null : headersOf(told.headers),
    error: told.error,
    tookMs: told.tookMs
  });
}

// js/uploads.ts
var Upload = class {
  source;
  open = /* @__PURE__ */ new Map();
  constructor(source) {
    this.source = source;
  }
};
var uploads = /* @__PURE__ */ new Map();
function keepUpload(call, source) {
  uploads.set(call, new Upload(source));
}
function closeUpload(call) {
  if (uploads.size === 0) {
    return;
  }
  const upload = uploads.get(call);
  if (upload !== void 0) {
    uploads.delete(call);
    for (const pieces of upload.open.values()) {
      pieces.close();
    }
  }
}
async function openStream(call, stream) {
  const upload = uploads.get(call);
  if (upload === void 0) {
    throw new Error("the call is over");
  }
  const pieces = piecesOf(await upload.source());
  if (uploads.get(call) === upload) {
    upload.open.set(stream, pieces);
  } else {
    pieces.close();
  }
}
async function nextPiece(call, stream) {
  const pieces = uploads.get(call)?.open.get(stream);
  if (pieces === void 0) {
    throw new Error("the call is over");
  }
  for (; ; ) {
    const piece = await pieces.next();
    if (piece === void 0) {
      uploads.get(call)?.open.delete(stream);
      return void 0;
    }
    const bytes = bytesOf(piece);
    if (bytes.length > 0) {
      return bytes;
    }
  }
}
function closeStream(call, stream) {
  const open = uploads.get(call)?.open;
  const pieces = open?.get(stream);
  if (pieces !== void 0) {
    open?.delete(stream);
    pieces.close();
  }
}
function bytesOf(piece) {
  if (piece instanceof Uint8Array) {
    return piece;
  }
  if (typeof piece === "string") {
    return encode(piece);
  }
  if (ArrayBuffer.isView(piece)) {
    return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  }
  if (piece instanceof ArrayBuffer) {
    return new Uint8Array(piece);
  }
  throw new TypeError(`a stream as body must give bytes or strings, not ${kindOf(piece)}`);
}
function isStream(value) {
  return typeof value === "object" && value !== null && (typeof value.getReader === "function" || Symbol.asyncIterator in value);
}
function piecesOf(stream) {
  if (!isStream(stream)) {
    throw new TypeError(
      `the function that makes the body must give a ReadableStream or an async iterable, not ${kindOf(stream)}`
    );
  }
  if (typeof stream.getReader === "function") {
    const reader = stream.getReader();
    return {
      next: () => reader.read().then(({ done, value }) => done ? void 0 : value),
      close: () => void reader.cancel().catch(ignore)
    };
  }
  const iterator = stream[Symbol.asyncIterator]();
  return {
    next: () => Promise.resolve(iterator.next()).then(({ done, value }) => done ? void 0 : value),
    close: () => {
      try {
        Promise.resolve(iterator.return?.()).catch(ignore);
      } catch {
      }
    }
  };
}
function ignore() {
}

// js/callbacks.ts
var Callbacks = class {
  token;
  hooks;
  constructor(token, hooks) {
    this.token = token;
    this.hooks = hooks;
  }
};
var clients = /* @__PURE__ */ new Map();
var forgotten = new FinalizationRegistry((client) => clients.delete(client));
var lastClient = 0;
function register(callbacks) {
  lastClient += 1;
  clients.set(lastClient, new WeakRef(callbacks));
  forgotten.register(callbacks, lastClient);
  return lastClient;
}
function answerQuestion(text3) {
  const question = JSON.parse(text3);
  if (question.what === "abandon") {
    return;
  }
  if (question.what === "bodyClose") {
    closeStream(question.call, question.stream);
    return;
  }
  inContext(question.call, () => answerTo(question)).then(
    (answer) => {
      if (typeof answer === "string" || answer === void 0) {
        native().answer(question.question, answer, void 0);
      } else {
        native().answer(question.question, void 0, answer);
      }
    },
    (thrown) => native().fail(question.question, keepCause(question, thrown), textOf(thrown))
  );
}
async function answerTo(question) {
  switch (question.what) {
    case "bodyOpen":
      return openStream(question.call, question.stream);
    case "bodyNext":
      return nextPiece(question.call, question.stream);
    default:
  }
  const callbacks = clients.get(question.client)?.deref();
  if (callbacks === void 0) {
    throw new Error("the client is gone");
  }
  if (question.what === "token" && callbacks.token !== void 0) {
    return tokenJson(callbacks.token);
  }
  if (question.what === "before" && callbacks.hooks !== void 0) {
    return runBefore(callbacks.hooks, question.attempt);
  }
  if (question.what === "after" && callbacks.hooks !== void 0) {
    return runAfter(callbacks.hooks, question.attempt);
  }
  throw new Error(`nothing answers ${question.what}`);
}
function textOf(thrown) {
  try {
    return String(thrown);
  } catch {
    return "a value that has no text";
  }
}
var causes = /* @__PURE__ */ new Map();
var SHARED = 0;
var SHARED_KEPT = 256;
var lastCause = 0;
function keepCause(question, thrown) {
  lastCause = lastCause === 1073741823 ? 1 : lastCause + 1;
  const key = question.what === "token" ? SHARED : question.call;
  const list = causes.get(key) ?? [];
  list.push({ number: lastCause, thrown });
  if (list.length > SHARED_KEPT) {
    list.shift();
  }
  causes.set(key, list);
  return lastCause;
}
function causeOf(call) {
  const own = causes.get(call);
  return (number) => own?.find((cause) => cause.number === number) ?? causes.get(SHARED)?.find((cause) => cause.number === number);
}
function forgetCauses(call) {
  if (causes.size > 0) {
    causes.delete(call);
  }
}

// js/meta.ts
var Meta = class {
  #bytes;
  #start;
  #end;
  #facts;
  #headers;
  constructor(bytes, start, end) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }
  /** As it came. */
  text() {
    return decode(this.#bytes, this.#start, this.#end);
  }
  facts() {
    this.#facts ??= JSON.parse(this.text());
    return this.#facts;
  }
  headers() {
    this.#headers ??= headersOf(this.facts().headers);
    return this.#headers;
  }
  timeline() {
    return native().timeline(JSON.stringify(this.facts().attempts));
  }
};

// js/answer.ts
var Answer = class {
  status;
  constructor(status) {
    this.status = status;
  }
  get ok() {
    return this.status >= 200 && this.status < 300;
  }
  get headers() {
    return this.meta().headers();
  }
  get url() {
    return this.meta().facts().url;
  }
  get method() {
    return this.meta().facts().method;
  }
  get requestId() {
    return this.meta().facts().requestId;
  }
  get attempts() {
    return this.meta().facts().attempts;
  }
  get elapsedMs() {
    return this.meta().facts().elapsedMs;
  }
  timeline() {
    return this.meta().timeline();
  }
  /** The URL is left out: what a program put into its query is not for every log. */
  [INSPECT](depth, options, inspect) {
    const { status, method, requestId, elapsedMs } = this;
    return shown(this[Symbol.toStringTag], { status, method, requestId, elapsedMs }, depth, options, inspect);
  }
};

// js/response.ts
var Response = class extends Answer {
  #head;
  #headStart;
  #headEnd;
  #bytes;
  #start;
  #end;
  #meta;
  #taken;
  /** @internal */
  constructor(status, head, headStart, headEnd, bytes, start, end) {
    super(status);
    this.#head = head;
    this.#headStart = headStart;
    this.#headEnd = headEnd;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#meta = void 0;
    this.#taken = false;
  }
  get [Symbol.toStringTag]() {
    return "Response";
  }
  meta() {
    this.#meta ??= new Meta(this.#head, this.#headStart, this.#headEnd);
    return this.#meta;
  }
  json() {
    try {
      return Promise.resolve(JSON.parse(decode(this.#bytes, this.#start, this.#end)));
    } catch (error) {
      return Promise.reject(undecodable(this.meta(), error));
    }
  }
  text() {
    return Promise.resolve(decode(this.#bytes, this.#start, this.#end));
  }
  bytes() {
    return Promise.resolve(this.#take());
  }
  arrayBuffer() {
    return Promise.resolve(this.#take().buffer);
  }
  blob() {
    const part = this.#bytes.subarray(this.#start, this.#end);
    return Promise.resolve(new Blob([part], { type: this.headers.get("content-type") ?? "" }));
  }
  get body() {
    const copy2 = () => this.#copy();
    return new ReadableStream({
      pull(controller) {
        const bytes = copy2();
        if (bytes.length > 0) {
          controller.enqueue(bytes);
        }
        controller.close();
      }
    });
  }
  async *[Symbol.asyncIterator]() {
    if (this.#end > this.#start) {
      yield this.#copy();
    }
  }
  /**
   * The body's bytes. The first time, where the body has memory of its own (it is large), that memory: a copy of many megabytes costs more
   * than to receive them. Else a copy, since a batch has other answers too, and what was given away is the caller's.
   */
  #take() {
    const bytes = this.#bytes;
    if (!this.#taken && bytes !== this.#head && bytes.length === bytes.buffer.byteLength) {
      this.#taken = true;
      return bytes;
    }
    return this.#copy();
  }
  #copy() {
    const copy2 = new Uint8Array(this.#end - this.#start);
    copy2.set(this.#bytes.subarray(this.#start, this.#end));
    return copy2;
  }
};
function undecodable(meta, error) {
  const why = error instanceof Error ? error.message : String(error);
  return errorFromJson(native().answerError(meta.text(), "decode", `with a body that is no JSON: ${why}`), () => ({
    thrown: error
  }));
}

// js/frames.ts
var NONE = 4294967295;
function u32(bytes, at) {
  return (bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24) >>> 0;
}
function u16(bytes, at) {
  return bytes[at] | bytes[at + 1] << 8;
}
function readFrames(batch, large, frames2) {
  const size = batch.length;
  for (let at = 0; at + 9 <= size; ) {
    const end = at + 4 + u32(batch, at);
    const call = u32(batch, at + 4);
    const payload = at + 9;
    switch (batch[at + 8]) {
      case 1: {
        const meta = payload + 14;
        const body = meta + u32(batch, payload + 2);
        const index = u32(batch, payload + 10);
        const status = u16(batch, payload);
        frames2.answer(
          call,
          index === NONE ? new Response(status, batch, meta, body, batch, body, body + u32(batch, payload + 6)) : fromLarge(status, batch, meta, body, large[index])
        );
        break;
      }
      case 2:
        frames2.head(call, {
          status: u16(batch, payload),
          meta: new Meta(batch.slice(payload + 2, end), 0, end - payload - 2)
        });
        break;
      case 3: {
        const index = u32(batch, payload);
        frames2.chunk(call, index === NONE ? copy(batch, payload + 4, end) : plain(large[index]));
        break;
      }
      case 4:
        frames2.end(call);
        break;
      case 5:
        frames2.error(call, decode(batch, payload, end));
        break;
      case 6:
        frames2.ask(decode(batch, payload, end));
        break;
      default:
    }
    at = end;
  }
}
function fromLarge(status, batch, meta, metaEnd, body) {
  const own = batch.slice(meta, metaEnd);
  return new Response(status, own, 0, own.length, plain(body), 0, body.length);
}
function plain(bytes) {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
function copy(bytes, start, end) {
  const piece = new Uint8Array(end - start);
  piece.set(bytes.subarray(start, end));
  return piece;
}

// js/calls.ts
var WHOLE = 0;
var HEAD = 1;
var PIECE = 2;
var PAGE = 3;
var Waiting = class {
  kind;
  resolve;
  reject;
  /** Who waits keeps alive what is called back, so that it is there when a question comes. */
  keep;
  watch;
  constructor(kind, resolve, reject, keep, watch) {
    this.kind = kind;
    this.resolve = resolve;
    this.reject = reject;
    this.keep = keep;
    this.watch = watch;
  }
};
var table = /* @__PURE__ */ new Map();
var last = 0;
function nextNumber() {
  last = last === 1073741823 ? 1 : last + 1;
  return last;
}
var connected;
function port() {
  const half = native();
  if (connected !== half) {
    half.connect(deliver);
    connected = half;
  }
  return half;
}
function deliver(batch, large) {
  readFrames(batch, large, frames);
}
var executorResolve;
var executorReject;
function executor(resolve, reject) {
  executorResolve = resolve;
  executorReject = reject;
}
function wait(call, kind, keep, watch) {
  const promise = new Promise(executor);
  table.set(call, new Waiting(kind, executorResolve, executorReject, keep, watch));
  if (watch !== void 0) {
    watch.add(call);
  }
  if (keep !== void 0 && kind !== PIECE) {
    keepContext(call);
  }
  return promise;
}
function isWaiting(call) {
  return table.has(call);
}
function take(call) {
  const waiting = table.get(call);
  if (waiting !== void 0) {
    table.delete(call);
  }
  return waiting;
}
function finish(call, watch) {
  if (watch !== void 0) {
    watch.drop(call);
  }
  closeUpload(call);
  forgetCauses(call);
  forgetContext(call);
}
function giveUp(call, reason) {
  const waiting = take(call);
  port().cancel(call);
  finish(call, waiting?.watch);
  waiting?.reject(reason);
}
function stopWaiting(call) {
  const waiting = take(call);
  if (waiting !== void 0) {
    port().cancel(call);
    finish(call, waiting.watch);
    waiting.resolve(void 0);
  }
}
function refuse(call, reason) {
  const waiting = take(call);
  if (waiting !== void 0) {
    finish(call, waiting.watch);
    waiting.reject(reason);
  }
}
function fail(waiting, call, text3) {
  const causes2 = causeOf(call);
  const throwIt = () => {
    throw errorFromJson(text3, causes2, throwIt);
  };
  waiting.resolve(Promise.resolve().then(nothing).then(throwIt));
}
function nothing() {
}
var frames = {
  answer(call, response) {
    const waiting = take(call);
    if (waiting !== void 0) {
      finish(call, waiting.watch);
      waiting.resolve(response);
    }
  },
  head(call, start) {
    take(call)?.resolve(start);
  },
  chunk(call, piece) {
    take(call)?.resolve(piece);
  },
  end(call) {
    const waiting = take(call);
    if (waiting !== void 0) {
      finish(call, waiting.watch);
      waiting.resolve(void 0);
    }
  },
  error(call, text3) {
    const waiting = take(call);
    if (waiting !== void 0) {
      fail(waiting, call, text3);
      finish(call, waiting.watch);
    }
  },
  ask: answerQuestion
};

// js/incoming.ts
var abandoned = new FinalizationRegistry(({ call, watch }) => {
  port().cancel(call);
  finish(call, watch);
});
var Incoming = class {
  #call;
  #keep;
  #watch;
  #reading;
  #ended = false;
  #failed;
  constructor(call, keep, watch) {
    this.#call = call;
    this.#keep = keep;
    this.#watch = watch;
    abandoned.register(this, { call, watch }, this);
    if (watch !== void 0) {
      watch.streams.set(call, new WeakRef(this));
      if (watch.signal.aborted) {
        this.#fail(watch.signal.reason);
      }
    }
  }
  /** The next piece; nothing at the end. One after the other, however often it is called meanwhile. */
  next() {
    const before = this.#reading;
    const reading = before === void 0 ? this.#read() : before.then(this.#readAfter, this.#readAfter);
    this.#reading = reading;
    return reading;
  }
  /** Ends the request. */
  cancel() {
    if (!this.#isOver()) {
      const advice = "make another call for what is left";
      this.#fail(new ClosedError(`closed: the stream was cancelled; ${advice}`, { advice }));
      giveUp(this.#call, this.#failed?.reason);
    }
  }
  /** The signal was aborted. */
  abort(reason) {
    if (!this.#isOver()) {
      this.#fail(reason);
    }
  }
  #isOver() {
    return this.#ended || this.#failed !== void 0;
  }
  #fail(reason) {
    this.#failed = { reason };
    abandoned.unregister(this);
  }
  #readAfter = () => this.#read();
  #read() {
    if (this.#failed !== void 0) {
      return Promise.reject(this.#failed.reason);
    }
    if (this.#ended) {
      return Promise.resolve(void 0);
    }
    const piece = wait(this.#call, PIECE, this.#keep, this.#watch);
    port().pull(this.#call);
    return piece.then(this.#came, this.#broke);
  }
  #came = (piece) => {
    this.#reading = void 0;
    if (piece === void 0) {
      this.#ended = true;
      abandoned.unregister(this);
    }
    return piece;
  };
  #broke = (reason) => {
    this.#reading = void 0;
    if (this.#failed === void 0) {
      this.#fail(reason);
    }
    throw reason;
  };
};

// js/query.ts
function queryPairs(input, wrong) {
  if (typeof input !== "object" || input === null) {
    throw wrong(`\`query\` must be an object, pairs or URLSearchParams, not ${kindOf(input)}`);
  }
  const pairs = [];
  if (Symbol.iterator in input) {
    for (const pair of input) {
      if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string") {
        throw wrong("`query` must have pairs of a name and a value");
      }
      add(pairs, pair[0], pair[1], wrong);
    }
    return pairs;
  }
  for (const [name, value] of Object.entries(input)) {
    if (Array.isArray(value)) {
      for (const one of value) {
        add(pairs, name, one, wrong);
      }
    } else {
      add(pairs, name, value, wrong);
    }
  }
  return pairs;
}
function add(pairs, name, value, wrong) {
  switch (typeof value) {
    case "string":
      pairs.push([name, value]);
      return;
    case "boolean":
    case "bigint":
      pairs.push([name, String(value)]);
      return;
    case "number":
      if (Number.isFinite(value)) {
        pairs.push([name, String(value)]);
        return;
      }
      break;
    default:
      if (value === void 0 || value === null) {
        return;
      }
  }
  throw wrong(`\`query\` has a value for \`${name}\` that is ${kindOf(value)}; make it a string`);
}

// js/options.ts
var sayable = (value) => Number.isFinite(value) ? value : String(value);
var time = (value, name, into, wrong) => {
  if (value !== null && typeof value !== "number") {
    throw wrong(`\`${name}\` must be a number of milliseconds, or null for none, not ${kindOf(value)}`);
  }
  into[`${name}Ms`] = value === null ? null : sayable(value);
};
var count = (value, name, into, wrong) => {
  if (typeof value !== "number") {
    throw wrong(`\`${name}\` must be a number, not ${kindOf(value)}`);
  }
  into[name] = sayable(value);
};
var flag = (value, name, into, wrong) => {
  if (typeof value !== "boolean") {
    throw wrong(`\`${name}\` must be true or false, not ${kindOf(value)}`);
  }
  into[name] = value;
};
var text2 = (value, name, into, wrong) => {
  if (typeof value !== "string") {
    throw wrong(`\`${name}\` must be a string, not ${kindOf(value)}`);
  }
  into[name] = value;
};
var headers = (value, name, into, wrong) => {
  into[name] = headerPairs(value, wrong);
};
var query = (value, name, into, wrong) => {
  into[name] = queryPairs(value, wrong);
};
var apart = () => {
};
var retryRules = {
  maxAttempts: count,
  backoffBase: time,
  backoffCap: time,
  maxRetryAfter: time,
  budget: count
};
var settings = {
  auth: (value, name, into) => {
    into[name] = authJson(value);
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
  pacing: flag,
  quota: text2,
  idempotencyKeys: flag,
  idempotencyHeader: text2,
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
      text2(value instanceof URL ? value.href : value, name, into, (what) => wrong(`${what}; false is for none`));
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
    const hooks = {};
    read(value, hookNames, hooks, wrong, "`hooks`");
    into[name] = { before: hooks.beforeAttempt === true, after: hooks.afterAttempt === true };
  }
};
var hook = (value, name, into, wrong) => {
  if (typeof value !== "function") {
    throw wrong(`\`hooks.${name}\` must be a function, not ${kindOf(value)}`);
  }
  into[name] = true;
};
var hookNames = { beforeAttempt: hook, afterAttempt: hook };
var requestReaders = {
  query,
  headers,
  signal: apart,
  timeout: time,
  attemptTimeout: time,
  maxAttempts: count,
  idempotencyKey: text2,
  throwOnError: flag
};
var bodyReaders = { ...requestReaders, json: apart, body: apart };
var { idempotencyKey: _key, throwOnError: _throws, ...pageReaders } = requestReaders;
var listReaders = { ...pageReaders, items: apart, cursor: apart, cursorParam: apart };
var styleReaders = { items: text2, cursor: text2, cursorParam: text2 };
function read(from, readers, into, wrong, what) {
  for (const name in from) {
    const value = from[name];
    if (value === void 0) {
      continue;
    }
    const reader = Object.hasOwn(readers, name) ? readers[name] : void 0;
    if (reader === void 0) {
      throw wrong(`${what} has no option \`${name}\`${suggestion(name, readers)}`);
    }
    reader(value, name, into, wrong);
  }
}
function suggestion(name, readers) {
  const plain2 = (text3) => text3.toLowerCase().replace(/[^a-z]|ms$/g, "");
  const near = Object.keys(readers).find(
    (known) => plain2(known) === plain2(name) || distance(plain2(known), plain2(name)) <= 2
  );
  return near === void 0 ? "" : `; \`${near}\` may be meant`;
}
function distance(one, other) {
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
function settingsJson(options) {
  if (options === void 0) {
    return { json: "{}", callbacks: void 0 };
  }
  if (typeof options !== "object" || options === null) {
    throw invalidConfig(`the options must be an object, not ${kindOf(options)}`);
  }
  const json = {};
  read(options, settings, json, invalidConfig, "a client");
  const { auth, hooks } = options;
  const token = typeof auth === "function" ? auth : void 0;
  if (token === void 0 && hooks === void 0) {
    return { json: JSON.stringify(json), callbacks: void 0 };
  }
  const callbacks = new Callbacks(token, hooks);
  json.client = register(callbacks);
  return { json: JSON.stringify(json), callbacks };
}
function optionsJson(options, kind, body) {
  const json = {};
  if (options !== void 0) {
    read(
      options,
      kind === "body" ? bodyReaders : requestReaders,
      json,
      invalidRequest,
      kind === "body" ? "a request" : "a request without body"
    );
  }
  return withBody(json, body);
}
function withBody(json, body) {
  if (body !== void 0) {
    if (body.contentType !== void 0) {
      json.contentType = body.contentType;
    }
    if (body.source !== void 0) {
      json.stream = { replayable: body.replayable === true, length: body.length ?? null };
    }
  }
  for (const _ in json) {
    return JSON.stringify(json);
  }
  return void 0;
}
function listJson(options) {
  const json = {};
  const style = { items: "data", cursor: "next_cursor", cursorParam: "cursor" };
  if (options !== void 0) {
    read(options, listReaders, json, invalidRequest, "a list");
    for (const name of Object.keys(styleReaders)) {
      const value = options[name];
      if (value !== void 0) {
        styleReaders[name]?.(value, name, style, invalidRequest);
      }
    }
  }
  return { json: withBody(json, void 0), style: JSON.stringify(style), items: style.items };
}

// js/pages.ts
var abandoned2 = new FinalizationRegistry((list) => port().dropPages(list));
var Pages = class {
  #begin;
  #list;
  #watchOf;
  #last;
  /** The call that brings the page that is awaited. */
  #call = 0;
  #over = false;
  constructor(begin, watchOf2) {
    this.#begin = begin;
    this.#watchOf = watchOf2;
  }
  [Symbol.asyncIterator]() {
    return this;
  }
  next() {
    const next = this.#last === void 0 ? this.#next() : this.#last.then(this.#following, this.#following);
    this.#last = next;
    return next;
  }
  async return() {
    this.#end();
    return { done: true, value: void 0 };
  }
  #following = () => this.#next();
  async #next() {
    if (this.#over) {
      return { done: true, value: void 0 };
    }
    try {
      if (this.#list === void 0) {
        this.#list = this.#begin();
        abandoned2.register(this, this.#list.list, this);
      }
      const { list, items, keep, signal } = this.#list;
      if (signal?.aborted) {
        throw signal.reason;
      }
      const call = nextNumber();
      this.#call = call;
      const page = wait(
        call,
        PAGE,
        keep,
        signal === void 0 ? void 0 : this.#watchOf(signal)
      );
      port().nextPage(call, list);
      const response = await page;
      if (response === void 0) {
        this.#end();
        return { done: true, value: void 0 };
      }
      return { done: false, value: { items: itemsOf(await response.json(), items), response } };
    } catch (error) {
      this.#end();
      throw error;
    }
  }
  #end() {
    this.#over = true;
    stopWaiting(this.#call);
    if (this.#list !== void 0) {
      abandoned2.unregister(this);
      port().dropPages(this.#list.list);
    }
  }
};
function itemsOf(body, path) {
  let found = body;
  if (!Array.isArray(found)) {
    for (const name of path.split(".")) {
      found = found?.[name];
    }
  }
  return Array.isArray(found) ? found : [];
}
async function* itemsOfAll(pages) {
  for await (const page of pages) {
    yield* page.items;
  }
}

// js/request_body.ts
var JSON_TYPE = "application/json";
var TEXT_TYPE = "text/plain;charset=UTF-8";
var FORM_TYPE = "application/x-www-form-urlencoded;charset=UTF-8";
var SMALL_BLOB = 1024 * 1024;
function jsonBody(value) {
  let content;
  try {
    content = JSON.stringify(value);
  } catch (error) {
    throw invalidRequest(
      `\`json\` cannot be encoded as JSON: ${error instanceof Error ? firstLine(error.message) : String(error)}`,
      { cause: error }
    );
  }
  if (content === void 0) {
    throw invalidRequest(`\`json\` cannot be encoded as JSON: JSON has nothing for ${kindOf(value)}`);
  }
  return { content, contentType: JSON_TYPE };
}
function firstLine(text3) {
  return text3.split("\n", 1)[0];
}
function requestBody(body) {
  if (typeof body === "string") {
    return { content: body, contentType: TEXT_TYPE };
  }
  if (body instanceof Uint8Array) {
    return { content: body };
  }
  if (ArrayBuffer.isView(body)) {
    return { content: new Uint8Array(body.buffer, body.byteOffset, body.byteLength) };
  }
  if (isArrayBuffer(body)) {
    return { content: new Uint8Array(body) };
  }
  if (body instanceof URLSearchParams) {
    return { content: body.toString(), contentType: FORM_TYPE };
  }
  if (typeof FormData !== "undefined" && body instanceof FormData) {
    return formBody(body);
  }
  if (typeof Blob !== "undefined" && body instanceof Blob) {
    return blobBody(body);
  }
  if (typeof body === "function") {
    return { source: body, replayable: true };
  }
  if (isStream(body)) {
    return streamBody(body);
  }
  throw invalidRequest(
    `\`body\` must be text, bytes, URLSearchParams, FormData, a Blob, a stream or a function that makes one, not ${kindOf(body)}${typeof body === "object" ? "; `json` takes values that are to be encoded" : ""}`
  );
}
function isArrayBuffer(value) {
  return value instanceof ArrayBuffer || typeof SharedArrayBuffer !== "undefined" && value instanceof SharedArrayBuffer;
}
async function formBody(form) {
  const encoded = new globalThis.Response(form);
  return {
    content: new Uint8Array(await encoded.arrayBuffer()),
    contentType: encoded.headers.get("content-type") ?? "multipart/form-data"
  };
}
function blobBody(blob) {
  const type = blob.type === "" ? {} : { contentType: blob.type };
  if (blob.size > SMALL_BLOB) {
    return { source: () => blob.stream(), replayable: true, length: blob.size, ...type };
  }
  return blob.arrayBuffer().then((buffer2) => ({ content: new Uint8Array(buffer2), ...type }));
}
function streamBody(stream) {
  if (stream.locked === true) {
    throw invalidRequest("`body` is a stream that somebody else reads");
  }
  return { source: () => stream, replayable: false };
}

// js/signals.ts
var Watch = class {
  signal;
  calls = /* @__PURE__ */ new Set();
  /** Those of them that are streamed answers; the signal does not keep them alive. */
  streams = /* @__PURE__ */ new Map();
  #listening = false;
  constructor(signal) {
    this.signal = signal;
  }
  add(call) {
    this.calls.add(call);
    if (!this.#listening) {
      this.#listening = true;
      this.signal.addEventListener("abort", this);
    }
  }
  drop(call) {
    this.calls.delete(call);
    this.streams.delete(call);
    if (this.calls.size === 0) {
      this.#stop();
    }
  }
  handleEvent() {
    const { reason } = this.signal;
    const calls = [...this.calls];
    for (const call of calls) {
      this.streams.get(call)?.deref()?.abort(reason);
      giveUp(call, reason);
    }
    this.calls.clear();
    this.streams.clear();
    this.#stop();
  }
  #stop() {
    if (this.#listening) {
      this.#listening = false;
      this.signal.removeEventListener("abort", this);
    }
  }
};
var watches = /* @__PURE__ */ new WeakMap();
function signalOf(given) {
  const signal = given;
  if (typeof given !== "object" || given === null || typeof signal.aborted !== "boolean" || typeof signal.addEventListener !== "function") {
    throw invalidRequest(`\`signal\` must be an AbortSignal, not ${kindOf(given)}`);
  }
  return signal;
}
function watchOf(signal) {
  let watch = watches.get(signal);
  if (watch === void 0) {
    watch = new Watch(signal);
    watches.set(signal, watch);
  }
  return watch;
}

// js/stream_response.ts
var StreamResponse = class extends Answer {
  #meta;
  #incoming;
  #used = false;
  #body;
  /** @internal */
  constructor(status, meta, incoming) {
    super(status);
    this.#meta = meta;
    this.#incoming = incoming;
  }
  get [Symbol.toStringTag]() {
    return "StreamResponse";
  }
  meta() {
    return this.#meta;
  }
  get bodyUsed() {
    return this.#used;
  }
  get body() {
    if (this.#body === void 0) {
      const incoming = this.#incoming;
      const begin = this.#used ? void 0 : () => this.#use();
      this.#body = streamOf(incoming, begin);
    }
    return this.#body;
  }
  [Symbol.asyncIterator]() {
    this.#use();
    return new Pieces(this.#incoming);
  }
  async bytes() {
    this.#use();
    const pieces = [];
    let size = 0;
    for (let piece = await this.#incoming.next(); piece !== void 0; piece = await this.#incoming.next()) {
      pieces.push(piece);
      size += piece.length;
    }
    const whole = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
  async text() {
    const bytes = await this.bytes();
    return decode(bytes, 0, bytes.length);
  }
  async json() {
    const text3 = await this.text();
    try {
      return JSON.parse(text3);
    } catch (error) {
      throw undecodable(this.#meta, error);
    }
  }
  async cancel() {
    this.#incoming.cancel();
  }
  #use() {
    if (this.#used) {
      throw new TypeError("the body of a streamed answer is read once, and it was read before");
    }
    this.#used = true;
  }
};
var Pieces = class {
  #incoming;
  constructor(incoming) {
    this.#incoming = incoming;
  }
  [Symbol.asyncIterator]() {
    return this;
  }
  async next() {
    const value = await this.#incoming.next();
    return value === void 0 ? { done: true, value } : { done: false, value };
  }
  async return() {
    this.#incoming.cancel();
    return { done: true, value: void 0 };
  }
};
function streamOf(incoming, begin) {
  let begun = false;
  return new ReadableStream(
    {
      async pull(controller) {
        if (!begun) {
          begun = true;
          if (begin === void 0) {
            throw new TypeError("the body of a streamed answer is read once, and it was read before");
          }
          begin();
        }
        const piece = await incoming.next();
        if (piece === void 0) {
          controller.close();
        } else {
          controller.enqueue(piece);
        }
      },
      cancel() {
        incoming.cancel();
      }
    },
    { highWaterMark: 0 }
  );
}

// js/client.ts
var Client = class {
  #native;
  #callbacks;
  constructor(baseUrl, options) {
    if (typeof baseUrl !== "string" && !(baseUrl instanceof URL)) {
      throw invalidConfig(`the base URL must be a string or a URL, not ${kindOf(baseUrl)}`);
    }
    const { json, callbacks } = settingsJson(options);
    const client = port().openClient(String(baseUrl), json);
    if (typeof client === "string") {
      throw errorFromJson(client, noCause);
    }
    this.#native = client;
    this.#callbacks = callbacks;
  }
  get(path, options) {
    return this.#call("GET", path, options, "request");
  }
  head(path, options) {
    return this.#call("HEAD", path, options, "request");
  }
  options(path, options) {
    return this.#call("OPTIONS", path, options, "request");
  }
  post(path, options) {
    return this.#call("POST", path, options, "body");
  }
  put(path, options) {
    return this.#call("PUT", path, options, "body");
  }
  patch(path, options) {
    return this.#call("PATCH", path, options, "body");
  }
  delete(path, options) {
    return this.#call("DELETE", path, options, "body");
  }
  request(method, path, options) {
    return this.#call(method, path, options, "body");
  }
  async stream(method, path, options) {
    const call = nextNumber();
    const signal = signalIn(options);
    const { status, meta } = await this.#begin(call, HEAD, method, path, options, "body", signal);
    return new StreamResponse(
      status,
      meta,
      new Incoming(call, this.#callbacks, signal === void 0 ? void 0 : watchOf(signal))
    );
  }
  pages(path, options) {
    return this.#pages(path, options);
  }
  items(path, options) {
    return itemsOfAll(this.#pages(path, options));
  }
  get baseUrl() {
    return this.#native.baseUrl();
  }
  state() {
    return JSON.parse(this.#native.state());
  }
  close() {
    this.#native.close();
  }
  /** Nothing but the URL: settings have secrets. */
  [INSPECT](depth, options, inspect) {
    return shown("Client", { baseUrl: this.baseUrl }, depth, options, inspect);
  }
  #call(method, path, options, kind) {
    if (options === void 0 && typeof path === "string" && typeof method === "string") {
      const call = nextNumber();
      const response = wait(call, WHOLE, this.#callbacks, void 0);
      this.#native.start(call, method, path, 0, void 0, void 0);
      return response;
    }
    try {
      return this.#begin(nextNumber(), WHOLE, method, path, options, kind, signalIn(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }
  /** Begins a call with options. Throws, or is rejected with, what is wrong about them; then nothing is sent. */
  #begin(call, kind, method, path, options, optionKind, signal) {
    checkStart(method, path, options);
    if (signal?.aborted) {
      return Promise.reject(signal.reason);
    }
    const watch = signal === void 0 ? void 0 : watchOf(signal);
    const body = optionKind === "body" ? bodyIn(options) : void 0;
    if (!(body instanceof Promise)) {
      const json = optionsJson(options, optionKind, body);
      return this.#start(call, kind, method, path, json, body, watch);
    }
    optionsJson(options, optionKind, void 0);
    const answer = wait(call, kind, this.#callbacks, watch);
    body.then(
      (ready) => {
        if (isWaiting(call)) {
          this.#send(call, kind, method, path, optionsJson(options, optionKind, ready), ready);
        }
      },
      (error) => refuse(call, invalidRequest(`\`body\` could not be read: ${String(error)}`, { cause: error }))
    );
    return answer;
  }
  #start(call, kind, method, path, json, body, watch) {
    const answer = wait(call, kind, this.#callbacks, watch);
    this.#send(call, kind, method, path, json, body);
    return answer;
  }
  #send(call, kind, method, path, json, body) {
    if (body?.source !== void 0) {
      keepUpload(call, body.source);
    }
    this.#native.start(call, method, path, kind === HEAD ? 1 : 0, json, body?.content);
  }
  #pages(path, options) {
    return new Pages(() => {
      checkStart("GET", path, options);
      const { json, style, items } = listJson(options);
      const signal = signalIn(options);
      const list = nextNumber();
      this.#native.pages(list, path, json, style);
      return { list, items, keep: this.#callbacks, signal };
    }, watchOf);
  }
};
function noCause() {
}
function checkStart(method, path, options) {
  if (typeof method !== "string") {
    throw invalidRequest(`the method must be a string, not ${kindOf(method)}`);
  }
  if (typeof path !== "string") {
    throw invalidRequest(`the path must be a string, not ${kindOf(path)}`);
  }
  if (options !== void 0 && (typeof options !== "object" || options === null)) {
    throw invalidRequest(`the options must be an object, not ${kindOf(options)}`);
  }
}
function signalIn(options) {
  const signal = options?.signal;
  return signal === void 0 || signal === null ? void 0 : signalOf(signal);
}
function bodyIn(options) {
  if (options === void 0) {
    return void 0;
  }
  const { json, body } = options;
  const hasBody = body !== void 0 && body !== null;
  if (json !== void 0) {
    if (hasBody) {
      throw invalidRequest("`json` and `body` are both given; a request has one body");
    }
    return jsonBody(json);
  }
  return hasBody ? requestBody(body) : void 0;
}

// js/version.ts
var version = "0.1.0";

// js/api.ts
var import_webhooks = require("./webhooks.cjs");

// js/node/index.ts
provide(import_load.load);
provideContext(() => {
  const call = new import_node_async_hooks.AsyncResource("GATEWRIGHTCALL");
  return (run) => call.runInAsyncScope(run);
});
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  AuthenticationError,
  BadRequestError,
  Client,
  ClosedError,
  ConflictError,
  ConnectError,
  ConnectionLostError,
  CrossOriginError,
  DecodeError,
  GatewrightError,
  HookError,
  InsecureUrlError,
  InvalidConfigError,
  InvalidRequestError,
  NotFoundError,
  OutcomeUnknownError,
  PermissionDeniedError,
  PreconditionFailedError,
  ProtocolError,
  RateLimitedError,
  RedirectError,
  Response,
  ResponseTooLargeError,
  ServerError,
  StreamResponse,
  TimeoutError,
  TlsError,
  TokenError,
  UnprocessableError,
  Webhook,
  WebhookError,
  WebhookKeyError,
  WebhookVerificationError,
  generateSecret,
  version
});
