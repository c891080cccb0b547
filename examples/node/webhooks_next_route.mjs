// Put it where your route is, as app/hook/route.js    (npm install gatewright)
/** Webhooks in a route handler of Next.js. */

import { Webhook, WebhookEvents } from "gatewright/webhooks";
import { nextWebhooks } from "gatewright/webhooks/next";

const webhook = new Webhook(process.env.WEBHOOK_SECRET ?? [], { scheme: process.env.WEBHOOK_SCHEME ?? "stripe" });
const events = new WebhookEvents()
  .on("user.created", (event) => console.log(`user.created: ${event.data.id}`))
  .onOther((event) => console.log(`other: ${event.type}`));

export const POST = nextWebhooks(webhook, events);
