/** A secret goes onto the wire and nowhere else. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import { rejection, Session } from "./gateway.mjs";
import { sdk, webhooks } from "./package.mjs";

const CANARY = "canary-s3cret/+&=";
const SPELLINGS = [
  CANARY,
  encodeURI(CANARY),
  encodeURIComponent(CANARY),
  btoa(CANARY),
  btoa(`me:${CANARY}`),
  JSON.stringify(CANARY),
];

const AUTHS = {
  "a string": () => CANARY,
  bearer: () => ({ bearer: CANARY }),
  basic: () => ({ basic: ["me", CANARY] }),
  "a header": () => ({ apiKey: CANARY }),
  "the query": () => ({ apiKey: CANARY, query: "sig" }),
  "a callback": () => () => CANARY,
  "a token": () => async () => ({ token: CANARY, expiresInMs: 60_000 }),
};

function check(...things) {
  for (const thing of things) {
    const shown = [
      String(thing),
      inspect(thing, { depth: 10, showHidden: true, getters: true, maxArrayLength: 50 }),
      inspect(thing, { customInspect: false, depth: 10, showHidden: true, getters: true }),
      JSON.stringify(thing) ?? "",
      ...(thing instanceof Error ? [thing.stack, Buffer.from(thing.body ?? []).toString()] : []),
      ...(thing instanceof sdk.GatewrightError ? [thing.timeline(), JSON.stringify(thing.problem)] : []),
    ];
    for (const text of shown) {
      for (const spelling of SPELLINGS) {
        assert.equal(text.includes(spelling), false, text);
      }
    }
  }
}

for (const [name, auth] of Object.entries(AUTHS)) {
  test(`no failure shows the secret of ${name}`, async () => {
    for (const fault of ["reset", "503", "401", "422", "short", "bad-chunk", "lost"]) {
      const session = new Session();
      await session.set({ auth: "off" });
      const client = session.client({
        auth: auth(),
        retry: { maxAttempts: 2, backoffBase: 1, backoffCap: 1 },
        hooks: {
          beforeAttempt: (attempt) => check(attempt, [...attempt.headers]),
          afterAttempt: (attempt) => check(attempt),
        },
      });
      check(await rejection(client.post("/v1/contacts", { json: {}, headers: { "x-mock-fault": fault } })));
      check(client, client.baseUrl, client.state());
    }
  });

  test(`no answer that echoes the secret of ${name} shows it in an error`, async () => {
    const session = new Session();
    await session.set({ auth: "off" });
    await session.script("contacts.create", `422;body="you sent ${CANARY}"`);
    check(await rejection(session.client({ auth: auth() }).post("/v1/contacts", { json: {} })));
  });

  test(`no success shows the secret of ${name}`, async () => {
    const session = new Session();
    // An answer, whatever the gateway thinks of the key.
    const client = session.client({ auth: auth(), throwOnError: false });
    const response = await client.get("/v1/whoami", { headers: { "x-mock-fault": "once:503" } });
    check(response, response.url, response.attempts, response.timeline(), [...response.headers]);
    const stream = await client.stream("GET", "/v1/whoami");
    check(stream, stream.url, stream.attempts);
    await stream.cancel();
    check(client.pages("/v1/contacts"));
  });

  test(`no mistake shows the secret of ${name}`, async () => {
    const make = (url, options) => new sdk.Client(url, { auth: auth(), retry: false, ...options });
    for (const mistake of [
      { timeout: Number.NaN },
      { headers: { "a b": "c" } },
      { headers: { a: {} } },
      { timout: 5 },
      { retry: "often" },
    ]) {
      assert.throws(
        () => make("https://h", mistake),
        (error) => {
          check(error);
          return error instanceof sdk.GatewrightError;
        },
      );
    }
    check(await rejection(make("http://127.0.0.1:1", {}).get("/x", { timeout: 500 })));
  });
}

test("an auth that cannot be is refused without being shown", () => {
  for (const auth of [
    { apiKey: CANARY, header: "a", query: "b" },
    { basic: CANARY },
    { basic: [CANARY] },
    { basic: ["a:b", CANARY] },
    { bearer: [CANARY] },
    { token: CANARY },
    [CANARY],
    `${CANARY}\n`,
    { apiKey: `${CANARY}\n` },
  ]) {
    assert.throws(
      () => new sdk.Client("https://h", { auth }),
      (error) => {
        check(error);
        return error instanceof sdk.InvalidConfigError;
      },
    );
  }
});

for (const scheme of ["ftp://me:{}@h.example", "http://me:{}@h.example", "https://me:{}@h.example"]) {
  test(`no error shows the password of a URL: ${scheme}`, () => {
    assert.throws(
      () => new sdk.Client(scheme.replace("{}", encodeURIComponent(CANARY))),
      (error) => {
        check(error);
        return error instanceof sdk.GatewrightError;
      },
    );
  });
}

test("the base URL is all that a client shows", () => {
  assert.equal(
    inspect(new sdk.Client("https://h.example/v1", { auth: CANARY })),
    "Client { baseUrl: 'https://h.example/v1' }",
  );
});

test("a webhook shows no secret", () => {
  const secret = webhooks.generateSecret();
  const webhook = new webhooks.Webhook(secret);
  const headers = webhook.sign("{}", { messageId: "m" });
  const verified = webhook.verify("{}", headers);
  const caught = (run) => {
    try {
      run();
    } catch (error) {
      return error;
    }
    throw new Error("nothing was thrown");
  };
  const wrong = caught(() => webhook.verify("{}!", headers));
  const broken = caught(() => new webhooks.Webhook(`${secret}%`));
  const key = secret.replace("whsec_", "").slice(0, 8);
  for (const thing of [webhook, verified, wrong, broken, webhook.explain("x", headers)]) {
    const options = { depth: 10, showHidden: true, getters: true };
    const shown = `${inspect(thing, options)} ${inspect(thing, { customInspect: false, ...options })} ${JSON.stringify(thing)}`;
    assert.equal(shown.includes(key), false, shown);
  }
});
