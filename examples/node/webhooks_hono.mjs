// Run it: WEBHOOK_SECRET=whsec_... node webhooks_hono.mjs    (npm install hono @hono/node-server gatewright)
/** Webhooks in Hono; each message is handled once. */

import { serve } from "@hono/node-server";
import { MemoryReplayGuard, Webhook, WebhookEvents } from "gatewright/webhooks";
import { honoWebhooks } from "gatewright/webhooks/hono";
import { Hono } from "hono";

const webhook = new Webhook(process.env.WEBHOOK_SECRET, { scheme: process.env.WEBHOOK_SCHEME ?? "standard-webhooks" });
const events = new WebhookEvents()
  .on("user.created", (event) => console.log(`user.created: ${event.data.id}`))
  .onOther((event) => console.log(`other: ${event.type}`));

const app = new Hono();
app.post("/hook", honoWebhooks(webhook, events, { replayGuard: new MemoryReplayGuard() }));
serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 8000), hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`listening on http://127.0.0.1:${port}/hook`);
});
