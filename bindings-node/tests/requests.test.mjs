/** What goes onto the wire. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { bodyOf, Session } from "./gateway.mjs";
import { notOnFetch, sdk } from "./package.mjs";

const VERBS = ["get", "head", "options", "post", "put", "patch", "delete"];

for (const verb of VERBS) {
  test(`${verb} sends its method`, async () => {
    const session = new Session();
    const response = await session.client()[verb]("/v1/echo");
    assert.equal(response.method, verb.toUpperCase());
    assert.ok(response.ok);
    assert.equal((await session.last()).method, verb.toUpperCase());
  });
}

test("request sends any method", async () => {
  const session = new Session();
  const client = session.client({ throwOnError: false });
  await client.request("purge", "/v1/echo");
  await client.request("PATCH", "/v1/echo", { json: 1 });
  assert.deepEqual(
    (await session.journal()).map((entry) => entry.method),
    ["PURGE", "PATCH"],
  );
});

const QUERIES = [
  [{ a: 1, b: "x y", c: 1.5, d: 12345678901234567890n }, "a=1&b=x+y&c=1.5&d=12345678901234567890"],
  [{ yes: true, no: false, nothing: null, none: undefined }, "yes=true&no=false"],
  [{ many: ["a", "b", null, 3] }, "many=a&many=b&many=3"],
  [
    [
      ["a", "1"],
      ["a", "2"],
    ],
    "a=1&a=2",
  ],
  [new URLSearchParams("a=1&b=x+y"), "a=1&b=x+y"],
  [new Map([["a", "1"]]), "a=1"],
  [{ utf8: "ä&=+" }, "utf8=%C3%A4%26%3D%2B"],
];

for (const [query, sent] of QUERIES) {
  test(`a query of ${query.constructor.name}: ${sent}`, async () => {
    const session = new Session();
    const client = session.client();
    await client.get("/v1/echo", { query });
    await client.get("/v1/echo?first=0", { query });
    assert.deepEqual(
      (await session.journal()).map((entry) => entry.query),
      [sent, `first=0&${sent}`],
    );
  });
}

const HEADERS = [
  ["an object", { "X-One": "1", "x-two": 2, "x-none": undefined }],
  ["Headers", new Headers({ "x-one": "1", "x-two": "2" })],
  [
    "pairs",
    [
      ["x-one", "1"],
      ["x-two", "2"],
    ],
  ],
  [
    "a Map",
    new Map([
      ["x-one", "1"],
      ["x-two", "2"],
    ]),
  ],
];

for (const [name, headers] of HEADERS) {
  test(`headers as ${name}`, async () => {
    const session = new Session();
    await session.client().get("/v1/echo", { headers });
    await session.client({ headers: Object.fromEntries(new Headers([["x-one", "1"]])) }).get("/v1/echo");
    const sent = Object.fromEntries((await session.journal())[0].headers);
    assert.equal(sent["x-one"], "1");
    assert.equal(sent["x-two"], "2");
    assert.equal("x-none" in sent, false);
  });
}

test("a header of several values is sent with all of them", async () => {
  const session = new Session();
  await session.client().get("/v1/echo", { headers: { "x-many": ["a", "b"] } });
  const sent = (await session.last()).headers.filter(([name]) => name === "x-many").map(([, value]) => value);
  assert.equal(sent.join(", "), "a, b");
});

test("a header of the call replaces that of the client", async () => {
  const session = new Session();
  const client = session.client({ headers: { "x-a": "client", "x-b": "client" } });
  await client.get("/v1/echo", { headers: { "X-A": "call" } });
  const sent = Object.fromEntries((await session.last()).headers);
  assert.deepEqual([sent["x-a"], sent["x-b"]], ["call", "client"]);
});

test("posts and patches carry an idempotency key, others none", async () => {
  const session = new Session();
  const client = session.client();
  for (const verb of VERBS) {
    await client[verb]("/v1/echo");
  }
  const entries = await session.journal();
  const keyed = entries.filter((entry) => entry.headers.some(([name]) => name === "idempotency-key"));
  assert.deepEqual(
    keyed.map((entry) => entry.method),
    ["POST", "PATCH"],
  );
  await client.post("/v1/echo", { idempotencyKey: "mine" });
  assert.equal((await session.headerOf("idempotency-key")).at(-1), "mine");
});

test("settings of idempotency keys", async () => {
  const session = new Session();
  await session.client({ idempotencyKeys: false }).post("/v1/echo");
  await session.client({ idempotencyHeader: "x-once" }).post("/v1/echo");
  await session.client({ idempotencyQuoted: true }).post("/v1/echo", { idempotencyKey: "q" });
  const [none, named, quoted] = (await session.journal()).map((entry) => Object.fromEntries(entry.headers));
  assert.equal("idempotency-key" in none, false);
  assert.match(named["x-once"], /.{8}/);
  assert.equal(quoted["idempotency-key"], '"q"');
});

const AUTHS = [
  ["a string", "sk_test_pro_acme", ["authorization", /^Bearer \*+acme$/]],
  ["bearer", { bearer: "sk_test_pro_acme" }, ["authorization", /^Bearer \*+acme$/]],
  ["basic", { basic: ["sk_test_pro_acme", ""] }, ["authorization", /^Basic /]],
  ["an API key", { apiKey: "sk_test_pro_acme" }, ["x-api-key", /acme$/]],
  ["an API key in a header", { apiKey: "sk_test_pro_acme", header: "X-API-Key" }, ["x-api-key", /acme$/]],
  ["a callback", () => "sk_test_pro_acme", ["authorization", /^Bearer \*+acme$/]],
];

for (const [name, auth, [header, shown]] of AUTHS) {
  test(`auth by ${name}`, async () => {
    const session = new Session();
    const whoami = await (await session.client({ auth }).get("/v1/whoami")).json();
    assert.equal(whoami.tier, "pro");
    assert.match(Object.fromEntries((await session.last()).headers)[header], shown);
  });
}

test("auth by an API key in the query", async () => {
  const session = new Session();
  const client = session.client({ auth: { apiKey: "sk_test_pro_acme", query: "api_key" } });
  assert.equal((await (await client.get("/v1/whoami")).json()).tier, "pro");
  assert.match((await session.last()).query, /^api_key=\*+acme$/);
});

test("auth by an API key in a cookie", notOnFetch("a fetch sends no cookies of a program's own"), async () => {
  const session = new Session();
  const client = session.client({ auth: { apiKey: "sk_test_pro_acme", cookie: "api_key" } });
  assert.equal((await (await client.get("/v1/whoami")).json()).tier, "pro");
});

test("the base URL may be a URL, and paths are joined to it", async () => {
  const session = new Session();
  const client = new sdk.Client(new URL(`${session.url}/v1`), session.options());
  const response = await client.get("whoami");
  await client.get("/whoami");
  assert.equal(response.url, `${session.url}/v1/whoami`);
  assert.deepEqual(
    (await session.journal()).map((entry) => entry.path),
    ["/v1/whoami", "/v1/whoami"],
  );
});

test("settings of one call", async () => {
  const session = new Session();
  const client = session.client();
  await session.script("whoami", "503", "503", "503");
  const one = await client.get("/v1/whoami", { maxAttempts: 1, throwOnError: false });
  assert.deepEqual([one.status, one.ok, one.attempts.length], [503, false, 1]);
  const late = await client.get("/v1/delay/60000", { timeout: 30 }).catch((error) => error);
  assert.ok(late instanceof sdk.TimeoutError, String(late));
  const attempt = await client.get("/v1/delay/60000", { attemptTimeout: 20, maxAttempts: 2 }).catch((error) => error);
  assert.ok(attempt instanceof sdk.TimeoutError);
  assert.equal(attempt.attempts.length, 2);
  const patient = session.client({ timeout: 10 });
  assert.ok((await patient.get("/v1/delay/30", { timeout: null })).ok);
});

test("retry: false sends once, a number is the number of attempts", async () => {
  const session = new Session();
  await session.script("whoami", "503", "503", "503", "ok");
  await assert.rejects(session.client({ retry: false }).get("/v1/whoami"), sdk.ServerError);
  assert.equal((await session.journal()).length, 1);
  const error = await session
    .client({ retry: 2, headers: { "x-mock-fault": "503;ra-ms=1" } })
    .get("/v1/whoami")
    .catch((error) => error);
  assert.equal(error.attempts.length, 2);
});

test("options that others were made from count, and undefined ones do not", async () => {
  const session = new Session();
  const options = Object.create({ headers: { "x-a": "inherited" } });
  options.query = undefined;
  options.signal = null;
  await session.client().get("/v1/echo", options);
  assert.deepEqual(await session.headerOf("x-a"), ["inherited"]);
});

test("the body that was given is what is sent, whatever happens to it later", async () => {
  const session = new Session();
  const bytes = new Uint8Array([1, 2, 3]);
  const sent = session.client().post("/v1/echo", { body: bytes });
  bytes.fill(9);
  await sent;
  assert.deepEqual([...bodyOf(await session.last())], [1, 2, 3]);
});
