/**
 * The contract between the webhooks of the shared layer and the native half, which each entry module provides: the Node addon, or one of the
 * two WASM modules. Apart from the rest, because the small webhook-only WASM module has just this.
 */

/** The native half of webhooks. Errors come back as JSON, `{"code", "message"}`; settings go over as JSON; times are seconds. */
export interface WebhookNative {
  /** A webhook, or the error as JSON. */
  openWebhook(settings: string): NativeWebhook | string;
  /** A replay guard in memory, or the error as JSON. */
  openReplayGuard(settings: string): NativeReplayGuard | string;
  /** The key of a verified message, 64 hexadecimal digits. */
  replayKey(sender: string, verdict: string): string;
  /** A new `whsec_` secret. */
  generateSecret(): string;
}

/**
 * A webhook's native half. `headers` are lines: a name and a value in turns, of those headers that may matter; they may begin with `:url` and
 * `:method`.
 */
export interface NativeWebhook {
  /**
   * What was proven, a line each: scheme, algorithm, key index, timestamp and message id (empty where there is none), what is bound of
   * the body, a digit for each of timestamp signed, id signed, URL bound, and where no id is signed a hash. Or the error as JSON, which may
   * have the `url` of a certificate.
   */
  verify(body: string | Uint8Array, headers: string, nowSeconds: number): string;
  explain(body: string | Uint8Array, headers: string, nowSeconds: number): string;
  /**
   * `{"headers": [[name, value]...], "body"?, "url"?}`, or the error as `{"code", "message"}`. `request` has the id and the URL in a line
   * each, either empty for none.
   */
  sign(body: string | Uint8Array, request: string, timestampSeconds: number): string;
  /** `{"status", "contentType", "body", "visit"?}`, or empty. */
  challenge(body: string | Uint8Array, verdict: string): string;
  /** Begins to verify a body in pieces, or the error as JSON. */
  verifier(headers: string, nowSeconds: number): NativeVerifier | string;
  /** Empty, or the error as JSON. Not there where no scheme has certificates. */
  addCertificate?(pem: string | Uint8Array, url: string, nowSeconds: number): string;
}

/** A body in pieces. */
export interface NativeVerifier {
  /** Empty, or the error as JSON. */
  update(piece: string | Uint8Array): string;
  /** As of `verify`. */
  finish(): string;
}

/** What remembers messages. */
export interface NativeReplayGuard {
  /** `new` and a token, `in_progress` and its end in the next line, `already_done` or `full`; or the error as JSON. */
  reserve(key: string, nowSeconds: number): string;
  /** `settled` or `lost`, or the error as JSON. */
  commit(key: string, token: string, nowSeconds: number): string;
  release(key: string, token: string, nowSeconds: number): string;
}

let provider: (() => WebhookNative) | undefined;

/** Says where the native half comes from; an entry module calls it once. */
export function provideWebhooks(load: () => WebhookNative): void {
  provider = load;
}

/** The native half. */
export function webhookNative(): WebhookNative {
  if (provider === undefined) {
    throw new Error(
      "gatewright was loaded without its native half: import the package by its name, not by a file inside of it",
    );
  }
  return provider();
}
