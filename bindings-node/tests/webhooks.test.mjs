/** Verification and signing of webhooks. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { test } from "node:test";
import { inspect } from "node:util";

import { Session, until } from "./gateway.mjs";
import { IS_WEB, sdk, webhooks } from "./package.mjs";

const { generateSecret, Webhook, WebhookError, WebhookKeyError, WebhookVerificationError } = webhooks;

// The vector of the Standard Webhooks specification.
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY = '{"test": 2432232314}';
const SECONDS = 1614265330;
const at = (seconds) => ({ now: new Date(seconds * 1000) });
const NOW = at(SECONDS);
const HEADERS = {
  "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
  "webhook-timestamp": String(SECONDS),
  "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};

const SHAPES = {
  "a plain object": (headers) => headers,
  "capital letters": (headers) =>
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value])),
  "IncomingHttpHeaders with lists": (headers) => ({
    host: "h",
    "set-cookie": ["a=b", "c=d"],
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    gone: undefined,
  }),
  "an object without prototype": (headers) => Object.assign(Object.create(null), headers),
  "Fetch Headers": (headers) => new Headers(headers),
  "a Fetch Request's headers": (headers) => new Request("http://h", { headers }).headers,
  pairs: (headers) => Object.entries(headers),
  "an iterator of pairs": (headers) => Object.entries(headers)[Symbol.iterator](),
  "a Map": (headers) => new Map(Object.entries(headers)),
  "Node's rawHeaders": (headers) => Object.entries(headers).flat(),
  "among others": (headers) => ({ cookie: "ü\ud800", "": "x", ...headers }),
};

const BODIES = {
  text: BODY,
  Buffer: Buffer.from(BODY),
  Uint8Array: new TextEncoder().encode(BODY),
  ArrayBuffer: new TextEncoder().encode(BODY).buffer,
  "a part of a buffer": Buffer.from(`..${BODY}..`).subarray(2, -2),
};

for (const [shape, shaped] of Object.entries(SHAPES)) {
  test(`what was signed verifies: headers as ${shape}`, () => {
    const webhook = new Webhook(SECRET);
    for (const body of Object.values(BODIES)) {
      const verified = webhook.verify(body, shaped(HEADERS), NOW);
      assert.deepEqual(
        { ...verified },
        {
          scheme: "standard-webhooks",
          algorithm: "hmac-sha256",
          keyIndex: 0,
          timestamp: new Date(SECONDS * 1000),
          messageId: "msg_p5jXN8AQM9LWM0D4loKWxJek",
          bodyBound: "full",
          timestampSigned: true,
          idSigned: true,
          urlBound: false,
        },
      );
      assert.deepEqual(verified.json(), { test: 2432232314 });
    }
  });
}

const changed = (changes) => {
  const headers = { ...HEADERS };
  for (const [name, value] of Object.entries(changes)) {
    headers[`webhook-${name}`] = value;
  }
  return headers;
};

const REFUSED = [
  ["bad_signature", `${BODY} `, HEADERS, NOW],
  ["bad_signature", "", HEADERS, NOW],
  ["bad_signature", BODY, changed({ signature: "v1,AAAA" }), NOW],
  ["bad_signature", BODY, changed({ id: "msg_other" }), NOW],
  ["bad_signature", BODY, changed({ timestamp: String(SECONDS + 1) }), NOW],
  ["too_old", BODY, HEADERS, at(SECONDS + 301)],
  ["too_new", BODY, HEADERS, at(SECONDS - 301)],
  ["bad_timestamp", BODY, changed({ timestamp: "yesterday" }), NOW],
  ["missing_header", BODY, changed({ signature: undefined }), NOW],
  ["empty_header", BODY, changed({ id: "" }), NOW],
  ["repeated_header", BODY, [...Object.entries(HEADERS), ["Webhook-Id", "x"]], NOW],
  ["body_too_large", "x".repeat(1024 * 1024 + 1), HEADERS, NOW],
];

for (const [number, [code, body, headers, options]] of REFUSED.entries()) {
  test(`what was tampered with is refused, ${number + 1}: ${code}`, () => {
    const webhook = new Webhook(SECRET);
    assert.throws(
      () => webhook.verify(body, headers, options),
      (error) => {
        assert.ok(error instanceof WebhookVerificationError && error instanceof WebhookError && error instanceof Error);
        assert.equal(error.name, "WebhookVerificationError");
        assert.equal(error.code, code);
        assert.ok(error.message.length > 10);
        assert.match(error.stack.split("\n")[1], /./);
        assert.deepEqual(JSON.parse(JSON.stringify(error)), { name: error.name, code, message: error.message });
        assert.ok(inspect(error).includes(`code: '${code}'`));
        return true;
      },
    );
    assert.ok(webhook.explain(body, headers, options).length > 10);
  });
}

for (const secret of ["", "whsec_", "whsec_AAAA", "whsec_%%%%", "plain", []]) {
  test(`a secret that cannot be used: ${JSON.stringify(secret)}`, () => {
    assert.throws(() => new Webhook(secret), WebhookKeyError);
  });
}

test("the tolerance and the largest body can be set", () => {
  assert.ok(new Webhook(SECRET, { tolerance: 1_000_000 }).verify(BODY, HEADERS, at(SECONDS + 1000)));
  assert.throws(() => new Webhook(SECRET, { tolerance: 5000 }).verify(BODY, HEADERS, at(SECONDS + 6)), {
    code: "too_old",
  });
  const small = new Webhook(SECRET, { maxBody: 10 });
  const headers = small.sign("x".repeat(10), { messageId: "m" });
  assert.equal(small.verify("x".repeat(10), headers).messageId, "m");
  assert.throws(() => small.verify("x".repeat(11), headers), { code: "body_too_large" });
});

test("while secrets are rotated both fit", () => {
  const [old, fresh] = [generateSecret(), generateSecret()];
  assert.match(fresh, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.notEqual(old, fresh);
  const webhook = new Webhook([fresh, old]);
  const options = { messageId: "m" };
  assert.equal(webhook.verify(BODY, new Webhook(old).sign(BODY, options)).keyIndex, 1);
  assert.equal(webhook.verify(BODY, webhook.sign(BODY, options)).keyIndex, 0);
});

test("signing gives what the specification says", () => {
  const options = { messageId: HEADERS["webhook-id"], timestamp: new Date(SECONDS * 1000 + 999) };
  const signed = new Webhook(SECRET).sign(BODY, options);
  assert.deepEqual(signed, HEADERS);
  const key = Buffer.from(SECRET.replace("whsec_", ""), "base64");
  const mac = createHmac("sha256", key).update(`${HEADERS["webhook-id"]}.${SECONDS}.${BODY}`).digest("base64");
  assert.equal(signed["webhook-signature"], `v1,${mac}`);
});

test("without a time it is the clock's", () => {
  const webhook = new Webhook(SECRET);
  const { timestamp } = webhook.verify("{}", webhook.sign("{}", { messageId: "m" }));
  assert.ok(Math.abs(timestamp.getTime() - Date.now()) < 60_000);
});

test("a body that is no JSON", () => {
  const webhook = new Webhook(SECRET);
  const verified = webhook.verify("no json", webhook.sign("no json", { messageId: "m" }));
  assert.throws(() => verified.json(), SyntaxError);
});

test("what is of the wrong type is a TypeError that says what is taken", () => {
  const webhook = new Webhook(SECRET);
  for (const [run, text] of [
    [() => new Webhook(5), "the secrets of a webhook must be a string or a list of strings, not a number"],
    [() => new Webhook([5]), "the secrets of a webhook must be"],
    [() => new Webhook(SECRET, { tolerance: -1 }), "`tolerance` must be a number of milliseconds"],
    [() => new Webhook(SECRET, { tolerance: Number.NaN }), "`tolerance` must be a number of milliseconds"],
    [() => new Webhook(SECRET, { toleranceMs: 5 }), "there is no option `toleranceMs`"],
    [() => webhook.verify({ test: 1 }, HEADERS), "the text or bytes that came, before any parsing, not an object"],
    [() => webhook.verify(undefined, HEADERS), "not undefined"],
    [() => webhook.verify(BODY, undefined), "a webhook's headers must be"],
    [() => webhook.verify(BODY, "webhook-id: x"), "a webhook's headers must be"],
    [() => webhook.verify(BODY, HEADERS, { now: 5 }), "`now` must be a Date, not a number"],
    [() => webhook.verify(BODY, HEADERS, { now: new Date(Number.NaN) }), "`now` must be a Date"],
    [() => webhook.verify(BODY, HEADERS, { clock: 5 }), "there is no option `clock`"],
    [() => webhook.sign(BODY, {}), "`messageId` must be a string, not undefined"],
    [() => webhook.sign(BODY), "the options must be an object"],
  ]) {
    assert.throws(run, (error) => {
      assert.ok(error instanceof TypeError, String(error));
      assert.ok(error.message.includes(text), error.message);
      return true;
    });
  }
});

test("the main entry has the very same classes", () => {
  for (const name of ["Webhook", "WebhookError", "WebhookKeyError", "WebhookVerificationError", "generateSecret"]) {
    assert.equal(typeof sdk[name], "function");
    if (!IS_WEB) {
      assert.equal(sdk[name], webhooks[name]);
    }
  }
});

test("what the gateway sends verifies in a server, by v1 and v1a", async () => {
  const session = new Session();
  const seen = [];
  let webhook;
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      try {
        const body = Buffer.concat(chunks);
        const verified = webhook.verify(body, request.headers, {
          now: new Date(Number(request.headers["webhook-timestamp"]) * 1000),
        });
        webhook.verify(body, request.rawHeaders, { now: verified.timestamp });
        seen.push([verified.algorithm, verified.json().type]);
        response.writeHead(204).end();
      } catch (error) {
        seen.push(error);
        response.writeHead(400).end();
      }
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${server.address().port}/hook`;
    for (const options of [{ secret: SECRET }, { key_pair: true }]) {
      const endpoint = await session.admin("POST", "webhooks/endpoints", { url, ...options }).catch(() => undefined);
      if (endpoint === undefined) {
        continue;
      }
      webhook = new Webhook(endpoint.public_key ?? endpoint.secret);
      const before = seen.length;
      await session.admin("POST", "webhooks/send", { endpoint: endpoint.id, type: "ping", data: {} });
      await until(() => seen.length > before);
    }
    assert.ok(seen.length >= 1);
    for (const event of seen) {
      assert.equal(event[1], "ping", String(event));
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
