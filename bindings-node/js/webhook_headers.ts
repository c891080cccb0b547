/** Requests as anybody has them, into the lines that the native half reads: a name and a value in turns. */

import { kindOf } from "./text.ts";

/** Whether a header matters. */
export type Wanted = (name: string) => boolean;

/** What is said of a request beside its headers. */
export interface About {
  readonly url?: string | undefined;
  readonly method?: string | undefined;
}

/** A request: the Fetch API's, Node's `IncomingMessage`, or that of a framework. */
interface RequestLike {
  readonly headers: object;
  readonly rawHeaders?: unknown;
  readonly url?: unknown;
  readonly originalUrl?: unknown;
  readonly method?: unknown;
  readonly socket?: { readonly encrypted?: boolean } | null;
}

/** The headers that a scheme's verification looks at. `explain` looks at all, for what else may be wrong. */
const NAMES: { readonly [scheme: string]: readonly string[] } = {
  stripe: ["stripe-signature"],
  github: ["x-hub-signature-256", "x-github-delivery"],
  slack: ["x-slack-signature", "x-slack-request-timestamp"],
  zoom: ["x-zm-signature", "x-zm-request-timestamp"],
  shopify: ["x-shopify-hmac-sha256", "x-shopify-event-id"],
  square: ["x-square-hmacsha256-signature"],
  discord: ["x-signature-ed25519", "x-signature-timestamp"],
  linear: ["linear-signature", "linear-delivery"],
  paddle: ["paddle-signature"],
};

/** The schemes that may sign the URL or the method. */
const SIGNS_URL = ["twilio", "square", "http-signature", "custom"];

export const every: Wanted = () => true;

/** Which headers matter to a scheme. */
export function wantedBy(scheme: string): Wanted {
  if (scheme === "standard-webhooks") {
    return isStandard;
  }
  const names = NAMES[scheme];
  if (names === undefined) {
    return every;
  }
  const wanted = new Set(names);
  return (name) => wanted.has(name) || wanted.has(name.toLowerCase());
}

/** Whether a scheme may sign the URL. */
export function signsUrl(scheme: string): boolean {
  return SIGNS_URL.includes(scheme);
}

function isStandard(name: string): boolean {
  // Most names begin otherwise, and most of those that do not are in lower case.
  return (
    (name.charCodeAt(0) | 0x20) === 0x77 && (name.startsWith("webhook-") || name.toLowerCase().startsWith("webhook-"))
  );
}

/** A request's lines: its URL and method if they are wanted, and its headers. */
export function requestLines(given: unknown, about: About | undefined, withUrl: boolean, wanted: Wanted): string {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(
      `a webhook's headers must be an object, pairs, Headers or the request that has them, not ${kindOf(given)}`,
    );
  }
  const request = isRequest(given) ? given : undefined;
  const headers =
    request === undefined ? given : Array.isArray(request.rawHeaders) ? request.rawHeaders : request.headers;
  const lines = headerLines(headers, wanted);
  if (!withUrl) {
    return lines;
  }
  const url = about?.url ?? (request && urlOf(request));
  const method = about?.method ?? (typeof request?.method === "string" ? request.method : undefined);
  const first = (url === undefined ? "" : line(":url", url)) + (method === undefined ? "" : line(":method", method));
  return first + lines;
}

function isRequest(given: object): given is RequestLike {
  const { headers } = given as { headers?: unknown };
  return typeof headers === "object" && headers !== null && !Array.isArray(headers);
}

/** Where a request was sent to, as far as it says so: Node's has the path, and the host in a header. */
function urlOf(request: RequestLike): string | undefined {
  const url = typeof request.originalUrl === "string" ? request.originalUrl : request.url;
  if (typeof url !== "string" || !url.startsWith("/")) {
    return typeof url === "string" ? url : undefined;
  }
  const named = request.headers as { readonly host?: unknown; readonly ":authority"?: unknown };
  const host = named.host ?? named[":authority"];
  return typeof host === "string" ? `${request.socket?.encrypted === true ? "https" : "http"}://${host}${url}` : url;
}

/** Headers as anybody has them, and Node's `rawHeaders`. */
function headerLines(headers: object, wanted: Wanted): string {
  let lines = "";
  if (Array.isArray(headers) && typeof headers[0] === "string") {
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = String(headers[at]);
      if (wanted(name)) {
        lines += header(name, headers[at + 1]);
      }
    }
  } else if (Symbol.iterator in headers) {
    for (const pair of headers as Iterable<unknown>) {
      if (!Array.isArray(pair) || pair.length !== 2) {
        throw new TypeError("a webhook's headers must be pairs of a name and a value");
      }
      const name = String(pair[0]);
      if (wanted(name)) {
        lines += header(name, pair[1]);
      }
    }
  } else {
    for (const name in headers) {
      if (wanted(name)) {
        lines += headerOrHeaders(name, (headers as { [name: string]: unknown })[name]);
      }
    }
  }
  return lines;
}

function headerOrHeaders(name: string, value: unknown): string {
  if (typeof value === "string") {
    return header(name, value);
  }
  if (Array.isArray(value)) {
    return value.map((one) => header(name, one)).join("");
  }
  return value === undefined || value === null ? "" : header(name, value);
}

/** A header's lines. None has a name with a colon first (HTTP/2's own do): those lines are what is said of the request. */
function header(name: string, value: unknown): string {
  return name.charCodeAt(0) === 0x3a ? "" : line(name, typeof value === "string" ? value : String(value));
}

/** A name and a value as lines. No header has a line break; one that is made up gets another that is as wrong, so that what comes after it
 * is no other header. */
function line(name: string, value: string): string {
  return `${oneLine(name)}\n${oneLine(value)}\n`;
}

export function oneLine(text: string): string {
  return text.includes("\n") ? text.replaceAll("\n", "\r") : text;
}
