// A page of a user who has Vite and no plugins: a call and a webhook, and what came of them for `check.mjs` to see.

import { Client, NotFoundError } from "gatewright-web";
import { generateSecret, Webhook } from "gatewright-web/webhooks";

async function run() {
  const url = new URLSearchParams(location.search).get("gateway");
  const client = new Client(url, { auth: "sk_test_pro_acme" });
  const answer = await client.get("/v1/whoami");
  const missing = await client.get("/v1/contacts/none").catch((error) => error);
  const webhook = new Webhook(generateSecret());
  const verified = webhook.verify("{}", webhook.sign("{}", { messageId: "msg_1" }));
  return { status: answer.status, missing: missing instanceof NotFoundError, messageId: verified.messageId };
}

globalThis.outcome = run();
