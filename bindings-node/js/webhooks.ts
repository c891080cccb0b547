/** Webhooks: verified and signed by the native half, synchronously, without any client. */

import type { HeadersInput } from "../types/shared.js";
import type {
  Challenge,
  RequestInput,
  SignedRequest,
  SignOptions,
  VerifyOptions,
  WebhookBody,
  WebhookOptions,
  WebhookScheme,
} from "../types/webhooks.js";
import { CertificateFetcher } from "./certificate_fetcher.ts";
import { INSPECT } from "./inspect.ts";
import { kindOf } from "./text.ts";
import { Verified } from "./verified.ts";
import { isError, keyError, refusal, WebhookVerificationError } from "./webhook_errors.ts";
import { every, oneLine, requestLines, signsUrl, type Wanted, wantedBy } from "./webhook_headers.ts";
import { type NativeVerifier, type NativeWebhook, webhookNative } from "./webhook_native.ts";
import { known, seconds, webhookSettings } from "./webhook_settings.ts";

export { MemoryReplayGuard } from "./replay_guard.ts";
export { WebhookError, WebhookKeyError, WebhookVerificationError } from "./webhook_errors.ts";
export { WebhookEvents } from "./webhook_events.ts";

const VERIFY_OPTIONS = ["now", "url", "method"];
const SIGN_OPTIONS = ["messageId", "timestamp", "url"];
const MAX_BODY = 1024 * 1024;

export class Webhook {
  readonly scheme: WebhookScheme;
  readonly maxBody: number;
  readonly #native: NativeWebhook;
  readonly #wanted: Wanted;
  readonly #withUrl: boolean;
  readonly #certificates: CertificateFetcher;

  constructor(secrets: string | readonly string[], options: WebhookOptions = {}) {
    const settings = webhookSettings(secrets, options);
    const webhook = webhookNative().openWebhook(settings);
    if (typeof webhook === "string") {
      throw keyError(webhook);
    }
    this.scheme = options.scheme ?? (options.template === undefined ? "standard-webhooks" : "custom");
    this.maxBody = options.maxBody ?? MAX_BODY;
    this.#native = webhook;
    this.#wanted = wantedBy(this.scheme);
    this.#withUrl = signsUrl(this.scheme);
    this.#certificates = new CertificateFetcher(options.fetchCertificate);
  }

  verify(body: WebhookBody, headers: HeadersInput | RequestInput, options?: VerifyOptions): Verified {
    const raw = rawBody(body);
    const told = this.#native.verify(raw, this.#lines(headers, options, this.#wanted), nowOf(options));
    if (isError(told)) {
      throw refusal(told);
    }
    return new Verified(told, raw);
  }

  async receive(body: WebhookBody, headers: HeadersInput | RequestInput, options?: VerifyOptions): Promise<Verified> {
    try {
      return this.verify(body, headers, options);
    } catch (error) {
      const url = error instanceof WebhookVerificationError ? error.certificateUrl : null;
      if (url === null) {
        throw error;
      }
      const pem = await this.#certificates.fetch(url);
      this.addCertificate(url, pem, options);
      return this.verify(body, headers, options);
    }
  }

  verifier(headers: HeadersInput | RequestInput, options?: VerifyOptions): WebhookVerifier {
    const native = this.#native.verifier(this.#lines(headers, options, this.#wanted), nowOf(options));
    if (typeof native === "string") {
      throw refusal(native);
    }
    return new WebhookVerifier(native);
  }

  addCertificate(url: string, pem: WebhookBody, options?: { readonly now?: Date }): void {
    const told = this.#native.addCertificate?.(rawBody(pem), url, nowOf(options)) ?? "";
    if (told !== "") {
      throw refusal(told);
    }
  }

  explain(body: WebhookBody, headers: HeadersInput | RequestInput, options?: VerifyOptions): string {
    return this.#native.explain(rawBody(body), this.#lines(headers, options, every), nowOf(options));
  }

  challenge(verified: Verified): Challenge | null {
    const { lines, body } = Verified.told(verified);
    const told = body === undefined ? "" : this.#native.challenge(body, lines);
    return told === "" ? null : { visit: null, ...JSON.parse(told) };
  }

  sign(body: WebhookBody, options: SignOptions): { [name: string]: string } {
    return this.signRequest(body, known(options, SIGN_OPTIONS)).headers;
  }

  signRequest(body: WebhookBody, options: SignOptions = {}): SignedRequest {
    const { messageId, url, timestamp } = known(options, SIGN_OPTIONS);
    const isNeeded = this.scheme === "standard-webhooks" || this.scheme === "svix";
    const id = isNeeded ? messageId : (messageId ?? "");
    if (typeof id !== "string") {
      throw new TypeError(`\`messageId\` must be a string, not ${kindOf(messageId)}`);
    }
    if (url !== undefined && typeof url !== "string") {
      throw new TypeError(`\`url\` must be a string, not ${kindOf(url)}`);
    }
    const raw = rawBody(body);
    // A line break is as wrong in an id as any other control character.
    const request = `${id.replaceAll("\n", "\r")}\n${oneLine(url ?? "")}`;
    const told = this.#native.sign(raw, request, seconds("timestamp", timestamp));
    const signed: { code?: string; headers: [string, string][]; body?: string; url?: string } = JSON.parse(told);
    if (signed.code !== undefined) {
      throw keyError(told);
    }
    return { headers: Object.fromEntries(signed.headers), body: signed.body ?? raw, url: signed.url ?? url ?? null };
  }

  [INSPECT](): string {
    return "Webhook {}";
  }

  #lines(headers: unknown, options: VerifyOptions | undefined, wanted: Wanted): string {
    if (options !== undefined) {
      known(options, VERIFY_OPTIONS);
    }
    return requestLines(headers, options, this.#withUrl, wanted);
  }
}

/** A body in pieces. */
class WebhookVerifier {
  readonly #native: NativeVerifier;

  constructor(native: NativeVerifier) {
    this.#native = native;
  }

  update(piece: WebhookBody): this {
    const told = this.#native.update(rawBody(piece));
    if (told !== "") {
      throw refusal(told);
    }
    return this;
  }

  finish(): Verified {
    const told = this.#native.finish();
    if (isError(told)) {
      throw refusal(told);
    }
    return new Verified(told, undefined);
  }
}

export function generateSecret(): string {
  return webhookNative().generateSecret();
}

function nowOf(options: { readonly now?: Date } | undefined): number {
  return seconds("now", options?.now);
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
