/**
 * The errors: one class for each kind, made from the native half's JSON by one table. A test walks all codes.
 *
 * Error JSON: `{code, message, what, status, method, url, requestId, retryAfterMs, retryability, noRetry, advice, elapsedMs,
 * headers: [[name, value]] | null, body (base64), problem, attempts, cause: number | null}`; of an upload `upload: {location, offset, length}` too.
 */

import type { Attempt, ErrorCode, Json, Retryability, UploadPosition } from "../types/shared.js";
import { headersOf } from "./headers.ts";
import { INSPECT, type Inspect, indent, setName } from "./inspect.ts";
import { native } from "./native.ts";
import { fromBase64 } from "./text.ts";

/** What an error knows beside its message. */
export interface Facts extends ErrorOptions {
  code?: ErrorCode;
  status?: number | null;
  method?: string | null;
  url?: string | null;
  requestId?: string | null;
  retryAfterMs?: number | null;
  retryability?: Retryability;
  noRetry?: string | null;
  advice?: string;
  elapsedMs?: number;
  headers?: [string, string][] | null;
  body?: string;
  problem?: { readonly [name: string]: Json } | null;
  attempts?: readonly Attempt[];
  upload?: UploadPosition;
}

/** The error as the native half tells it. */
interface ErrorJson extends Required<Omit<Facts, "cause" | "upload">> {
  upload?: UploadPosition;
  message: string;
  cause: number | null;
}

const NO_BYTES = new Uint8Array(0);

/** What an error shows beside its code, in this order, where it is known. */
const MEMBERS = [
  "status",
  "method",
  "url",
  "requestId",
  "retryAfterMs",
  "retryability",
  "noRetry",
  "advice",
  "elapsedMs",
] as const;

export class GatewrightError extends Error {
  // Members that are null are those of the prototype, below: what is shown of an error is what is known.
  declare readonly code: ErrorCode;
  declare readonly status: number | null;
  declare readonly method: string | null;
  declare readonly url: string | null;
  declare readonly requestId: string | null;
  declare readonly retryAfterMs: number | null;
  declare readonly retryability: Retryability;
  declare readonly noRetry: string | null;
  declare readonly advice: string;
  declare readonly elapsedMs: number;
  /** What is not shown with the error's own members, as it came. */
  readonly #rest: Facts;
  #headers: Headers | null | undefined;
  #body: Uint8Array<ArrayBuffer> | undefined;

  constructor(message?: string, facts: Facts = {}) {
    super(message, "cause" in facts ? { cause: facts.cause } : undefined);
    this.#rest = facts;
    const known: { [name: string]: unknown } = this as never;
    known.code = facts.code ?? CODES.get(new.target) ?? "error";
    for (const name of MEMBERS) {
      const value = facts[name];
      if (value !== undefined && value !== null) {
        known[name] = value;
      }
    }
  }

  get headers(): Headers | null {
    if (this.#headers === undefined) {
      const pairs = this.#rest.headers ?? null;
      this.#headers = pairs === null ? null : headersOf(pairs);
    }
    return this.#headers;
  }

  get body(): Uint8Array<ArrayBuffer> {
    this.#body ??= this.#rest.body ? fromBase64(this.#rest.body) : NO_BYTES;
    return this.#body;
  }

  get problem(): { readonly [name: string]: Json } | null {
    return this.#rest.problem ?? null;
  }

  get attempts(): readonly Attempt[] {
    return this.#rest.attempts ?? [];
  }

  get upload(): UploadPosition | null {
    return this.#rest.upload ?? null;
  }

  timeline(): string {
    return this.attempts.length === 0 ? "" : native().timeline(JSON.stringify(this.attempts));
  }

  toJSON(): { [name: string]: Json } {
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
      problem: this.problem as Json,
      attempts: this.attempts as readonly object[] as Json[],
    };
  }

  /** The stack, which begins with the message, and has the timeline if there was more than one attempt; what else is known; the cause. */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    if (depth < 0) {
      return `[${this.name}: ${this.code}]`;
    }
    const lines = [this.stack ?? `${this.name}: ${this.message}`];
    for (const name of ["code", ...MEMBERS, "problem"] as const) {
      if (Object.hasOwn(this, name) || (name === "problem" && this.problem !== null)) {
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
}

for (const name of ["status", "method", "url", "requestId", "retryAfterMs", "noRetry"] as const) {
  unknown(name, null);
}
unknown("retryability", "permanent");
unknown("advice", "");
unknown("elapsedMs", 0);

/** What a member is where it is not known. */
function unknown(name: (typeof MEMBERS)[number], value: unknown): void {
  Object.defineProperty(GatewrightError.prototype, name, { value, configurable: true, writable: true });
}

export class AuthenticationError extends GatewrightError {}
export class BadRequestError extends GatewrightError {}
export class CircuitOpenError extends GatewrightError {}
export class ClosedError extends GatewrightError {}
export class ConflictError extends GatewrightError {}
export class ConnectError extends GatewrightError {}
export class ConnectionLostError extends GatewrightError {}
export class CrossOriginError extends GatewrightError {}
export class DecodeError extends GatewrightError {}
export class HookError extends GatewrightError {}
export class InsecureUrlError extends GatewrightError {}
export class InvalidConfigError extends GatewrightError {}
export class InvalidRequestError extends GatewrightError {}
export class NotCachedError extends GatewrightError {}
export class NotFoundError extends GatewrightError {}
export class OutcomeUnknownError extends GatewrightError {}
export class PermissionDeniedError extends GatewrightError {}
export class PreconditionFailedError extends GatewrightError {}
export class ProtocolError extends GatewrightError {}
export class RateLimitedError extends GatewrightError {}
export class RedirectError extends GatewrightError {}
export class ResponseTooLargeError extends GatewrightError {}
export class ServerError extends GatewrightError {}
export class TimeoutError extends GatewrightError {}
export class TlsError extends GatewrightError {}
export class TokenError extends GatewrightError {}
export class UnprocessableError extends GatewrightError {}

type ErrorClass = new (message?: string, facts?: Facts) => GatewrightError;

/** The class of each kind. Names are written out, since a bundler may shorten those of classes. */
const KINDS: Record<ErrorCode, readonly [string, ErrorClass]> = {
  authentication: ["AuthenticationError", AuthenticationError],
  bad_request: ["BadRequestError", BadRequestError],
  circuit_open: ["CircuitOpenError", CircuitOpenError],
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
  not_cached: ["NotCachedError", NotCachedError],
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
  unprocessable: ["UnprocessableError", UnprocessableError],
};

const CODES = new Map<unknown, ErrorCode>();
setName(GatewrightError, "GatewrightError");
for (const [code, [name, kind]] of Object.entries(KINDS)) {
  CODES.set(kind, code as ErrorCode);
  setName(kind, name);
}

/** Finds what was thrown by its number. */
export type CauseOf = (number: number | null) => { readonly thrown: unknown } | undefined;

/**
 * The error that the native half tells of. `causeOf` knows what was thrown under a number; `below` is the function whose callers the stack
 * is to show.
 */
export function errorFromJson(
  text: string,
  causeOf: CauseOf,
  below: (...args: never[]) => unknown = errorFromJson,
): GatewrightError {
  const { message, cause: number, ...told } = JSON.parse(text) as ErrorJson;
  const facts: Facts = told;
  const cause = causeOf(number);
  if (cause !== undefined) {
    facts.cause = cause.thrown;
  }
  const error = new (KINDS[told.code]?.[1] ?? GatewrightError)(message, facts);
  (Error as { captureStackTrace?: (error: Error, below: unknown) => void }).captureStackTrace?.(error, below);
  if (error.attempts.length > 1) {
    showTimeline(error);
  }
  return error;
}

/** Puts the timeline under the message in the stack, which every console shows, and an unhandled rejection too. */
function showTimeline(error: GatewrightError): void {
  const { stack, message } = error;
  const end = stack === undefined ? -1 : stack.indexOf(message) + message.length;
  if (stack !== undefined && end >= message.length) {
    const timeline = indent(`\n${error.timeline().trimEnd()}`, 2);
    error.stack = `${stack.slice(0, end)}${timeline}${stack.slice(end)}`;
  }
}

/** A request that cannot be sent as it is. */
export function invalidRequest(what: string, options?: ErrorOptions): InvalidRequestError {
  const advice = "change the request; nothing was sent";
  return new InvalidRequestError(`invalid_request: ${what}; ${advice}`, { ...options, advice });
}

/** A setting that cannot be. */
export function invalidConfig(what: string, options?: ErrorOptions): InvalidConfigError {
  const advice = "change the setting";
  return new InvalidConfigError(`invalid_config: ${what}; ${advice}`, { ...options, advice });
}
