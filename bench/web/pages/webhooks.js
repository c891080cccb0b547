/** A page that verifies as many deliveries as it is told, by what it is told, and says how long they took. */

import { Webhook } from "gatewright-web/webhooks";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { ready } from "./clients.js";

const SECRET_BYTES = Uint8Array.from({ length: 32 }, (_, at) => at);
const SECRET = `whsec_${btoa(String.fromCharCode(...SECRET_BYTES))}`;
const MESSAGE_ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";

const ours = new Webhook(SECRET);
const standard = new StandardWebhook(SECRET);

function keyOf(bytes) {
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}

async function signature(bytes, signed) {
  return new Uint8Array(await crypto.subtle.sign("HMAC", await keyOf(bytes), signed));
}

let calls = {};

/** Makes a delivery of `size` bytes, with signatures by `others`, then one that fits, and tells what verifies it. */
globalThis.prepare = async ({ size, others, fits }) => {
  const text = "x".repeat(size);
  const timestamp = String(Math.floor(Date.now() / 1e3));
  const signed = new TextEncoder().encode(`${MESSAGE_ID}.${timestamp}.${text}`);
  const keys = Array.from({ length: others }, (_, at) => new Uint8Array(32).fill(100 + at));
  if (fits) keys.push(SECRET_BYTES);
  const tokens = await Promise.all(keys.map((key) => signature(key, signed)));
  const headers = {
    "content-type": "application/json",
    "webhook-id": MESSAGE_ID,
    "webhook-timestamp": timestamp,
    "webhook-signature": tokens.map((token) => `v1,${btoa(String.fromCharCode(...token))}`).join(" "),
  };
  const key = await keyOf(SECRET_BYTES);
  const last = tokens.at(-1);
  const body = new TextEncoder().encode(text);
  const found = {
    "gatewright-web": () => ours.verify(body, headers),
    standardwebhooks: () => standard.verify(text, headers, { jsonParse: false }) ?? true,
    "floor: WebCrypto": () => crypto.subtle.verify("HMAC", key, last, signed),
  };
  calls = {};
  for (const [name, verify] of Object.entries(found)) {
    calls[name] = { verify: fits ? verify : refusing(verify), waits: name.startsWith("floor") };
    if (!(await calls[name].verify())) throw new Error(`${name} does not answer as it should`);
  }
  return Object.keys(calls);
};

/** The same, where it should be refused: says so instead of throwing. */
function refusing(verify) {
  return () => {
    try {
      const verified = verify();
      return verified instanceof Promise ? verified.then((fits) => !fits) : !verified;
    } catch {
      return true;
    }
  };
}

globalThis.round = async (name, count) => {
  const { verify, waits } = calls[name];
  const begun = performance.now();
  if (waits) for (let n = 0; n < count; n++) await verify();
  else for (let n = 0; n < count; n++) verify();
  return (performance.now() - begun) / 1e3 / count;
};
ready();
