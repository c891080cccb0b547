/** Receives webhooks in Hono. */

import type { HonoContext } from "../../types/webhook_hono.js";
import type { FetchResponse, ReceiverOptions, WebhookHandler } from "../../types/webhook_receiver.js";
import type { Webhook } from "../../types/webhooks.js";
import { answerTo } from "./fetch.ts";
import { Receiver } from "./receiver.ts";

export function honoWebhooks<Context extends HonoContext>(
  webhook: Webhook,
  handler: WebhookHandler<Context>,
  options?: ReceiverOptions,
): (context: Context) => Promise<FetchResponse> {
  const receiver = new Receiver(webhook, handler, options);
  return (context) => answerTo(receiver, context.req.raw, context);
}
