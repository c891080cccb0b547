/** Receives webhooks in Next.js: a route handler (`export const POST = nextWebhooks(…)`), and one for the older API routes. */

export { expressWebhooks as nextApiWebhooks } from "./express.ts";
export { fetchWebhooks as nextWebhooks } from "./fetch.ts";
