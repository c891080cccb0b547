/** Webhooks in a browser: verified at once, without waiting, and refused with a typed error. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";

import { launch, openPage } from "./chromium.mjs";
import { site } from "./site.mjs";

let browser;
let own;

before(async () => {
  own = await site();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await own?.close();
});

const KEY = Buffer.alloc(32, 7);
const BODY = '{"type":"contact.created","data":{"name":"Zoë"}}';

/** Signs as the Standard Webhooks specification says, with nothing of this project. */
function signed(body, timestamp = Math.floor(Date.now() / 1000)) {
  const signature = createHmac("sha256", KEY).update(`msg_1.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": "msg_1", "webhook-timestamp": String(timestamp), "webhook-signature": `v1,${signature}` };
}

/** Verifies in the page, in one turn of its event loop. */
function verify(page, body, headers) {
  return page.evaluate(
    ([secret, body, headers]) => {
      const { Webhook, WebhookVerificationError } = globalThis.gatewright;
      let turned = false;
      queueMicrotask(() => {
        turned = true;
      });
      try {
        const verified = new Webhook(secret).verify(body, new Headers(headers));
        return { name: verified.json().data.name, messageId: verified.messageId, turned };
      } catch (error) {
        return { refused: error instanceof WebhookVerificationError, code: error.code, turned };
      }
    },
    [`whsec_${KEY.toString("base64")}`, body, headers],
  );
}

test("a webhook is verified synchronously", async () => {
  const page = await openPage(browser, own.url);
  assert.deepEqual(await verify(page, BODY, signed(BODY)), { name: "Zoë", messageId: "msg_1", turned: false });
});

test("a tampered one and an old one are refused with their codes", async () => {
  const page = await openPage(browser, own.url);
  const tampered = await verify(page, BODY.replace("Zoë", "Eve"), signed(BODY));
  assert.deepEqual(tampered, { refused: true, code: "bad_signature", turned: false });
  const old = await verify(page, BODY, signed(BODY, Math.floor(Date.now() / 1000) - 3600));
  assert.deepEqual(old, { refused: true, code: "too_old", turned: false });
});
