/**
 * Webhook verification side by side: what one delivery costs whoever receives it.
 *
 * All check HMAC-SHA256, and all but the floors and Octokit (GitHub signs no time, and sends one signature) the
 * timestamp. Each gets the body in the form in which it is quickest, text or Buffer; those that are given headers get
 * all that such a request has.
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
const SIZES = { "256 B": 256, "2 kB": 2_000, "20 kB": 20_000, "1 MB": 1_000_000 };
/** What arrives: how many signatures by other keys come first, and whether one that fits follows. */
const SITUATIONS = [
  { title: "valid", others: 0, fits: true },
  { title: "valid, the last of three signatures", others: 2, fits: true },
  { title: "refused", others: 1, fits: false },
];
const OURS = "gatewright";
const OURS_DECODED = "gatewright, .json()";

const SECRET_BYTES = Buffer.from(Array.from({ length: 32 }, (_, at) => at));
const SECRET = `whsec_${SECRET_BYTES.toString("base64")}`;
const MESSAGE_ID = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";

/** A JSON event of exactly `size` bytes. */
function bodyOf(size) {
  const event = { type: "contact.created", data: { id: "ct_000001", note: "" } };
  event.data.note = "x".repeat(size - JSON.stringify(event).length);
  return JSON.stringify(event);
}

function hmac(key, ...pieces) {
  const state = createHmac("sha256", key);
  for (const piece of pieces) state.update(piece);
  return state.digest();
}

/** Signatures by other keys, then the one that fits. */
function signatures(key, { others, fits }, ...pieces) {
  const keys = Array.from({ length: others }, (_, at) => `another key ${at}`);
  return (fits ? [...keys, key] : keys).map((each) => hmac(each, ...pieces));
}

/**
 * What verifies a body, by name: `verify` throws (or says false) for a wrong one; `forms` are those it takes;
 * `decodes` where it always does; `alone` where it takes one signature only.
 */
function candidates(size, situation) {
  const text = bodyOf(size);
  const timestamp = String(Math.floor(Date.now() / 1e3));
  const start = `${MESSAGE_ID}.${timestamp}.`;
  const tokens = signatures(SECRET_BYTES, situation, start, text);
  const headers = {
    host: "hooks.example.com",
    "user-agent": "Example-Webhooks/1.0",
    accept: "*/*",
    "accept-encoding": "gzip, br",
    "content-type": "application/json",
    "content-length": String(size),
    "webhook-id": MESSAGE_ID,
    "webhook-timestamp": timestamp,
    "webhook-signature": tokens.map((token) => `v1,${token.toString("base64")}`).join(" "),
    connection: "keep-alive",
  };
  const stripeTokens = signatures(SECRET, situation, `${timestamp}.${text}`);
  const stripeHeader = [`t=${timestamp}`, ...stripeTokens.map((token) => `v1=${token.toString("hex")}`)].join(",");
  const octokitHeader = `sha256=${signatures(SECRET, situation, text)[0].toString("hex")}`;

  const ours = new Webhook(SECRET);
  const standard = new StandardWebhook(SECRET);
  const svix = new SvixWebhook(SECRET);
  const both = { text, Buffer: Buffer.from(text) };
  const found = {
    [OURS]: { forms: both, verify: (body) => ours.verify(body, headers) },
    [OURS_DECODED]: { forms: both, verify: (body) => ours.verify(body, headers).json(), decodes: true },
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
      alone: true,
    },
    "floor: createHmac, timingSafeEqual": {
      forms: both,
      verify: (body) => timingSafeEqual(hmac(SECRET_BYTES, start, body), tokens.at(-1)),
    },
  };
  // What is refused is not decoded by anybody.
  if (!situation.fits) delete found[OURS_DECODED];
  return Object.entries(found).filter(([, { alone }]) => !alone || tokens.length === 1);
}

/** The same, where it should be refused: says so instead of throwing. */
function refusing(candidate) {
  const { verify, waits } = candidate;
  const sync = (body) => {
    try {
      return !verify(body);
    } catch {
      return true;
    }
  };
  const async = async (body) => {
    try {
      return !(await verify(body));
    } catch {
      return true;
    }
  };
  return { ...candidate, verify: waits ? async : sync };
}

/** Seconds for one call, over `count` of them. */
async function timeOf({ verify, waits }, body, count) {
  const begun = performance.now();
  if (waits) for (let n = 0; n < count; n++) await verify(body);
  else for (let n = 0; n < count; n++) verify(body);
  return (performance.now() - begun) / 1e3 / count;
}

/** The rounds of each candidate, in the form of body that is quickest for it. */
async function measure(size, situation, rounds) {
  const runs = [];
  const warm = size < 100_000 ? 2_000 : 20;
  for (const [name, found] of candidates(size, situation)) {
    const candidate = situation.fits ? found : refusing(found);
    for (const [form, body] of Object.entries(candidate.forms)) {
      if (!(await candidate.verify(body))) throw new Error(`${name} does not answer as it should: ${situation.title}`);
      await timeOf(candidate, body, warm);
      const once = await timeOf(candidate, body, warm / 2);
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

/** Verifications a second, and how many times as long one takes as ours; ours decodes too where the other cannot but do so. */
function cell(run, best) {
  const ours = (run.candidate.decodes && best.get(OURS_DECODED)) || best.get(OURS);
  const ratio = median(run.times.map((time, at) => time / ours.times[at]));
  return `${Math.round(1 / median(run.times)).toLocaleString("en-US")} | ${ratio.toFixed(2)}`;
}

const rounds = Number(process.argv[2]);
for (const situation of SITUATIONS) {
  const measured = [];
  for (const size of Object.values(SIZES)) measured.push(await measure(size, situation, rounds));
  const titles = Object.keys(SIZES).map((size) => `${size}, /s | times as long`);
  console.log(`| ${situation.title} | decodes | ${titles.join(" | ")} |`);
  console.log(`|---|---|${"---:|---:|".repeat(titles.length)}`);
  for (const [name, { candidate }] of measured[0]) {
    const title = name === OURS_DECODED ? name : name + versionOf(name);
    const columns = measured.map((best) => cell(best.get(name), best));
    const decodes = candidate.decodes && situation.fits ? "yes" : "no";
    console.log(`| ${title} | ${decodes} | ${columns.join(" | ")} |`);
  }
  console.log();
}
console.log(
  `One process, ${rounds} rounds of ${ROUND_SECONDS} s that alternate; medians of rounds. Each gets the body as text or as a Buffer, whichever is`,
);
console.log(
  "quicker for it. Those that always decode the body are compared to `verify(…).json()`, the others to `verify(…)`.",
);
