// Run it: WEBHOOK_SECRET=... node webhooks_fastify.mjs    (npm install fastify gatewright)
/** Webhooks in Fastify: the plugin's route alone gets the raw body, all others theirs parsed. */

import Fastify from "fastify";
import { Webhook, WebhookEvents } from "gatewright/webhooks";
import { fastifyWebhooks } from "gatewright/webhooks/fastify";

const webhook = new Webhook(process.env.WEBHOOK_SECRET, { scheme: process.env.WEBHOOK_SCHEME ?? "github" });
const handler = new WebhookEvents()
  .on("user.created", (event) => console.log(`user.created: ${event.data.id}`))
  .onOther((event) => console.log(`other: ${event.type}`));

const app = Fastify();
app.register(fastifyWebhooks, { path: "/hook", webhook, handler });
await app.listen({ port: Number(process.env.PORT ?? 8000), host: "127.0.0.1" });
console.log(`listening on http://127.0.0.1:${app.server.address().port}/hook`);
