/**
 * What webhooks need of the native half: apart from the rest, because the small webhook-only WASM module has just this.
 */

/** The native half of webhooks. Errors come back as JSON, `{"code", "message"}`. */
export interface WebhookNative {
  /** A webhook, or the error as JSON. */
  openWebhook(secrets: string[], toleranceSeconds: number, maxBody: number): NativeWebhook | string;
  /** A new `whsec_` secret. */
  generateSecret(): string;
}

/** A webhook's native half. `headers` are lines: a name and a value in turns, of those headers that may matter. Times are seconds. */
export interface NativeWebhook {
  /**
   * What was proven, a line each: scheme, algorithm, key index, timestamp and message id (empty where there is none), what is bound of
   * the body, and a digit for each of timestamp signed, id signed, URL bound. Or the error as JSON, `{"code", "message"}`.
   */
  verify(body: string | Uint8Array, headers: string, nowSeconds: number): string;
  explain(body: string | Uint8Array, headers: string, nowSeconds: number): string;
  /** The headers as JSON `{name: value}`, or the error as `{"code", "message"}`. */
  sign(body: string | Uint8Array, messageId: string, timestampSeconds: number): string;
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
