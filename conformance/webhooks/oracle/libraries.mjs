// Plays the corpus through the providers' libraries for Node: which cases does each accept?
// What libraries.py says of secrets, headers and answers holds here too. It is copied into the folder where they are installed, and run there.

import { EventEmitter } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import https from "node:https";
import { createRequire } from "node:module";
import { join } from "node:path";

const corpus = process.argv[2];
const require = createRequire(join(process.cwd(), "package.json"));

const RealDate = Date;
let now = 0;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length === 0 ? [now * 1000] : given));
  }
  static now() {
    return now * 1000;
  }
};

const text = (body) => body.toString("utf8");
const urlOf = (received) => received.settings?.url ?? received.url;

async function libraries() {
  const { default: Stripe } = await import("stripe");
  const { verify: octokit } = await import("@octokit/webhooks-methods");
  const twilio = require("twilio");
  const { WebhooksHelper } = require("square");
  const { Webhooks: PaddleWebhooks } = require("@paddle/paddle-node-sdk");
  const { EventWebhook } = require("@sendgrid/eventwebhook");
  const { verifyKey } = require("discord-interactions");
  const { LinearWebhookClient } = await import("@linear/sdk/webhooks");
  const { Webhook: Svix } = require("svix");
  const { Webhook: Standard } = require("standardwebhooks");
  const SnsValidator = require("sns-validator");
  const { verifySlackRequest } = require(
    join(process.cwd(), "node_modules/@slack/bolt/dist/receivers/verify-request.js"),
  );
  require("@shopify/shopify-api/adapters/node");
  const { shopifyApi } = require("@shopify/shopify-api");
  const { Paddle } = require("@paddle/paddle-node-sdk");

  return [
    [
      "stripe",
      "stripe",
      ["tolerance"],
      (one, secret, body, headers) => {
        Stripe.webhooks.signature.verifyHeader(
          body,
          headers["stripe-signature"],
          secret,
          one.settings?.tolerance ?? 300,
        );
        return true;
      },
    ],
    [
      "@octokit/webhooks-methods",
      "github",
      [],
      (_, secret, body, headers) => octokit(secret, text(body), headers["x-hub-signature-256"]),
    ],
    [
      "@slack/bolt",
      "slack",
      [],
      (_, secret, body, headers) => {
        const given = { ...headers, "x-slack-request-timestamp": Number(headers["x-slack-request-timestamp"]) };
        verifySlackRequest({ signingSecret: secret, body: text(body), headers: given });
        return true;
      },
    ],
    [
      "twilio",
      "twilio",
      [],
      (one, secret, body, headers) => {
        const url = urlOf(one);
        const signature = headers["x-twilio-signature"];
        if (new URL(url).searchParams.has("bodySHA256"))
          return twilio.validateRequestWithBody(secret, signature, url, text(body));
        const params = {};
        for (const [name, value] of new URLSearchParams(text(body))) params[name] = [...(params[name] ?? []), value];
        return twilio.validateRequest(secret, signature, url, params);
      },
    ],
    [
      "square",
      "square",
      [],
      (one, secret, body, headers) =>
        WebhooksHelper.verifySignature({
          requestBody: text(body),
          signatureHeader: headers["x-square-hmacsha256-signature"],
          signatureKey: secret,
          notificationUrl: urlOf(one),
        }),
    ],
    [
      "@paddle/paddle-node-sdk",
      "paddle",
      [],
      (_, secret, body, headers) => {
        new Paddle("key"); // Chooses the runtime's cryptography.
        return new PaddleWebhooks().isSignatureValid(text(body), secret, headers["paddle-signature"]);
      },
    ],
    [
      "@sendgrid/eventwebhook",
      "sendgrid",
      [],
      (_, secret, body, headers) => {
        const webhook = new EventWebhook();
        const prefix = "x-twilio-email-event-webhook-";
        return webhook.verifySignature(
          webhook.convertPublicKeyToECDSA(secret),
          body,
          headers[`${prefix}signature`],
          headers[`${prefix}timestamp`],
        );
      },
    ],
    [
      "discord-interactions",
      "discord",
      [],
      (_, secret, body, headers) =>
        verifyKey(body, headers["x-signature-ed25519"], headers["x-signature-timestamp"], secret),
    ],
    [
      "@linear/sdk",
      "linear",
      [],
      (_, secret, body, headers) => new LinearWebhookClient(secret).verify(body, headers["linear-signature"]),
    ],
    [
      "svix",
      "svix",
      [],
      (_, secret, body, headers) => {
        new Svix(secret).verify(text(body), headers);
        return true;
      },
    ],
    [
      "standardwebhooks",
      "standard-webhooks",
      [],
      (_, secret, body, headers) => {
        new Standard(secret).verify(text(body), headers);
        return true;
      },
    ],
    [
      "@shopify/shopify-api",
      "shopify",
      [],
      async (_, secret, body, headers) => {
        const shopify = shopifyApi({
          apiKey: "key",
          apiSecretKey: secret,
          apiVersion: "2025-01",
          hostName: "x.example",
          isEmbeddedApp: false,
          scopes: [],
          logger: { log() {} },
        });
        const others = {
          "x-shopify-topic": "orders/create",
          "x-shopify-shop-domain": "x.myshopify.com",
          "x-shopify-api-version": "2025-01",
          "x-shopify-webhook-id": "1",
        };
        const request = { headers: { ...others, ...headers }, method: "POST", url: "/" };
        const answer = await shopify.webhooks.validate({ rawBody: text(body), rawRequest: request, rawResponse: {} });
        return answer.valid;
      },
    ],
    [
      "sns-validator",
      "sns",
      ["certificate", "topic_arn"],
      (one, _secret, body) =>
        new Promise((done) => {
          https.get = (_url, answer) => {
            const response = Object.assign(new EventEmitter(), { statusCode: 200 });
            queueMicrotask(() => {
              answer(response);
              response.emit("data", Buffer.from(one.settings.certificate ?? ""));
              response.emit("end");
            });
            return new EventEmitter();
          };
          const fresh = freshSns();
          new fresh().validate(JSON.parse(text(body)), (error) => done(!error));
        }),
    ],
  ];

  // It keeps certificates by their URL; each case has its own.
  function freshSns() {
    const path = require.resolve("sns-validator");
    delete require.cache[path];
    return require(path) ?? SnsValidator;
  }
}

function headersOf(one) {
  const found = {};
  for (const [name, value] of one.headers) {
    const raw = typeof value === "string" ? Buffer.from(value) : Buffer.from(value.base64, "base64");
    const key = name.toLowerCase();
    const read = raw.toString("latin1");
    found[key] = key in found ? `${found[key]}, ${read}` : read;
  }
  return found;
}

function playable(one, settings, scheme) {
  const given = Object.keys(one.settings ?? {}).filter((name) => name !== "url" && !settings.includes(name));
  if (given.length > 0 || ["body_too_large", "missing_url", "missing_certificate"].includes(one.expect.verdict))
    return false;
  if (scheme !== "sns" && one.secrets.length === 0) return false;
  if (one.settings?.url && one.url) {
    const [set, received] = [new URL(one.settings.url), new URL(one.url)];
    if (set.pathname === "/" || (received.search && !set.search)) return false;
  }
  return true;
}

async function accepts(verify, one) {
  now = one.now;
  const body = Buffer.from(one.body, "base64");
  for (const secret of one.secrets.length > 0 ? one.secrets : [""]) {
    try {
      if (await verify(one, secret, body, headersOf(one))) return true;
    } catch {
      // A refusal.
    }
  }
  return false;
}

function versionOf(name) {
  return JSON.parse(readFileSync(join(process.cwd(), "node_modules", name, "package.json"), "utf8")).version;
}

console.log = console.warn = console.error = console.info = () => {};
const lines = [];
for (const [name, scheme, settings, verify] of await libraries()) {
  const cases = JSON.parse(readFileSync(join(corpus, `${scheme}.json`), "utf8")).filter((one) =>
    playable(one, settings, scheme),
  );
  const verdicts = {};
  for (const one of cases) verdicts[one.name] = await accepts(verify, one);
  lines.push(`${JSON.stringify({ library: `${name} (Node)`, version: versionOf(name), scheme, accepts: verdicts })}\n`);
}
writeFileSync(process.env.WEBHOOK_ANSWERS, lines.join(""));
process.exit(0);
