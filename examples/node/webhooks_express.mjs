// Run it: WEBHOOK_SECRET=whsec_... node webhooks_express.mjs    (npm install express gatewright)
/** Webhooks in Express: verified before any parser, each event to the handler of its type. */

import express from "express";
import { Webhook, WebhookEvents } from "gatewright/webhooks";
import { expressWebhooks } from "gatewright/webhooks/express";

const webhook = new Webhook(process.env.WEBHOOK_SECRET, { scheme: process.env.WEBHOOK_SCHEME ?? "stripe" });
const events = new WebhookEvents()
  .on("user.created", (event) => console.log(`user.created: ${event.data.id}`))
  .onOther((event) => console.log(`other: ${event.type}`));

const app = express();
app.post("/hook", expressWebhooks(webhook, events));
app.use(express.json()); // after the webhooks: what it leaves of a body is not what was signed
const server = app.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/hook`);
});
