// The installed package as an ES module: what it exports works, and the process ends by itself.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Client, GatewrightError, NotFoundError, version } from "gatewright";
import { generateSecret, Webhook } from "gatewright/webhooks";

const client = new Client(process.env.GATEWRIGHT_URL, { auth: "sk_test_pro_acme" });

const answer = await client.get("/v1/whoami");
assert.equal(answer.status, 200);
assert.equal(typeof (await answer.json()), "object");

const missing = await client.get("/v1/contacts/none").catch((error) => error);
assert(missing instanceof NotFoundError && missing instanceof GatewrightError && missing instanceof Error);
assert.equal(missing.status, 404);

const webhook = new Webhook(generateSecret());
assert.deepEqual(webhook.verify("{}", webhook.sign("{}", { messageId: "msg_1" })).json(), {});

assert.equal(version, createRequire(import.meta.url)("gatewright/package.json").version);
