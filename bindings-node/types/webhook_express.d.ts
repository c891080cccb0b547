/** The types of `gatewright/webhooks/express`: webhooks in Express, and in anything else that hands on Node's requests. */

import type { NodeHandler, NodeRequest, ReceiverOptions, WebhookHandler } from "./webhook_receiver.js";
import type { Webhook } from "./webhooks.js";

export type { NodeHandler, NodeRequest, NodeResponse, ReceiverOptions, WebhookHandler } from "./webhook_receiver.js";

/**
 * A handler for `app.post(path, …)`, which reads the raw body: mount it before any body parser, or after `express.raw`. 200 once the handler
 * is done, 400 for what does not verify (Discord: 401), 413 above the cap, 503 where it should be sent again; what the handler throws goes
 * to `next`.
 */
export function expressWebhooks<Request extends NodeRequest>(
  webhook: Webhook,
  handler: WebhookHandler<Request>,
  options?: ReceiverOptions,
): NodeHandler<Request>;
