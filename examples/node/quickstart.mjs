// Run it: cargo xtask demo node    (or beside a running gateway: node quickstart.mjs)
/** Everything that an API client should do by itself, seen to happen: pages, retries, exactly once, pacing, webhooks. */

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { Client } from "gatewright";
import { Webhook, WebhookVerificationError } from "gatewright/webhooks";

const URL = process.env.GATEWRIGHT_URL ?? "http://127.0.0.1:4010";
const ADMIN_URL = process.env.GATEWRIGHT_ADMIN_URL ?? "http://127.0.0.1:4011";
const SESSION = `quickstart-${randomUUID().slice(0, 8)}`; // a world of its own in the gateway

const admin = new Client(`${ADMIN_URL}/admin`);
const connect = (auth) => new Client(URL, { auth, headers: { "x-mock-session": SESSION } });
const askGateway = async (what, query) => (await admin.get(what, { query: { session: SESSION, ...query } })).json();
const tellGateway = async (method, what, json) =>
  (await admin.request(method, what, { query: { session: SESSION }, json })).json();

async function pages() {
  headline("1  Pages", "client.items() fetches page after page as you go");
  const client = connect("sk_test_pro_acme");
  let number = 0;
  for await (const page of client.pages("/v1/contacts", { query: { limit: 20 } })) {
    console.log(`   page ${++number}: ${page.items.length} contacts, the first is ${page.items[0].name}`);
  }
  const names = [];
  for await (const contact of client.items("/v1/contacts", { query: { limit: 20 } })) names.push(contact.name);
  check(names.length === 45, `${names.length} contacts in all`);
}

async function exactlyOnce() {
  headline("2  Exactly once", "a POST through a connection reset and a 503");
  const rule = { match: { op: "contacts.create" }, script: ["reset", "503"] };
  await tellGateway("PUT", "faults", { rules: [rule] });
  const client = connect("sk_test_pro_acme");
  const created = await client.post("/v1/contacts", { json: { name: "Ada Lovelace", email: "ada@example.com" } });
  timeline(created.attempts);
  const effects = await askGateway("effects", { op: "contacts.create" });
  const { entries } = await askGateway("journal", { op: "contacts.create" });
  const keys = new Set(entries.map(({ headers }) => new Headers(headers).get("idempotency-key")));
  const { id } = await created.json();
  check(created.status === 201, `created ${id} with attempt ${created.attempts.length}`);
  check(created.attempts.length === 3 && keys.size === 1, "all attempts carried the same idempotency key");
  check(effects.count === 1, `the gateway counts ${effects.count} side effect`);
}

async function pacing() {
  headline("3  Pacing", "12 calls at once where 3 per 2 s are allowed");
  const client = connect("sk_test_tiny_acme");
  const begun = performance.now();
  const answers = await Promise.all(Array.from({ length: 12 }, () => client.get("/v1/whoami")));
  const took = (performance.now() - begun) / 1000;
  for (const [index, { attempts }] of answers.entries()) {
    const sent = attempts[0].startedMs / 1000;
    const waits = Math.round((sent / took) * 48);
    const picture = `${dim("·".repeat(waits))}${good("█")}${" ".repeat(48 - waits)}`;
    console.log(`   ${String(index + 1).padStart(2)} ${picture} sent at ${sent.toFixed(2)} s`);
  }
  const shortest = ((12 - 3) * 2) / 3; // a burst of 3 at once, then one every 2/3 s
  const { entries } = await askGateway("journal", { op: "whoami" });
  const refused = entries.filter(({ status }) => status === 429).length;
  // On a busy machine a call may be long on its way, and the next then comes too early.
  check(refused <= 2 && entries.length === 12 + refused, `${refused} answers were 429`);
  check(took <= shortest * 2, `took ${took.toFixed(2)} s; the shortest possible time is ${shortest.toFixed(2)} s`);
}

async function webhooks() {
  headline("4  Webhooks", "a signed event comes in, and a tampered one stays out");
  const receiver = createServer().listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const url = `http://127.0.0.1:${receiver.address().port}/hook`;
  const endpoint = await tellGateway("POST", "webhooks/endpoints", { url, types: ["contact.created"] });
  const delivery = once(receiver, "request", { signal: AbortSignal.timeout(10_000) });
  await connect("sk_test_pro_acme").post("/v1/contacts", { json: { name: "Grace Hopper" } });
  const [request, response] = await delivery;
  const body = await buffer(request);
  response.writeHead(204).end();
  receiver.close();

  const webhook = new Webhook(endpoint.secret);
  const event = webhook.verify(body, request.headers).json();
  check(event.type === "contact.created", `verified ${event.type}: ${event.data.name}`);
  try {
    webhook.verify(body.toString().replace("Grace", "Mallory"), request.headers);
    check(false, "refused the tampered one");
  } catch (error) {
    const refused = error instanceof WebhookVerificationError && error.code === "bad_signature";
    check(refused, `refused the tampered one: ${error.code}`);
  }
}

// ---- What follows only prints.

const COLOURS = process.stdout.isTTY && !("NO_COLOR" in process.env);
const paint = (code, text) => (COLOURS ? `\x1b[${code}m${text}\x1b[0m` : text);
const good = (text) => paint("32", text);
const bad = (text) => paint("31", text);
const dim = (text) => paint("2", text);
const failed = [];

function headline(title, what) {
  console.log(`\n${paint("1", title)}  ${dim(what)}`);
}

function check(isSo, what) {
  console.log(`   ${isSo ? good("✓") : bad("✗")} ${what}`);
  if (!isSo) failed.push(what);
}

/** A line for each attempt: dots are waits, blocks are requests. */
function timeline(attempts) {
  const last = attempts.at(-1);
  const scale = 48 / (last.startedMs + last.tookMs);
  let idleFrom = 0;
  for (const attempt of attempts) {
    const before = Math.round(idleFrom * scale);
    const waits = Math.round((attempt.startedMs - idleFrom) * scale);
    const busy = Math.max(1, Math.round(attempt.tookMs * scale));
    const bar = (attempt.decision === "return" ? good : bad)("█".repeat(busy));
    const outcome = attempt.status ?? String(attempt.error).split(":")[0];
    const then = attempt.waitMs === null ? attempt.decision : `retry in ${attempt.waitMs.toFixed(0)} ms`;
    const rest = " ".repeat(Math.max(0, 50 - before - waits - busy));
    const sent = (attempt.startedMs / 1000).toFixed(2);
    const picture = `${" ".repeat(before)}${dim("·".repeat(waits))}${bar}${rest}`;
    console.log(`   ${attempt.number} ${picture} ${sent} s  ${outcome}  ${dim(`→ ${then}`)}`);
    idleFrom = attempt.startedMs + attempt.tookMs;
  }
}

for (const part of [pages, exactlyOnce, pacing, webhooks]) await part();
console.log(`\n${failed.length > 0 ? bad("Not so: ") + failed.join(", ") : good("All of it is so.")}`);
process.exitCode = failed.length > 0 ? 1 : 0;
