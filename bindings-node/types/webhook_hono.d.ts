/** The types of `gatewright/webhooks/hono`: webhooks in Hono. */

import type { FetchRequest, FetchResponse, ReceiverOptions, WebhookHandler } from "./webhook_receiver.js";
import type { Webhook } from "./webhooks.js";

export type { FetchRequest, FetchResponse, ReceiverOptions, WebhookHandler } from "./webhook_receiver.js";

/** As much of Hono's context as is needed. */
export interface HonoContext {
  readonly req: { readonly raw: FetchRequest };
}

/** A handler for `app.post(path, …)`; the answers are those of `fetchWebhooks`. */
export function honoWebhooks<Context extends HonoContext>(
  webhook: Webhook,
  handler: WebhookHandler<Context>,
  options?: ReceiverOptions,
): (context: Context) => Promise<FetchResponse>;
