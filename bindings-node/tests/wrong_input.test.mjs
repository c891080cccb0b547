/** What is wrong with a client or a request is said before anything is sent, and where. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { rejection, Session } from "./gateway.mjs";
import { notOnFetch, sdk } from "./package.mjs";

const MS = "it must be a number of milliseconds above zero, or null for no limit";
const h = "https://h";

const CLIENTS = [
  [
    "not a url",
    {},
    "InvalidConfigError",
    /^invalid_config: `baseUrl` is no URL .*; it looks like https:\/\/api\.example\.com\/v1; change the setting$/,
  ],
  ["ftp://example.com", {}, "InvalidConfigError", '`baseUrl` has the scheme "ftp"; it must be https (or http)'],
  [
    "http://api.example.com",
    {},
    "InsecureUrlError",
    /^insecure_url: .*set `allowHttp` if the network in between is yours$/,
  ],
  [5, {}, "InvalidConfigError", "the base URL must be a string or a URL, not a number"],
  [undefined, {}, "InvalidConfigError", "the base URL must be a string or a URL, not undefined"],
  [h, null, "InvalidConfigError", "the options must be an object, not null"],
  [h, "key", "InvalidConfigError", "the options must be an object, not a string"],
  [h, { timeout: Number.NaN }, "InvalidConfigError", `\`timeout\` is NaN; ${MS}`],
  [h, { timeout: 0 }, "InvalidConfigError", `\`timeout\` is 0; ${MS}`],
  [h, { readTimeout: -1 }, "InvalidConfigError", `\`readTimeout\` is -1; ${MS}`],
  [h, { attemptTimeout: Number.POSITIVE_INFINITY }, "InvalidConfigError", `\`attemptTimeout\` is Infinity; ${MS}`],
  [
    h,
    { timeout: "5" },
    "InvalidConfigError",
    "`timeout` must be a number of milliseconds, or null for none, not a string",
  ],
  [h, { timout: 5 }, "InvalidConfigError", "a client has no option `timout`; `timeout` may be meant"],
  [h, { timeoutMs: 5 }, "InvalidConfigError", "a client has no option `timeoutMs`; `timeout` may be meant"],
  [
    h,
    { max_redirects: 5 },
    "InvalidConfigError",
    "a client has no option `max_redirects`; `maxRedirects` may be meant",
  ],
  [h, { baseURL: "x" }, "InvalidConfigError", "a client has no option `baseURL`"],
  [
    h,
    { auth: 5 },
    "InvalidConfigError",
    "`auth` must be a string, a function, { bearer }, { basic: [user, password] }, { apiKey }, { oauth }, { hmac }, { httpSignature } or { dpop }, not a number",
  ],
  [h, { auth: {} }, "InvalidConfigError", "`auth` must be a string"],
  [h, { auth: "" }, "InvalidConfigError", "`auth`: the credential is empty; is its environment variable set?"],
  [
    h,
    { auth: "line\nbreak" },
    "InvalidConfigError",
    "`auth`: the credential has a character that no HTTP header can carry",
  ],
  [h, { auth: { apiKey: "k", header: "a", query: "b" } }, "InvalidConfigError", "`auth` has `query` beside `apiKey`"],
  [h, { auth: { basic: ["a"] } }, "InvalidConfigError", "`auth.basic` must be a list of user and password"],
  [
    h,
    { headers: { "x-a": "line\nbreak" } },
    "InvalidConfigError",
    "the value of the header x-a has a character that no header can carry",
  ],
  [h, { headers: { "a b": "c" } }, "InvalidConfigError", '"a b" is no header name'],
  [
    h,
    { headers: { a: null } },
    "InvalidConfigError",
    "`headers` has a value for `a` that is null; it must be a string or a number",
  ],
  [h, { headers: "a: b" }, "InvalidConfigError", "`headers` must be an object, pairs or Headers, not a string"],
  [h, { headers: [["a"]] }, "InvalidConfigError", "`headers` must have pairs of a name and a value"],
  [h, { retry: 0 }, "InvalidConfigError", "`retry.maxAttempts` is 0; it must be a whole number from 1"],
  [h, { retry: -1 }, "InvalidConfigError", "`retry.maxAttempts` is -1; it must be a whole number from 1"],
  [h, { retry: true }, "InvalidConfigError", "`retry` must be an object, a number of attempts or false, not a boolean"],
  [h, { retry: { attempts: 5 } }, "InvalidConfigError", "`retry` has no option `attempts`"],
  [
    h,
    { retry: { maxAttempts: 1.5 } },
    "InvalidConfigError",
    "`retry.maxAttempts` is 1.5; it must be a whole number from 1",
  ],
  [h, { retry: { backoffBase: Number.NaN } }, "InvalidConfigError", "`retry.backoffBase` is NaN"],
  [h, { quota: "lots" }, "InvalidConfigError", '`quota`: got "lots" when expecting calls, a slash and a time'],
  [h, { pacing: 1 }, "InvalidConfigError", "`pacing` must be true, false or an object, not a number"],
  [h, { allowedOrigins: "https://x" }, "InvalidConfigError", "`allowedOrigins` must be a list of strings"],
  [h, { hooks: { before: () => {} } }, "InvalidConfigError", "`hooks` has no option `before`"],
  [
    h,
    { hooks: { beforeAttempt: "log" } },
    "InvalidConfigError",
    "`hooks.beforeAttempt` must be a function, not a string",
  ],
];

for (const [url, options, kind, text] of CLIENTS) {
  test(`a client of ${url} with ${JSON.stringify(options)}`, () => {
    assert.throws(
      () => new sdk.Client(url, options),
      (error) => {
        assert.equal(error.constructor, sdk[kind], String(error));
        assert.ok(text instanceof RegExp ? text.test(error.message) : error.message.includes(text), error.message);
        assert.deepEqual(error.attempts, []);
        return true;
      },
    );
  });
}

test("settings of Node's own that are wrong", notOnFetch("it has no such settings"), () => {
  for (const [options, text] of [
    [{ proxy: "::" }, "`proxy` is no proxy URL; it looks like http://host:port"],
    [{ proxy: 5 }, "`proxy` must be a string, not a number; false is for none"],
    [{ caCertificates: "no certificate" }, "`caCertificates` cannot be read: there is no PEM certificate in it"],
    [{ caCertificates: 5 }, "`caCertificates` must be PEM text or its bytes, not a number"],
    [{ connectTimeout: 0 }, "`connectTimeout` is 0"],
  ]) {
    assert.throws(
      () => new sdk.Client(h, options),
      (error) => error instanceof sdk.InvalidConfigError && error.message.includes(text),
    );
  }
});

const circle = {};
circle.circle = circle;

const REQUESTS = [
  [{ json: 1n }, "`json` cannot be encoded as JSON: Do not know how to serialize a BigInt"],
  [{ json: circle }, "`json` cannot be encoded as JSON: Converting circular structure to JSON"],
  [{ json: () => {} }, "`json` cannot be encoded as JSON: JSON has nothing for a function"],
  [{ json: Symbol("s") }, "`json` cannot be encoded as JSON: JSON has nothing for a symbol"],
  [{ json: {}, body: "" }, "`json` and `body` are both given; a request has one body"],
  [
    { body: 5 },
    "`body` must be text, bytes, URLSearchParams, FormData, a Blob, a stream or a function that makes one, not a number",
  ],
  [{ body: { a: 1 } }, "not an object; `json` takes values that are to be encoded"],
  [{ body: [1, 2] }, "not a list; `json` takes values that are to be encoded"],
  [{ headers: { "x-a": "line\nbreak" } }, "the value of the header x-a has a character that no header can carry"],
  [{ headers: { "": "a" } }, '"" is no header name'],
  [{ headers: { a: {} } }, "`headers` has a value for `a` that is an object"],
  [{ headers: 5 }, "`headers` must be an object, pairs or Headers, not a number"],
  [{ query: "a=b" }, "`query` must be an object, pairs or URLSearchParams, not a string"],
  [{ query: { a: {} } }, "`query` has a value for `a` that is an object; make it a string"],
  [{ query: { a: [new Date(0)] } }, "`query` has a value for `a` that is a Date; make it a string"],
  [{ query: { a: Number.NaN } }, "`query` has a value for `a` that is NaN"],
  [{ query: ["ab"] }, "`query` must have pairs of a name and a value"],
  [{ idempotencyKey: "" }, "the idempotency key is empty"],
  [{ idempotencyKey: 5 }, "`idempotencyKey` must be a string, not a number"],
  [{ maxAttempts: 0 }, "`maxAttempts` is 0; it must be a whole number from 1"],
  [{ maxAttempts: "3" }, "`maxAttempts` must be a number, not a string"],
  [{ throwOnError: "no" }, "`throwOnError` must be true or false, not a string"],
  [{ signal: new AbortController() }, "`signal` must be an AbortSignal, not a AbortController"],
  [{ signal: 5 }, "`signal` must be an AbortSignal, not a number"],
  [{ params: {} }, "a request has no option `params`"],
  [{ retry: 3 }, "a request has no option `retry`"],
  [{ Query: {} }, "a request has no option `Query`; `query` may be meant"],
  [5, "the options must be an object, not a number"],
  [null, "the options must be an object, not null"],
];

for (const [options, text] of REQUESTS) {
  test(`a request that cannot be sent is not sent: ${text}`, async () => {
    const session = new Session();
    const client = session.client();
    for (const call of [client.post("/v1/echo", options), client.stream("POST", "/v1/echo", options)]) {
      const error = await rejection(call);
      assert.ok(error instanceof sdk.InvalidRequestError, String(error));
      assert.ok(error.message.startsWith("invalid_request: "), error.message);
      assert.ok(error.message.includes(text), error.message);
      assert.ok(error.message.endsWith("change the request; nothing was sent"), error.message);
      assert.deepEqual(error.attempts, []);
    }
    assert.deepEqual(await session.journal(), []);
  });
}

test("what cannot be encoded is the cause", async () => {
  const error = await rejection(new Session().client().post("/v1/echo", { json: 1n }));
  assert.ok(error.cause instanceof TypeError);
  const thrown = new RangeError("no JSON of me");
  const throwing = {
    toJSON() {
      throw thrown;
    },
  };
  assert.equal((await rejection(new Session().client().post("/v1/echo", { json: throwing }))).cause, thrown);
});

for (const path of [5, undefined, null, {}, ["/v1/echo"]]) {
  test(`a path of ${String(path)}`, async () => {
    const session = new Session();
    const client = session.client();
    for (const call of [
      client.get(path),
      client.post(path, {}),
      client.stream("GET", path),
      client.request("GET", path),
    ]) {
      const error = await rejection(call);
      assert.ok(error instanceof sdk.InvalidRequestError, String(error));
      assert.match(error.message, /the path must be a string, not /);
    }
    assert.deepEqual(await session.journal(), []);
  });
}

for (const [path, kind, text] of [
  ["/a\nb", "InvalidRequestError", "the path has a control character"],
  ["https://elsewhere.example/x", "CrossOriginError", "the URL leads to https://elsewhere.example, not"],
  ["http://[::1", "InvalidRequestError", "the URL is no URL"],
]) {
  test(`a path that leads nowhere good: ${JSON.stringify(path)}`, async () => {
    const session = new Session();
    const error = await rejection(session.client().get(path));
    assert.equal(error.constructor, sdk[kind], String(error));
    assert.ok(error.message.includes(text), error.message);
    assert.deepEqual(await session.journal(), []);
  });
}

test("a method that is none", async () => {
  const session = new Session();
  const client = session.client();
  assert.match((await rejection(client.request("GE T", "/v1/echo"))).message, /"GE T" is no HTTP method/);
  assert.match(
    (await rejection(client.request(undefined, "/v1/echo"))).message,
    /the method must be a string, not undefined/,
  );
  assert.deepEqual(await session.journal(), []);
});

for (const verb of ["get", "head", "options"]) {
  test(`${verb} takes no body`, async () => {
    const session = new Session();
    const error = await rejection(session.client()[verb]("/v1/echo", { json: {} }));
    assert.ok(error instanceof sdk.InvalidRequestError);
    assert.match(error.message, /a request without body has no option `json`/);
    assert.deepEqual(await session.journal(), []);
  });
}

for (const timeout of [Number.NaN, 0, -1]) {
  test(`a timeout of ${timeout} is refused for one call too`, async () => {
    const session = new Session();
    const error = await rejection(session.client().get("/v1/echo", { timeout }));
    assert.ok(error instanceof sdk.GatewrightError, String(error));
    assert.match(error.message, /`timeout` is .*; it must be a number of milliseconds/);
    assert.deepEqual(await session.journal(), []);
  });
}

test("a stream that somebody else reads", async () => {
  const session = new Session();
  const body = new Blob(["x"]).stream();
  body.getReader();
  const error = await rejection(session.client().post("/v1/sink", { body }));
  assert.ok(error instanceof sdk.InvalidRequestError);
  assert.match(error.message, /`body` is a stream that somebody else reads/);
  assert.deepEqual(await session.journal(), []);
});

test("a Client needs new", () => {
  assert.throws(() => sdk.Client("https://h"), TypeError);
});
