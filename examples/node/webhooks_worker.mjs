// Deploy it as a Worker, or serve it: deno serve webhooks_worker.mjs, bun webhooks_worker.mjs    (npm install gatewright-web)
/** Webhooks in any Fetch handler: Cloudflare Workers, Deno, Bun. Verification is synchronous. */

import { Webhook, WebhookEvents } from "gatewright-web/webhooks";
import { fetchWebhooks } from "gatewright-web/webhooks/fetch";

const events = new WebhookEvents()
  .on("user.created", (event) => console.log(`user.created: ${event.data.id}`))
  .onOther((event) => console.log(`other: ${event.type}`));
let receive;

export default {
  fetch(request, env = process.env) {
    receive ??= fetchWebhooks(new Webhook(env.WEBHOOK_SECRET, { scheme: env.WEBHOOK_SCHEME ?? "stripe" }), events);
    return receive(request);
  },
};
