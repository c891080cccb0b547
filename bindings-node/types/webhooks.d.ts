/**
 * The public types of `gatewright/webhooks` and `gatewright-web/webhooks`: verification and signing by Standard Webhooks (v1 and v1a), usable
 * without any client. Both main entries export the same names too.
 */

import type { HeadersInput } from "./shared.js";

/** A request's body as it came, before any parsing. */
export type WebhookBody = string | Uint8Array | ArrayBuffer;

export interface WebhookOptions {
  /** How many milliseconds a timestamp may be off, either way. Default 300000. */
  readonly tolerance?: number;
  /** The longest body that is verified, in bytes. Default 1 MiB. */
  readonly maxBody?: number;
}

export interface VerifyOptions {
  /** The time. Default: the clock's. */
  readonly now?: Date;
}

export interface SignOptions {
  /** The message's id; the same when it is sent again. */
  readonly messageId: string;
  /** When it is sent. Default: now. */
  readonly timestamp?: Date;
}

/** Verifies and signs webhooks. Synchronous. */
export class Webhook {
  /**
   * @param secrets A `whsec_` secret (verifies and signs), a `whpk_` key (verifies) or a `whsk_` key (signs); or several, while
   *   secrets are being rotated.
   * @throws {WebhookKeyError} for one that cannot be used.
   */
  constructor(secrets: string | readonly string[], options?: WebhookOptions);
  /** @throws {WebhookVerificationError} where the request is not what it claims to be. */
  verify(body: WebhookBody, headers: HeadersInput, options?: VerifyOptions): Verified;
  /** Says why a request does not verify, in words for the developer. Never show it to the sender. */
  explain(body: WebhookBody, headers: HeadersInput, options?: VerifyOptions): string;
  /** Signs a body, for tests and for senders: the three headers to send with it. */
  sign(body: WebhookBody, options: SignOptions): { [name: string]: string };
}

/** What was really proven about a request. */
export interface Verified {
  readonly scheme: string;
  readonly algorithm: "hmac-sha256" | "ed25519";
  /** Which of the secrets fitted, 0 for the first. */
  readonly keyIndex: number;
  /** When it was sent. */
  readonly timestamp: Date | null;
  /** The message's id; the same when it is sent again. */
  readonly messageId: string | null;
  /** How the signature binds the body. */
  readonly bodyBound: string;
  readonly timestampSigned: boolean;
  readonly idSigned: boolean;
  readonly urlBound: boolean;
  /** The body decoded from JSON. Throws `SyntaxError` where it is none. */
  json<T = unknown>(): T;
}

/** A new `whsec_` secret. */
export function generateSecret(): string;

export class WebhookError extends Error {
  /** The stable code, such as `signature_mismatch`. */
  readonly code: string;
}
/** A secret cannot be used. */
export class WebhookKeyError extends WebhookError {}
/** A request is not what it claims to be. */
export class WebhookVerificationError extends WebhookError {}
