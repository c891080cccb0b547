/**
 * Webhook verification side by side: what one delivery costs whoever receives it.
 *
 * All check HMAC-SHA256, and all but the floor and Octokit (GitHub signs no time) the timestamp. Each gets the body in
 * the form in which it is quickest, text or Buffer; those that are given headers get all that such a request has.
 *
 * Usage: node webhook-table.mjs ROUNDS
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import { verify as verifyOctokit } from "@octokit/webhooks-methods";
import { Webhook } from "gatewright/webhooks";
import { Webhook as StandardWebhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";
import { median, versionOf } from "./rounds.mjs";

const ROUND_SECONDS = 0.05;
const SIZES = [1_000, 20_000];

const SECRET_BYTES = Buffer.from(Array.from({ length: 32 }, (_, at) => at));
const SECRET = `whsec_${SECRET_BYTES.toString("base64")}`;
const MESSAGE_ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";

/** A JSON event of exactly `size` bytes. */
function bodyOf(size) {
  const event = { type: "contact.created", data: { id: "ct_000001", note: "" } };
  event.data.note = "x".repeat(size - JSON.stringify(event).length);
  return JSON.stringify(event);
}

function hmac(...pieces) {
  const state = createHmac("sha256", SECRET_BYTES);
  for (const piece of pieces) state.update(piece);
  return state.digest();
}

/**
 * What verifies a body, by name: `verify` throws (or says false) for a wrong one; `forms` are those it takes;
 * `decodes` where it always does.
 */
function candidates(size) {
  const text = bodyOf(size);
  const timestamp = String(Math.floor(Date.now() / 1e3));
  const start = `${MESSAGE_ID}.${timestamp}.`;
  const signature = hmac(start, text);
  const headers = {
    host: "hooks.example.com",
    "user-agent": "Example-Webhooks/1.0",
    accept: "*/*",
    "accept-encoding": "gzip, br",
    "content-type": "application/json",
    "content-length": String(size),
    "webhook-id": MESSAGE_ID,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature.toString("base64")}`,
    connection: "keep-alive",
  };
  const stripeHeader = Stripe.webhooks.generateTestHeaderString({ payload: text, secret: SECRET });
  const octokitHeader = `sha256=${createHmac("sha256", SECRET).update(text).digest("hex")}`;

  const ours = new Webhook(SECRET);
  const standard = new StandardWebhook(SECRET);
  const svix = new SvixWebhook(SECRET);
  const both = { text, Buffer: Buffer.from(text) };
  return {
    gatewright: { forms: both, verify: (body) => ours.verify(body, headers) },
    "gatewright, .json()": { forms: both, verify: (body) => ours.verify(body, headers).json(), decodes: true },
    standardwebhooks: { forms: both, verify: (body) => standard.verify(body, headers, { jsonParse: false }) ?? true },
    svix: { forms: both, verify: (body) => svix.verify(body, headers), decodes: true },
    stripe: {
      forms: both,
      verify: (body) => Stripe.webhooks.constructEvent(body, stripeHeader, SECRET),
      decodes: true,
    },
    "@octokit/webhooks-methods": {
      forms: { text },
      verify: (body) => verifyOctokit(SECRET, body, octokitHeader),
      waits: true,
    },
    "floor: createHmac, timingSafeEqual": {
      forms: both,
      verify: (body) => timingSafeEqual(hmac(start, body), signature),
    },
  };
}

/** Seconds for one call, over `count` of them. */
async function timeOf({ verify, waits }, body, count) {
  const begun = performance.now();
  if (waits) for (let n = 0; n < count; n++) await verify(body);
  else for (let n = 0; n < count; n++) verify(body);
  return (performance.now() - begun) / 1e3 / count;
}

/** The rounds of each candidate, in the form of body that is quickest for it. */
async function measure(size, rounds) {
  const runs = [];
  for (const [name, candidate] of Object.entries(candidates(size))) {
    for (const [form, body] of Object.entries(candidate.forms)) {
      if (!(await candidate.verify(body))) throw new Error(`${name} does not verify`);
      await timeOf(candidate, body, 2_000);
      const once = await timeOf(candidate, body, 1_000);
      runs.push({ name, form, candidate, body, count: Math.max(1, Math.round(ROUND_SECONDS / once)), times: [] });
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const run of round % 2 === 0 ? runs : [...runs].reverse()) {
      run.times.push(await timeOf(run.candidate, run.body, run.count));
    }
  }
  const best = new Map();
  for (const run of runs) {
    const before = best.get(run.name);
    if (!before || median(run.times) < median(before.times)) best.set(run.name, run);
  }
  return best;
}

/** How many times as long a verification takes as ours; ours decodes too where the other cannot but do so. */
function ratio(run, best) {
  const ours = best.get(run.candidate.decodes ? "gatewright, .json()" : "gatewright");
  return median(run.times.map((time, at) => time / ours.times[at]));
}

const rounds = Number(process.argv[2]);
const [small, large] = [await measure(SIZES[0], rounds), await measure(SIZES[1], rounds)];
console.log("| One verification | decodes | 1 kB, µs | gatewright is | 20 kB, µs | gatewright is |");
console.log("|---|---|---:|---:|---:|---:|");
for (const run of [...small.values()].sort((a, b) => median(a.times) - median(b.times))) {
  const title = run.name.startsWith("gatewright,") ? run.name : run.name + versionOf(run.name);
  const columns = [small, large].map((best) => {
    const { times } = best.get(run.name);
    return `${(median(times) * 1e6).toFixed(2)} | ${ratio(best.get(run.name), best).toFixed(2)} times`;
  });
  console.log(`| ${title} | ${run.candidate.decodes ? "yes" : "no"} | ${columns.join(" | ")} |`);
}
console.log(
  `\nOne process, ${rounds} rounds of ${ROUND_SECONDS} s that alternate; medians of rounds. Each gets the body as text or as a Buffer, whichever is`,
);
console.log(
  "quicker for it. Those that always decode the body are compared to `verify(…).json()`, the others to `verify(…)`.",
);
