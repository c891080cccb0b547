/**
 * The public types of `gatewright/webhooks` and `gatewright-web/webhooks`: verification and signing of webhooks by eighteen schemes, usable
 * without any client. Both main entries export the same names too.
 */

import type { HeadersInput } from "./shared.js";

/** A request's body as it came, before any parsing. */
export type WebhookBody = string | Uint8Array | ArrayBuffer;

/** How a sender signs. `gatewright-web/webhooks` has all but `sendgrid`, `sns` and `paypal`: there these are refused with `needs_asymmetric`. */
export type WebhookScheme =
  | "standard-webhooks"
  | "svix"
  | "stripe"
  | "github"
  | "slack"
  | "zoom"
  | "shopify"
  | "twilio"
  | "square"
  | "discord"
  | "linear"
  | "paddle"
  | "mailgun"
  | "sendgrid"
  | "sns"
  | "paypal"
  | "http-signature"
  | "custom";

/** The algorithm of a signature. */
export type Algorithm =
  | "hmac-sha1"
  | "hmac-sha256"
  | "hmac-sha512"
  | "ed25519"
  | "ecdsa-p256-sha256"
  | "rsa-sha1"
  | "rsa-sha256"
  | "rsa-pss-sha512";

/**
 * A request whose headers, URL and method are wanted: the Fetch API's `Request`, Node's `IncomingMessage`, or a framework's. Node's says only
 * the path, and the host in a header: where a scheme signs the URL, set `url` for what the sender calls.
 */
export interface RequestInput {
  readonly headers: object;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

export interface WebhookOptions {
  /** How the sender signs. Default `standard-webhooks`; `custom` where there is a `template`. */
  readonly scheme?: WebhookScheme;
  /**
   * How many milliseconds a timestamp may be off, either way; whole seconds count. Default 300000; 60000 for Linear, 5000 for Paddle. Of no
   * effect where a scheme has no timestamp.
   */
  readonly tolerance?: number;
  /** How many it may be in the future, where that should be another. */
  readonly futureTolerance?: number;
  /** The longest body that is verified, in bytes. Default 1 MiB. */
  readonly maxBody?: number;
  /**
   * The public URL that the sender calls, for schemes that sign it (Twilio, Square, templates with `{url}`). A path or query it leaves out
   * is taken from the request.
   */
  readonly url?: string;
  /** PayPal's id of the webhook. Needed there. */
  readonly webhookId?: string;
  /** The only SNS topic to accept. Needed there: whoever has an AWS account can send what verifies for a topic of theirs. */
  readonly topicArn?: string;
  /** The `keyid`s of the secrets in HTTP Message Signatures (RFC 9421), in their order. One that is empty or left out fits every id. */
  readonly keyIds?: readonly string[];
  /** What HTTP Message Signatures must cover (RFC 9421, section 2). Default `["content-digest"]`. */
  readonly components?: readonly string[];
  /** How a sender signs that is not among the schemes. */
  readonly template?: WebhookTemplate;
  /** What `sign` signs with, where that is not what verifies: Discord's private key, 32 bytes in hexadecimal. */
  readonly signingSecrets?: string | readonly string[];
  /**
   * Fetches a certificate for `receive`. The URL is one of the provider's. Default: the host's fetch, without redirects, 10 s, 64 KiB.
   */
  readonly fetchCertificate?: FetchCertificate;
}

/** Tells the PEM text at a URL. Follow no redirect, and take nothing but status 200. */
export type FetchCertificate = (url: string) => Promise<string | Uint8Array> | string | Uint8Array;

/** How a sender signs that is not among the schemes. */
export interface WebhookTemplate {
  /** The header with the signature. */
  readonly signatureHeader: string;
  /** What is signed: text with the places `{id}`, `{timestamp}`, `{body}` and `{url}`. */
  readonly signed: string;
  /** The header with the timestamp, unix seconds. */
  readonly timestampHeader?: string;
  /** The timestamp is an item in the signature's header instead, after this prefix: `t=`. */
  readonly timestampItem?: string;
  /** The header with the message's id. */
  readonly idHeader?: string;
  /** Default `hmac-sha256`. */
  readonly algorithm?: "hmac-sha1" | "hmac-sha256" | "hmac-sha512" | "ed25519";
  /** How signatures are written. Default `hex`. */
  readonly encoding?: "hex" | "base64";
  /** What stands before each signature: `sha256=`. Default nothing. */
  readonly prefix?: string;
  /** What separates the items of the header, one ASCII character. Default: there is only one item. */
  readonly separator?: string;
  /** How secrets are written. Default `text`. */
  readonly secretEncoding?: "text" | "base64" | "hex";
}

export interface VerifyOptions {
  /** The time. Default: the clock's. */
  readonly now?: Date;
  /** The URL of the request, where the scheme signs it. Default: that of the request, if one was given for its headers. */
  readonly url?: string;
  /** Its method. Default: that of the request, else POST. */
  readonly method?: string;
}

export interface SignOptions {
  /** The message's id; the same when it is sent again. Needed by Standard Webhooks, Svix and Mailgun (its token). */
  readonly messageId?: string;
  /** When it is sent. Default: now. */
  readonly timestamp?: Date;
  /** Where it is sent, for schemes that sign that. */
  readonly url?: string;
}

/** A request to send. */
export interface SignedRequest {
  /** The headers to send, in lower case. */
  readonly headers: { [name: string]: string };
  /** The body to send: the one given, but for Mailgun, whose signature is in it. */
  readonly body: string | Uint8Array;
  /** Where to send it: the URL given, but for Twilio's JSON, whose hash is in it. */
  readonly url: string | null;
}

/** Verifies and signs webhooks. Synchronous, but for `receive`. */
export class Webhook {
  /** How the sender signs. */
  readonly scheme: WebhookScheme;
  /** The longest body that is verified, in bytes. */
  readonly maxBody: number;
  /**
   * @param secrets As the provider shows it; several while they are being rotated; none for `sns` and `paypal`. By Standard Webhooks a
   *   `whsec_` secret (verifies and signs), a `whpk_` key (verifies) or a `whsk_` key (signs).
   * @throws {WebhookKeyError} for a secret or a setting that cannot be used.
   */
  constructor(secrets: string | readonly string[], options?: WebhookOptions);
  /**
   * @param headers All headers, or the request that has them.
   * @throws {WebhookVerificationError} where the request is not what it claims to be. Answer 400, whatever the reason.
   */
  verify(body: WebhookBody, headers: HeadersInput | RequestInput, options?: VerifyOptions): Verified;
  /** As `verify`, and fetches the certificate that it needs (SNS, PayPal). What cannot be fetched rejects with the fetch's error. */
  receive(body: WebhookBody, headers: HeadersInput | RequestInput, options?: VerifyOptions): Promise<Verified>;
  /**
   * Begins to verify a body that comes in pieces.
   * @throws {WebhookVerificationError} for headers that cannot be right, before anything is read.
   */
  verifier(headers: HeadersInput | RequestInput, options?: VerifyOptions): WebhookVerifier;
  /**
   * Keeps a certificate that you fetched: at most 16, each until it ends.
   * @throws {WebhookVerificationError} for a URL that is not the provider's, or what is no certificate that is good now.
   */
  addCertificate(url: string, pem: WebhookBody, options?: { readonly now?: Date }): void;
  /** Says why a request does not verify, in words for the developer. Never show it to the sender. */
  explain(body: WebhookBody, headers: HeadersInput | RequestInput, options?: VerifyOptions): string;
  /** The answer to a request that is a question to the endpoint (Slack, Zoom, Discord, SNS); `null` for every other. */
  challenge(verified: Verified): Challenge | null;
  /** Signs a body, for tests and for senders: the headers to send with it. */
  sign(body: WebhookBody, options: SignOptions): { [name: string]: string };
  /** As `sign`, for schemes whose signature is also in the body or the URL. */
  signRequest(body: WebhookBody, options?: SignOptions): SignedRequest;
}

/** A verification under way. Nothing is to be trusted before `finish`. */
export interface WebhookVerifier {
  /** @throws {WebhookVerificationError} once the body is too long; read no further then. */
  update(piece: WebhookBody): this;
  /**
   * The verdict. Its `json` and `text` throw: the pieces are yours.
   * @throws {WebhookVerificationError} where the request is not what it claims to be.
   */
  finish(): Verified;
}

/** The answer to a question to the endpoint. */
export interface Challenge {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** A URL to call with GET, which confirms the subscription (SNS). Call it only if you want that topic. */
  readonly visit: string | null;
}

/** What was really proven about a request. */
export interface Verified {
  readonly scheme: WebhookScheme;
  readonly algorithm: Algorithm;
  /** Which of the secrets fitted, 0 for the first. */
  readonly keyIndex: number;
  /** When it was sent. `null` where the scheme has no timestamp. */
  readonly timestamp: Date | null;
  /** The message's id; the same when it is sent again. `null` where the scheme has none. */
  readonly messageId: string | null;
  /** How the signature binds the body: all of it, what it says, only its CRC-32, or not at all. */
  readonly bodyBound: "full" | "fields" | "crc32" | "none";
  /** Whether the timestamp is signed. If not, anybody on the way could have set it. */
  readonly timestampSigned: boolean;
  readonly idSigned: boolean;
  readonly urlBound: boolean;
  /** The body as text. */
  text(): string;
  /** The body decoded from JSON. Throws `SyntaxError` where it is none. */
  json<T = unknown>(): T;
  /**
   * The key of this message for replay guards, made of what was signed alone; 64 hexadecimal digits. Where no id is signed, a retry that is
   * signed again with a new time has another key: then give the event's id, read from the verified body.
   * @param sender Your own name for who sends: ids are unique only within one sender.
   */
  replayKey(sender: string, messageId?: string): string;
}

/** Remembers which messages were handled. Each method must be atomic among all users of the store. Implement it for a store of your own. */
export interface ReplayGuard {
  /** Asks for a message. */
  reserve(key: string, now: Date): Reserve | Promise<Reserve>;
  /** Its handler succeeded. `false` where its lease had ended. */
  commit(key: string, token: string, now: Date): boolean | Promise<boolean>;
  /** Its handler failed: it may be tried again at once. `false` where its lease had ended. */
  release(key: string, token: string, now: Date): boolean | Promise<boolean>;
}

/** The answer to `reserve`. */
export type Reserve =
  /** Handle it now, then commit or release with this token, which no other reservation of the key ever had. */
  | { readonly state: "new"; readonly token: string }
  /** Another handler has it. Answer 503. */
  | { readonly state: "in_progress"; readonly until: Date }
  /** Already handled: answer 200 and do nothing. No room for more: answer 503. */
  | { readonly state: "already_done" | "full" };

export interface MemoryReplayGuardOptions {
  /** The most messages remembered. Default 100000. */
  readonly entries?: number;
  /** How many milliseconds a handled message is remembered; at least the sender's whole retry span. Default 4 days. */
  readonly retention?: number;
  /** How many a handler may take before it is taken for crashed. Default 5 minutes. */
  readonly lease?: number;
  /** How many a handled message is never forgotten, however full the store; at least the past and future tolerance together. Default 10 minutes. */
  readonly replayWindow?: number;
}

/** Remembers messages in memory: bounded, for one process. */
export class MemoryReplayGuard implements ReplayGuard {
  constructor(options?: MemoryReplayGuardOptions);
  reserve(key: string, now?: Date): Reserve;
  commit(key: string, token: string, now?: Date): boolean;
  release(key: string, token: string, now?: Date): boolean;
}

/** Handles an event. */
export type EventHandler<Event> = (event: Event, verified: Verified) => void | Promise<void>;

/** Tells an event's type; `null` where it has none. */
export type EventTypeOf = (event: unknown, verified: Verified, request: unknown) => string | null | undefined;

export interface WebhookEventsOptions {
  /** Default: the body's member `type`, `event_type`, `event` or `Type`; for GitHub and Shopify a header. */
  readonly typeOf?: EventTypeOf;
  /** The header with the type. No scheme signs it. */
  readonly typeHeader?: string;
}

/**
 * Hands verified events to the handler of their type. `Events` says what each type's body is:
 *
 * ```ts
 * const events = new WebhookEvents<{ "user.created": UserCreated }>().on("user.created", (event) => welcome(event.data));
 * ```
 */
export class WebhookEvents<Events extends object = { [type: string]: unknown }> {
  constructor(options?: WebhookEventsOptions);
  /** @throws {TypeError} where the type has a handler already. */
  on<Type extends keyof Events & string>(type: Type, handler: EventHandler<Events[Type]>): this;
  /** Handles what no other handler is for. Without it such events are let go. */
  onOther(handler: EventHandler<unknown>): this;
  /**
   * Whether there was a handler. Rejects with what the handler throws.
   * @param request The request or its headers (Fetch's, Node's), where the type is in one of them.
   */
  dispatch(verified: Verified, request?: unknown): Promise<boolean>;
}

/** A new `whsec_` secret. */
export function generateSecret(): string;

export class WebhookError extends Error {
  /** The stable code, such as `bad_signature`. */
  readonly code: string;
}
/** A secret or a setting cannot be used. */
export class WebhookKeyError extends WebhookError {}
/** A request is not what it claims to be. */
export class WebhookVerificationError extends WebhookError {
  /** Where the certificate is that is missing (`missing_certificate`). This URL passed the scheme's rules. */
  readonly certificateUrl: string | null;
}
