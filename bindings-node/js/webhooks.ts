/** Webhooks: verified and signed by the native half, synchronously, without any client. */

import type { HeadersInput } from "../types/shared.js";
import type {
  SignOptions,
  Verified as VerifiedType,
  VerifyOptions,
  WebhookBody,
  WebhookOptions,
} from "../types/webhooks.js";
import { INSPECT, type Inspect, setName, shown } from "./inspect.ts";
import { decode, kindOf } from "./text.ts";
import { type NativeWebhook, webhookNative } from "./webhook_native.ts";

export class WebhookError extends Error {
  readonly code: string;

  constructor(message?: string, options?: ErrorOptions & { code?: string }) {
    super(message, options);
    this.code = options?.code ?? "webhook";
  }

  toJSON(): { name: string; code: string; message: string } {
    return { name: this.name, code: this.code, message: this.message };
  }
}

export class WebhookKeyError extends WebhookError {}
export class WebhookVerificationError extends WebhookError {}

setName(WebhookError, "WebhookError");
setName(WebhookKeyError, "WebhookKeyError");
setName(WebhookVerificationError, "WebhookVerificationError");

interface WebhookErrorJson {
  readonly code: string;
  readonly message: string;
}

const TOLERANCE_MS = 300_000;
const MAX_BODY = 1024 * 1024;

export class Webhook {
  readonly #native: NativeWebhook;

  constructor(secrets: string | readonly string[], options: WebhookOptions = {}) {
    const list = typeof secrets === "string" ? [secrets] : secrets;
    if (!Array.isArray(list) || !list.every((secret) => typeof secret === "string")) {
      throw new TypeError(`the secrets of a webhook must be a string or a list of strings, not ${kindOf(secrets)}`);
    }
    const { tolerance = TOLERANCE_MS, maxBody = MAX_BODY } = known(options, ["tolerance", "maxBody"]);
    if (typeof tolerance !== "number" || !(tolerance >= 0)) {
      throw new TypeError(`\`tolerance\` must be a number of milliseconds of at least 0, not ${kindOf(tolerance)}`);
    }
    if (typeof maxBody !== "number" || !(maxBody >= 0)) {
      throw new TypeError(`\`maxBody\` must be a number of bytes of at least 0, not ${kindOf(maxBody)}`);
    }
    const webhook = webhookNative().openWebhook(list, tolerance / 1000, maxBody);
    if (typeof webhook === "string") {
      throw error(WebhookKeyError, JSON.parse(webhook));
    }
    this.#native = webhook;
  }

  verify(body: WebhookBody, headers: HeadersInput, options?: VerifyOptions): Verified {
    const bytes = rawBody(body);
    const told = JSON.parse(this.#native.verify(bytes, flatHeaders(headers), seconds(options, "now"))) as VerifiedJson &
      WebhookErrorJson;
    if (told.code !== undefined) {
      throw error(WebhookVerificationError, told);
    }
    return new Verified(told, bytes);
  }

  explain(body: WebhookBody, headers: HeadersInput, options?: VerifyOptions): string {
    return this.#native.explain(rawBody(body), flatHeaders(headers), seconds(options, "now"));
  }

  sign(body: WebhookBody, options: SignOptions): { [name: string]: string } {
    const { messageId } = known(options, ["messageId", "timestamp"]);
    if (typeof messageId !== "string") {
      throw new TypeError(`\`messageId\` must be a string, not ${kindOf(messageId)}`);
    }
    const told = JSON.parse(this.#native.sign(rawBody(body), messageId, seconds(options, "timestamp")));
    if (told.code !== undefined) {
      throw error(WebhookKeyError, told);
    }
    return told;
  }

  [INSPECT](): string {
    return "Webhook {}";
  }
}

type VerifiedJson = Omit<VerifiedType, "json" | "timestamp"> & { readonly timestamp: number | null };

/** What was proven, and the body that it was proven of. */
class Verified implements VerifiedType {
  readonly scheme: string;
  readonly algorithm: VerifiedType["algorithm"];
  readonly keyIndex: number;
  readonly timestamp: Date | null;
  readonly messageId: string | null;
  readonly bodyBound: string;
  readonly timestampSigned: boolean;
  readonly idSigned: boolean;
  readonly urlBound: boolean;
  readonly #body: string | Uint8Array;

  constructor(told: VerifiedJson, body: string | Uint8Array) {
    this.scheme = told.scheme;
    this.algorithm = told.algorithm;
    this.keyIndex = told.keyIndex;
    this.timestamp = told.timestamp === null ? null : new Date(told.timestamp * 1000);
    this.messageId = told.messageId;
    this.bodyBound = told.bodyBound;
    this.timestampSigned = told.timestampSigned;
    this.idSigned = told.idSigned;
    this.urlBound = told.urlBound;
    this.#body = body;
  }

  json<T = unknown>(): T {
    return JSON.parse(typeof this.#body === "string" ? this.#body : decode(this.#body, 0, this.#body.length)) as T;
  }

  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    return shown("Verified", { ...this }, depth, options, inspect);
  }
}

export function generateSecret(): string {
  return webhookNative().generateSecret();
}

function error(kind: typeof WebhookError, told: WebhookErrorJson): WebhookError {
  return new kind(told.message, { code: told.code });
}

/** The options, if they have no others than these. */
function known<T extends object>(options: T, names: readonly string[]): T {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`the options must be an object, not ${kindOf(options)}`);
  }
  for (const name in options) {
    if (!names.includes(name)) {
      throw new TypeError(`there is no option \`${name}\`; there are \`${names.join("` and `")}\``);
    }
  }
  return options;
}

function rawBody(body: unknown): string | Uint8Array {
  if (typeof body === "string" || body instanceof Uint8Array) {
    return body;
  }
  if (body instanceof ArrayBuffer) {
    return new Uint8Array(body);
  }
  if (ArrayBuffer.isView(body)) {
    return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  }
  throw new TypeError(`a webhook's body must be the text or bytes that came, before any parsing, not ${kindOf(body)}`);
}

/** Headers as anybody has them, and Node's `rawHeaders`, into a flat list: name, value, name, value. */
function flatHeaders(headers: unknown): string[] {
  if (typeof headers !== "object" || headers === null) {
    throw new TypeError(`a webhook's headers must be an object, pairs or Headers, not ${kindOf(headers)}`);
  }
  const flat: string[] = [];
  if (Array.isArray(headers) && typeof headers[0] === "string") {
    for (const text of headers) {
      flat.push(String(text));
    }
  } else if (Symbol.iterator in headers) {
    for (const pair of headers as Iterable<unknown>) {
      if (!Array.isArray(pair) || pair.length !== 2) {
        throw new TypeError("a webhook's headers must be pairs of a name and a value");
      }
      flat.push(String(pair[0]), String(pair[1]));
    }
  } else {
    for (const name in headers) {
      const value = (headers as { [name: string]: unknown })[name];
      if (Array.isArray(value)) {
        for (const one of value) {
          flat.push(name, String(one));
        }
      } else if (value !== undefined && value !== null) {
        flat.push(name, String(value));
      }
    }
  }
  return flat;
}

function seconds(options: object | undefined, name: "now" | "timestamp"): number | undefined {
  if (options === undefined) {
    return undefined;
  }
  if (name === "now") {
    known(options, ["now"]);
  }
  const date: unknown = (options as { [name: string]: unknown })[name];
  if (date === undefined) {
    return undefined;
  }
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) {
    throw new TypeError(`\`${name}\` must be a Date, not ${kindOf(date)}`);
  }
  return Math.floor(date.getTime() / 1000);
}
