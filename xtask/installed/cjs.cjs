// The installed package by `require`: what it exports works, and the process ends by itself.

const assert = require("node:assert/strict");
const { Client, GatewrightError, InvalidConfigError } = require("gatewright");
const { generateSecret, Webhook } = require("gatewright/webhooks");

assert.throws(() => new Client("nonsense"), InvalidConfigError);

const webhook = new Webhook(generateSecret());
assert.deepEqual(webhook.verify("{}", webhook.sign("{}", { messageId: "msg_1" })).json(), {});

async function main() {
  const client = new Client(process.env.GATEWRIGHT_URL, { auth: "sk_test_pro_acme" });
  const answer = await client.get("/v1/whoami");
  assert.equal(answer.status, 200);
  const refused = await client.get("/v1/contacts/none").catch((error) => error);
  assert(refused instanceof GatewrightError);
  // Loaded in the other way it is the same: what one part of a program throws another part catches.
  const imported = await import("gatewright");
  assert.equal(imported.GatewrightError, GatewrightError);
}

main();
