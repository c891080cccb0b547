/** The types of `gatewright/webhooks/fetch`: webhooks in any Fetch handler, such as those of Workers, Deno and Bun. */

import type { FetchRequest, FetchResponse, ReceiverOptions, WebhookHandler } from "./webhook_receiver.js";
import type { Webhook } from "./webhooks.js";

export type { FetchBody, FetchRequest, FetchResponse, ReceiverOptions, WebhookHandler } from "./webhook_receiver.js";

/**
 * A handler of requests by POST: 200 once the handler is done, 400 for what does not verify (Discord: 401), 413 above the cap, 503 where it
 * should be sent again. Verification itself is synchronous.
 */
export function fetchWebhooks<Request extends FetchRequest>(
  webhook: Webhook,
  handler: WebhookHandler<Request>,
  options?: ReceiverOptions,
): (request: Request) => Promise<FetchResponse>;
