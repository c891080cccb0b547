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

/** A webhook's native half. `headers` is flat: name, value, name, value. Times are seconds. */
export interface NativeWebhook {
  /** `Verified` as JSON (`timestamp` in seconds), or the error, which alone has a `code`. */
  verify(body: string | Uint8Array, headers: string[], nowSeconds: number | undefined): string;
  explain(body: string | Uint8Array, headers: string[], nowSeconds: number | undefined): string;
  /** The headers as JSON `{name: value}`, or the error as `{"code", "message"}`. */
  sign(body: string | Uint8Array, messageId: string, timestampSeconds: number | undefined): string;
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
