/** Webhooks of any scheme: settings, requests of Fetch and Node, bodies in pieces, challenges, certificates, replays, typed events. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";

import { HERE, IS_WEB, ON_FETCH, webhooks } from "./package.mjs";

const { MemoryReplayGuard, Webhook, WebhookEvents, WebhookKeyError, WebhookVerificationError } = webhooks;

const NOW = new Date(1_700_000_000_000);
const SECONDS = "1700000000";
const refused = (code) => (error) => error instanceof WebhookVerificationError && error.code === code;
const unfit = (code) => (error) => error instanceof WebhookKeyError && error.code === code;

/** Stripe's header, made without the SDK. */
function stripe(body, secret = "whsec_test") {
  const signature = createHmac("sha256", secret).update(`${SECONDS}.${body}`).digest("hex");
  return { "Stripe-Signature": `t=${SECONDS},v1=${signature}` };
}

test("a provider is one option", () => {
  const webhook = new Webhook("whsec_test", { scheme: "stripe" });
  const verified = webhook.verify('{"id":"evt_1"}', stripe('{"id":"evt_1"}'), { now: NOW });
  assert.deepEqual(
    { ...verified },
    {
      scheme: "stripe",
      algorithm: "hmac-sha256",
      keyIndex: 0,
      timestamp: NOW,
      messageId: null,
      bodyBound: "full",
      timestampSigned: true,
      idSigned: false,
      urlBound: false,
    },
  );
  assert.equal(verified.json().id, "evt_1");
  const late = new Date(NOW.getTime() + 301_000);
  assert.throws(() => webhook.verify("{}", stripe("{}"), { now: late }), refused("too_old"));
  const patient = new Webhook("whsec_test", { scheme: "stripe", tolerance: 400_000 });
  assert.equal(patient.verify("{}", stripe("{}"), { now: late }).keyIndex, 0);
});

test("explain knows what was done to the body", () => {
  const webhook = new Webhook("whsec_test", { scheme: "stripe" });
  const sent = '{"id": "evt_1"}';
  const written = JSON.stringify(JSON.parse(sent));
  assert.throws(() => webhook.verify(written, stripe(sent), { now: NOW }), refused("bad_signature"));
  assert.match(webhook.explain(written, stripe(sent), { now: NOW }), /parsed|written again|serialis/i);
});

test("GitHub's published example verifies", () => {
  const webhook = new Webhook("It's a Secret to Everybody", { scheme: "github" });
  const headers = new Headers({
    "X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    "X-GitHub-Delivery": "d1",
  });
  const verified = webhook.verify("Hello, World!", headers);
  assert.deepEqual([verified.messageId, verified.idSigned, verified.timestamp], ["d1", false, null]);
});

test("the URL is that of a Fetch request, of Node's, or the one that was set", async () => {
  const webhook = new Webhook("12345", { scheme: "twilio" });
  const body = "CallSid=CA1&From=%2B1";
  const sign = (url) => new Webhook("12345", { scheme: "twilio" }).sign(body, { url });
  const url = "https://example.com/calls?a=1";
  const fetched = new Request(url, { method: "POST", body, headers: sign(url) });
  assert.equal(webhook.verify(await fetched.clone().text(), fetched).urlBound, true);
  assert.throws(() => webhook.verify(body, sign(url)), refused("missing_url"));
  assert.equal(webhook.verify(body, sign(url), { url }).scheme, "twilio");

  const behindProxy = new Webhook("12345", { scheme: "twilio", url: "https://example.com" });
  const verdicts = [];
  const server = createServer(async (incoming, response) => {
    const pieces = [];
    for await (const piece of incoming) {
      pieces.push(piece);
    }
    for (const one of [behindProxy, webhook]) {
      try {
        verdicts.push(one.verify(Buffer.concat(pieces), incoming).scheme);
      } catch (error) {
        verdicts.push(error.code);
      }
    }
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const outgoing = request({ port: server.address().port, path: "/calls?a=1", method: "POST", headers: sign(url) });
  outgoing.end(body);
  const [answer] = await once(outgoing, "response");
  answer.resume();
  await once(answer, "end");
  server.close();
  assert.deepEqual(verdicts, ["twilio", "bad_signature"]);
});

test("a header of the sender's is not taken for the URL", () => {
  const webhook = new Webhook("12345", { scheme: "twilio" });
  const url = "https://example.com/calls";
  const headers = { ":url": url, ...webhook.sign("a=1", { url }) };
  assert.throws(() => webhook.verify("a=1", headers), refused("missing_url"));
});

test("a template is a scheme of one's own", () => {
  const template = {
    signatureHeader: "acme-signature",
    signed: "{timestamp}.{body}",
    timestampItem: "t=",
    prefix: "v1=",
    separator: ",",
  };
  const webhook = new Webhook("a secret of Acme's", { template });
  assert.equal(webhook.scheme, "custom");
  const headers = webhook.sign("{}", { timestamp: NOW });
  assert.equal(webhook.verify("{}", headers, { now: NOW }).scheme, "custom");
  assert.throws(() => new Webhook("x", { template: { ...template, signed: "{nothing}" } }), unfit("bad_template"));
});

test("what cannot be used is said at once", () => {
  assert.throws(() => new Webhook("x", { scheme: "strip" }), unfit("unknown_scheme"));
  assert.throws(() => new Webhook("x", { scheme: "stripe" }), unfit("unknown_prefix"));
  assert.throws(() => new Webhook("x", { schema: "stripe" }), TypeError);
  assert.throws(() => new Webhook("whsec_x", { scheme: "stripe", tolerance: -1 }), TypeError);
  assert.throws(() => new Webhook("x", { scheme: "github", url: 1 }), TypeError);
  assert.throws(() => new Webhook("x", { scheme: "github", fetchCertificate: 1 }), TypeError);
  const code = IS_WEB ? "needs_asymmetric" : "missing_topic";
  // On WebAssembly, too.
  assert.throws(
    () => new Webhook([], { scheme: "sns" }),
    (error) => [code, "needs_asymmetric"].includes(error.code),
  );
});

test("a body may come in pieces", () => {
  const webhook = new Webhook("whsec_test", { scheme: "stripe", maxBody: 20 });
  const verifier = webhook.verifier(stripe('{"id":"evt_1"}'), { now: NOW });
  const verified = verifier.update('{"id":').update(Buffer.from('"evt_1"}')).finish();
  assert.equal(verified.scheme, "stripe");
  assert.throws(() => verified.json(), /pieces/);
  assert.throws(() => verifier.finish(), refused("verifier_finished"));
  const large = webhook.verifier(stripe("{}"), { now: NOW });
  assert.throws(() => large.update(new Uint8Array(21)), refused("body_too_large"));
  assert.throws(() => large.finish(), refused("body_too_large"));
  assert.throws(() => webhook.verifier({}), refused("missing_header"));
});

test("a question to the endpoint is answered, and only if it is verified", () => {
  const slack = new Webhook("8f742231b10e8888abcd99yyyzzz85a5", { scheme: "slack" });
  const body = '{"type":"url_verification","challenge":"3eZb"}';
  const verified = slack.verify(body, slack.sign(body, { timestamp: NOW }), { now: NOW });
  assert.deepEqual(slack.challenge(verified), { visit: null, status: 200, contentType: "text/plain", body: "3eZb" });
  const event = slack.verify("{}", slack.sign("{}", { timestamp: NOW }), { now: NOW });
  assert.equal(slack.challenge(event), null);
  assert.throws(() => slack.challenge({ scheme: "slack" }), TypeError);
});

test("signatures in the body and in the URL come with what to send", () => {
  const mailgun = new Webhook("a signing key", { scheme: "mailgun" });
  const sent = mailgun.signRequest('{"event-data":{}}', { messageId: "a".repeat(50), timestamp: NOW });
  assert.equal(mailgun.verify(sent.body, sent.headers, { now: NOW }).bodyBound, "none");
  const twilio = new Webhook("12345", { scheme: "twilio" });
  const url = "https://example.com/events";
  const json = twilio.signRequest("{}", { url });
  assert.match(json.url, /bodySHA256=/);
  assert.equal(twilio.verify("{}", json.headers, { url: json.url }).bodyBound, "full");
  assert.throws(() => twilio.sign("{}", {}), unfit("missing_url"));
  const discord = new Webhook("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", {
    scheme: "discord",
  });
  assert.throws(() => discord.sign("{}", {}), unfit("public_key_cannot_sign"));
});

test("a message is handled once, and again when its handler failed", () => {
  const webhook = new Webhook("whsec_test", { scheme: "stripe" });
  const key = webhook.verify("{}", stripe("{}"), { now: NOW }).replayKey("billing");
  assert.match(key, /^[0-9a-f]{64}$/);
  const again = webhook.verify("{}", stripe("{}"), { now: NOW });
  assert.equal(again.replayKey("billing"), key);
  assert.notEqual(again.replayKey("other"), key);
  const retried = new Webhook("whsec_test", { scheme: "stripe" }).verify("{ }", stripe("{ }"), { now: NOW });
  assert.notEqual(retried.replayKey("billing"), key);
  assert.equal(retried.replayKey("billing", "evt_1"), again.replayKey("billing", "evt_1"));
  assert.notEqual(again.replayKey("billing", "evt_1"), key);
  assert.throws(() => again.replayKey("billing", ""), TypeError);
  const guard = new MemoryReplayGuard({ lease: 60_000, entries: 2 });
  const first = guard.reserve(key, NOW);
  assert.equal(first.state, "new");
  assert.deepEqual(guard.reserve(key, NOW), { state: "in_progress", until: new Date(NOW.getTime() + 60_000) });
  assert.equal(guard.release(key, first.token, NOW), true);
  const second = guard.reserve(key, NOW);
  assert.equal(guard.commit(key, first.token, NOW), false);
  assert.equal(guard.commit(key, second.token, NOW), true);
  assert.deepEqual(guard.reserve(key, NOW), { state: "already_done" });
  guard.reserve("0".repeat(64), NOW);
  assert.deepEqual(guard.reserve("1".repeat(64), NOW), { state: "full" });
  assert.throws(() => guard.reserve("x", NOW), unfit("bad_replay_key"));
  assert.throws(() => new MemoryReplayGuard({ entries: 0 }), unfit("bad_setting"));
});

test("events go to the handler of their type", async () => {
  const webhook = new Webhook("whsec_test", { scheme: "stripe" });
  const verified = (body) => webhook.verify(body, stripe(body), { now: NOW });
  const seen = [];
  const events = new WebhookEvents().on("user.created", async (event, proof) => seen.push([event.id, proof.scheme]));
  assert.equal(await events.dispatch(verified('{"type":"user.created","id":1}')), true);
  assert.equal(await events.dispatch(verified('{"type":"user.deleted","id":2}')), false);
  events.onOther((event) => seen.push(event.id));
  assert.equal(await events.dispatch(verified('{"type":"user.deleted","id":2}')), true);
  assert.deepEqual(seen, [[1, "stripe"], 2]);
  assert.throws(() => events.on("user.created", () => {}), TypeError);
  const named = new WebhookEvents({ typeOf: (event) => event.kind }).on("a", () => Promise.reject(new Error("no")));
  await assert.rejects(named.dispatch(verified('{"kind":"a"}')), /no/);
});

test("GitHub's type is in a header, of Fetch's requests and of Node's", async () => {
  const webhook = new Webhook("a secret", { scheme: "github" });
  const verified = webhook.verify("{}", webhook.sign("{}", {}));
  const seen = [];
  const events = new WebhookEvents().on("push", () => seen.push("push"));
  const headers = { "x-github-event": "push" };
  for (const request of [new Request("http://h", { headers }), { headers }, headers, new Headers(headers)]) {
    assert.equal(await events.dispatch(verified, request), true);
  }
  assert.equal(await events.dispatch(verified, {}), false);
  await assert.rejects(events.dispatch(verified), TypeError);
  assert.equal(seen.length, 4);
});

const corpus = join(
  process.env.GATEWRIGHT_DOCS ?? join(HERE, "..", "..", "docs"),
  "..",
  "conformance",
  "webhooks",
  "sns.json",
);
const withCertificates = ON_FETCH
  ? { skip: "the module for webhooks has no certificates" }
  : existsSync(corpus)
    ? {}
    : { skip: "GATEWRIGHT_DOCS does not say where the corpus is" };

/** A message of SNS, and the certificate it is signed by. */
function notification() {
  const one = JSON.parse(readFileSync(corpus, "utf8")).find(
    ({ kind, settings }) => kind === "valid" && settings?.certificate,
  );
  const { certificate, topic_arn: topicArn } = one.settings;
  return {
    certificate,
    body: Buffer.from(one.body, "base64"),
    headers: one.headers,
    now: { now: new Date(one.now * 1000) },
    open: (more) => new Webhook([], { scheme: "sns", topicArn, ...more }),
  };
}

test("a certificate is fetched once, kept, and asked of nobody but its provider", withCertificates, async () => {
  const { certificate, body, headers, now, open } = notification();
  const asked = [];
  const fetchCertificate = async (url) => {
    asked.push(url);
    return certificate;
  };
  const webhook = open({ fetchCertificate });
  assert.throws(
    () => webhook.verify(body, headers, now),
    (error) => refused("missing_certificate")(error) && error.certificateUrl.startsWith("https://sns."),
  );
  const both = await Promise.all([webhook.receive(body, headers, now), webhook.receive(body, headers, now)]);
  assert.deepEqual(
    both.map(({ scheme }) => scheme),
    ["sns", "sns"],
  );
  assert.equal(webhook.verify(body, headers, now).bodyBound, "fields");
  assert.equal(asked.length, 1);
  const elsewhere = Buffer.from(
    String(body).replace(/"SigningCertURL": ?"[^"]*"/, '"SigningCertURL":"https://evil.example/a.pem"'),
  );
  await assert.rejects(open({ fetchCertificate }).receive(elsewhere, headers, now), refused("bad_certificate_url"));
  assert.equal(asked.length, 1);
});

test("what is no certificate, or cannot be fetched, verifies nothing", withCertificates, async () => {
  const { body, headers, now, open } = notification();
  await assert.rejects(
    open({ fetchCertificate: () => "no PEM" }).receive(body, headers, now),
    refused("bad_certificate"),
  );
  const broken = () => Promise.reject(new Error("no network"));
  await assert.rejects(open({ fetchCertificate: broken }).receive(body, headers, now), /no network/);
  assert.throws(() => open().addCertificate("https://evil.example/a.pem", "x"), refused("bad_certificate_url"));
});

test(
  "by itself a certificate is fetched without redirects, and no more of it than any has",
  withCertificates,
  async (t) => {
    const { certificate, body, headers, now, open } = notification();
    const answers = [
      new Response(null, { status: 302, headers: { location: "https://evil.example/" } }),
      new Response("x".repeat(64 * 1024 + 1)),
      new Response(certificate),
    ];
    const fetched = t.mock.method(globalThis, "fetch", async () => answers.shift());
    const webhook = open();
    await assert.rejects(webhook.receive(body, headers, now), /status 302/);
    await assert.rejects(webhook.receive(body, headers, now), /longer than 65536 bytes/);
    assert.equal((await webhook.receive(body, headers, now)).scheme, "sns");
    for (const { arguments: given } of fetched.mock.calls) {
      assert.equal(given[1].redirect, "manual");
    }
  },
);
