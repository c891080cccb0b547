// Run it: WEBHOOK_SECRET=whsec_... node webhook_server.mjs    (then point an endpoint of your provider at http://127.0.0.1:8000/hook)
/** A receiver of webhooks on node:http: the body as it came is verified first and parsed after that. */

import { createServer } from "node:http";
import { Webhook, WebhookVerificationError } from "gatewright/webhooks";

const MAX_BODY = 1024 * 1024; // bytes; the default of `new Webhook` too
const webhook = new Webhook(process.env.WEBHOOK_SECRET?.split(",") ?? []);
const seen = new Set(); // of a real service: a table, because a webhook may come twice

const server = createServer(async (request, response) => {
  const reply = (status) => response.writeHead(status).end();
  try {
    if (request.method !== "POST" || request.url !== "/hook") return reply(404);
    const body = await readBody(request);
    if (body === undefined) return reply(413);
    const verified = webhook.verify(body, request.headers);
    if (!seen.has(verified.messageId)) {
      seen.add(verified.messageId);
      const event = verified.json();
      console.log(`${event.type}: ${JSON.stringify(event.data)}`);
    }
    reply(204);
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) console.error(error);
    reply(error instanceof WebhookVerificationError ? 400 : 500); // the sender learns no more than that
  }
});

/** The body's bytes, or nothing where it is too long. */
async function readBody(request) {
  const pieces = [];
  let length = 0;
  for await (const piece of request) {
    length += piece.length;
    if (length > MAX_BODY) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

server.listen(Number(process.env.PORT ?? 8000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/hook`);
});
