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

const VERIFY_OPTIONS = ["now"];
const SIGN_OPTIONS = ["messageId", "timestamp"];
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
    const raw = rawBody(body);
    const told = this.#native.verify(raw, headerLines(headers, isSigned), seconds(options, "now", VERIFY_OPTIONS));
    if (told.charCodeAt(0) === 0x7b) {
      throw error(WebhookVerificationError, JSON.parse(told));
    }
    return new Verified(told, raw);
  }

  explain(body: WebhookBody, headers: HeadersInput, options?: VerifyOptions): string {
    return this.#native.explain(rawBody(body), headerLines(headers, every), seconds(options, "now", VERIFY_OPTIONS));
  }

  sign(body: WebhookBody, options: SignOptions): { [name: string]: string } {
    const { messageId } = known(options, SIGN_OPTIONS);
    if (typeof messageId !== "string") {
      throw new TypeError(`\`messageId\` must be a string, not ${kindOf(messageId)}`);
    }
    const told = JSON.parse(this.#native.sign(rawBody(body), messageId, seconds(options, "timestamp", SIGN_OPTIONS)));
    if (told.code !== undefined) {
      throw error(WebhookKeyError, told);
    }
    return told;
  }

  [INSPECT](): string {
    return "Webhook {}";
  }
}

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

  constructor(lines: string, body: string | Uint8Array) {
    // Faster than to split them.
    const scheme = lines.indexOf("\n");
    const algorithm = lines.indexOf("\n", scheme + 1);
    const keyIndex = lines.indexOf("\n", algorithm + 1);
    const timestamp = lines.indexOf("\n", keyIndex + 1);
    const messageId = lines.indexOf("\n", timestamp + 1);
    const bodyBound = lines.indexOf("\n", messageId + 1);
    this.scheme = lines.slice(0, scheme);
    this.algorithm = lines.slice(scheme + 1, algorithm) as VerifiedType["algorithm"];
    this.keyIndex = Number(lines.slice(algorithm + 1, keyIndex));
    this.timestamp = timestamp === keyIndex + 1 ? null : new Date(Number(lines.slice(keyIndex + 1, timestamp)) * 1000);
    this.messageId = messageId === timestamp + 1 ? null : lines.slice(timestamp + 1, messageId);
    this.bodyBound = lines.slice(messageId + 1, bodyBound);
    this.timestampSigned = lines[bodyBound + 1] === "1";
    this.idSigned = lines[bodyBound + 2] === "1";
    this.urlBound = lines[bodyBound + 3] === "1";
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

/** Whether verification looks at a header. `explain` looks at all, for what else may be wrong. */
function isSigned(name: string): boolean {
  // Most names begin otherwise, and most of those that do not are in lower case.
  return (
    (name.charCodeAt(0) | 0x20) === 0x77 && (name.startsWith("webhook-") || name.toLowerCase().startsWith("webhook-"))
  );
}

const every = (): boolean => true;

/** Headers as anybody has them, and Node's `rawHeaders`, into lines: a name and a value in turns. */
function headerLines(headers: unknown, wanted: (name: string) => boolean): string {
  if (typeof headers !== "object" || headers === null) {
    throw new TypeError(`a webhook's headers must be an object, pairs or Headers, not ${kindOf(headers)}`);
  }
  let lines = "";
  if (Array.isArray(headers) && typeof headers[0] === "string") {
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = String(headers[at]);
      if (wanted(name)) {
        lines += line(name, headers[at + 1]);
      }
    }
  } else if (Symbol.iterator in headers) {
    for (const pair of headers as Iterable<unknown>) {
      if (!Array.isArray(pair) || pair.length !== 2) {
        throw new TypeError("a webhook's headers must be pairs of a name and a value");
      }
      const name = String(pair[0]);
      if (wanted(name)) {
        lines += line(name, pair[1]);
      }
    }
  } else {
    for (const name in headers) {
      if (wanted(name)) {
        lines += lineOrLines(name, (headers as { [name: string]: unknown })[name]);
      }
    }
  }
  return lines;
}

function lineOrLines(name: string, value: unknown): string {
  if (typeof value === "string") {
    return line(name, value);
  }
  if (Array.isArray(value)) {
    return value.map((one) => line(name, one)).join("");
  }
  return value === undefined || value === null ? "" : line(name, value);
}

/** A header's name and value as lines. No header has a line break; were there one, what comes after it is no other header. */
function line(name: string, value: unknown): string {
  return `${oneLine(name)}\n${oneLine(typeof value === "string" ? value : String(value))}\n`;
}

function oneLine(text: string): string {
  return text.includes("\n") ? text.replaceAll("\n", " ") : text;
}

/** A time of the options in seconds; the clock's where there is none. */
function seconds(options: object | undefined, name: "now" | "timestamp", names: readonly string[]): number {
  const date = options === undefined ? undefined : (known(options, names) as { [name: string]: unknown })[name];
  if (date === undefined) {
    return Math.floor(Date.now() / 1000);
  }
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) {
    throw new TypeError(`\`${name}\` must be a Date, not ${kindOf(date)}`);
  }
  return Math.floor(date.getTime() / 1000);
}
