/** The errors of webhooks, and how the native half tells them. */

import { setName } from "./inspect.ts";

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

export class WebhookVerificationError extends WebhookError {
  readonly certificateUrl: string | null;

  constructor(message?: string, options?: ErrorOptions & { code?: string; certificateUrl?: string }) {
    super(message, options);
    this.certificateUrl = options?.certificateUrl ?? null;
  }
}

setName(WebhookError, "WebhookError");
setName(WebhookKeyError, "WebhookKeyError");
setName(WebhookVerificationError, "WebhookVerificationError");

interface Told {
  readonly code: string;
  readonly message: string;
  readonly url?: string;
}

/** A secret or a setting cannot be used. */
export function keyError(json: string): WebhookKeyError {
  const told: Told = JSON.parse(json);
  return new WebhookKeyError(told.message, { code: told.code });
}

/** A request is refused. */
export function refusal(json: string): WebhookVerificationError {
  const { code, message, url }: Told = JSON.parse(json);
  return new WebhookVerificationError(message, url === undefined ? { code } : { code, certificateUrl: url });
}

/** Whether what the native half told is an error. */
export function isError(told: string): boolean {
  return told.charCodeAt(0) === 0x7b;
}
