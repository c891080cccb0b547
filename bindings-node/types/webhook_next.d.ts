/** The types of `gatewright/webhooks/next`: webhooks in Next.js. */

export { expressWebhooks as nextApiWebhooks } from "./webhook_express.js";
/** A route handler: `export const POST = nextWebhooks(webhook, handler)`; the answers are those of `fetchWebhooks`. */
export { fetchWebhooks as nextWebhooks } from "./webhook_fetch.js";
