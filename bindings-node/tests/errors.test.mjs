/** Which error says what, and how it looks. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";

import { run } from "./child.mjs";
import { gateway, rejection, Session, SOON } from "./gateway.mjs";
import { nativeHalf } from "./native.mjs";
import { NAME, nodeOnly, notOnFetch, sdk } from "./package.mjs";

const CODES = nativeHalf().errorCodes();

test("every code has a class of its own that is exported", () => {
  assert.ok(CODES.length >= 25);
  for (const code of CODES) {
    const name = `${code
      .split("_")
      .map((word) => word[0].toUpperCase() + word.slice(1))
      .join("")}Error`;
    const kind = sdk[name];
    assert.equal(typeof kind, "function", `${name} is not exported`);
    const error = new kind("what happened");
    assert.ok(error instanceof sdk.GatewrightError && error instanceof Error);
    assert.deepEqual([error.name, error.code, error.message, kind.name], [name, code, "what happened", name]);
    assert.ok(error.stack.startsWith(`${name}: what happened`));
  }
});

test("there is no class without a code", () => {
  const classes = Object.values(sdk).filter((value) => value?.prototype instanceof sdk.GatewrightError);
  assert.deepEqual(classes.map((kind) => new kind("").code).sort(), [...CODES].sort());
});

const STATUSES = {
  400: "BadRequestError",
  401: "AuthenticationError",
  402: "BadRequestError",
  403: "PermissionDeniedError",
  404: "NotFoundError",
  408: "TimeoutError",
  409: "ConflictError",
  410: "NotFoundError",
  412: "PreconditionFailedError",
  422: "UnprocessableError",
  428: "PreconditionFailedError",
  429: "RateLimitedError",
  500: "ServerError",
  503: "ServerError",
};

for (const [status, name] of Object.entries(STATUSES)) {
  test(`${status} is a ${name}`, async () => {
    const session = new Session();
    const headers = { "x-mock-fault": status };
    const error = await rejection(session.client({ retry: false }).get("/v1/whoami", { headers }));
    assert.equal(error.constructor, sdk[name]);
    assert.equal(error.status, Number(status));
  });
}

function readable(ms) {
  if (ms >= 1000) {
    return `${(ms / 1000).toFixed(2)} s`;
  }
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${ms.toFixed(0)} ms`;
}

test("an error has all its facts", async () => {
  const session = new Session();
  const error = await rejection(session.client({ auth: "sk_wrong_key" }).get("/v1/whoami"));
  const took = readable(error.elapsedMs);
  assert.equal(
    error.message,
    `authentication: GET ${session.url}/v1/whoami was answered 401 Unauthorized: ${error.problem.detail} ` +
      `(1 attempt, ${took}, request id ${error.requestId}); check the API key or token`,
  );
  assert.ok(error instanceof sdk.AuthenticationError);
  assert.deepEqual(
    [error.code, error.status, error.method, error.url],
    ["authentication", 401, "GET", `${session.url}/v1/whoami`],
  );
  assert.equal(error.requestId, error.problem.request_id);
  assert.equal(error.retryability, "permanent");
  assert.equal(error.noRetry, "another attempt would not change it");
  assert.equal(error.advice, "check the API key or token");
  assert.equal(error.retryAfterMs, null);
  assert.ok(error.headers instanceof Headers && error.headers.has("www-authenticate"));
  assert.equal(error.headers, error.headers);
  assert.ok(error.body instanceof Uint8Array);
  assert.deepEqual(JSON.parse(Buffer.from(error.body).toString()).code, "invalid_api_key");
  assert.deepEqual(
    error.attempts.map((attempt) => [attempt.status, attempt.decision]),
    [[401, "give_up"]],
  );
  assert.match(error.timeline(), /#1 at [\d.]+ m?s: 401/);
  assert.equal("cause" in error, false);
});

test("Retry-After is told", async () => {
  const session = new Session();
  const headers = { "x-mock-fault": "429;ra=120" };
  const error = await rejection(session.client().get("/v1/whoami", { headers }));
  assert.ok(error instanceof sdk.RateLimitedError);
  assert.equal(error.retryAfterMs, 120_000);
  assert.equal(error.attempts.length, 1);
});

test("a refused connection is retried, and then a ConnectError", notOnFetch("a fetch does not say why"), async () => {
  // Nobody listens there.
  const client = new sdk.Client("http://127.0.0.1:1", { retry: { ...SOON, maxAttempts: 2 } });
  const error = await rejection(client.get("/x"));
  assert.ok(error instanceof sdk.ConnectError, String(error));
  assert.match(
    error.message,
    /^connect: GET http:\/\/127\.0\.0\.1:\d+\/x failed: no connection \(Connection refused \(os error \d+\)\) \(2 attempts, .* m?s\); no other attempt: all attempts are used up; check the address, and that the server runs and can be reached$/,
  );
  assert.deepEqual([error.status, error.headers, error.problem, error.requestId], [null, null, null, null]);
  assert.equal(error.body.length, 0);
  assert.equal(error.retryability, "exhausted");
});

test("failures of transport have classes of their own", notOnFetch("a fetch does not tell them apart"), async () => {
  const session = new Session();
  const client = session.client({ retry: false, idempotencyKeys: false });
  const get = (fault) => rejection(client.get("/v1/whoami", { headers: { "x-mock-fault": fault } }));
  assert.ok((await get("garbage")) instanceof sdk.ProtocolError);
  assert.ok((await get("reset")) instanceof sdk.ConnectionLostError);
  assert.ok((await get("truncated-gzip")) instanceof sdk.DecodeError);
  const lost = await rejection(
    client.post("/v1/contacts", { json: { name: "Ada" }, headers: { "x-mock-fault": "lost" } }),
  );
  assert.ok(lost instanceof sdk.OutcomeUnknownError, String(lost));
  assert.match(lost.message, /look whether it took effect/);
  const tls = new sdk.Client(session.url.replace("http:", "https:"), { retry: false });
  assert.ok((await rejection(tls.get("/x"))) instanceof sdk.TlsError);
});

test("redirects and sizes that go astray have errors of their own", async () => {
  const session = new Session();
  const client = session.client({ maxRedirects: 2, maxResponseBytes: 1000 });
  const get = (path, query) => rejection(client.get(path, { query }));
  if (NAME === "gatewright") {
    assert.ok((await get("/v1/redirect/302", { to: "http://127.0.0.1:1/" })) instanceof sdk.CrossOriginError);
    const again = { to: "/v1/redirect/307?to=/v1/redirect/307?to=/v1/whoami" };
    assert.ok((await get("/v1/redirect/307", again)) instanceof sdk.RedirectError);
  }
  assert.ok((await client.get("/v1/bytes/1000")).ok);
  const large = await get("/v1/bytes/1001");
  assert.ok(large instanceof sdk.ResponseTooLargeError);
  assert.match(large.message, /raise `maxResponseBytes`/);
});

test("timeouts say which", async () => {
  const session = new Session();
  const late = await rejection(session.client({ timeout: 50 }).get("/v1/delay/60000"));
  assert.ok(late instanceof sdk.TimeoutError);
  assert.match(late.message, /its deadline was 50 ms/);
  const slow = await rejection(session.client({ attemptTimeout: 20, retry: 2 }).get("/v1/delay/60000"));
  assert.match(slow.message, /an attempt may take 20 ms/);
  assert.equal(slow.attempts.length, 2);
});

async function notFound(session, options = {}) {
  return rejection(session.client(options).get("/v1/contacts/ct_999999"));
}

test("console.log shows kind, status, request id, what happened, what to do and the timeline", async () => {
  const session = new Session();
  const error = await notFound(session);
  const shown = inspect(error);
  const [first] = shown.split("\n");
  assert.equal(first, `NotFoundError: ${error.message}`);
  assert.match(
    first,
    /^NotFoundError: not_found: GET http.* was answered 404 Not Found: .*request id .*; check the path and the id$/,
  );
  assert.match(shown, /\n {2}code: 'not_found'\n {2}status: 404\n/);
  assert.ok(shown.includes(`\n  requestId: '${error.requestId}'\n`), shown);
  assert.ok(shown.includes("\n  advice: 'check the path and the id'\n"), shown);
  assert.match(shown, /\n {2}problem: \{/);
  assert.match(shown, /\n {2}timeline: ·*█+ +#1 at [\d.]+ m?s: 404 in .* -> give up/);
  assert.equal(inspect({ a: { b: { c: error } } }, { depth: 1 }).includes("ct_999999"), false);
  await session.script("contacts.get", "503", "503", "503");
  const retried = inspect(await notFound(session));
  assert.match(retried, /^ServerError: .*\n {2}.*#1 at [\d.]+ m?s: 503 .*\n {2}.*#2 .*\n {2}.*#3 .*\n {4}at /);
});

test("a cause is shown, and no facts that there are not", async () => {
  const session = new Session();
  const client = session.client({
    hooks: {
      beforeAttempt() {
        throw new RangeError("not today");
      },
    },
  });
  const error = await rejection(client.get("/v1/whoami"));
  const shown = inspect(error);
  assert.match(shown, /\n {2}\[cause\]: RangeError: not today\n/);
  for (const name of ["status", "requestId", "problem", "retryAfterMs"]) {
    assert.equal(shown.includes(`\n  ${name}:`), false, shown);
  }
  assert.equal(error.status, null);
});

test("the stack shows where the caller awaited", async () => {
  const session = new Session();
  const client = session.client();
  async function whereItIsAwaited() {
    return await client.get("/v1/contacts/ct_999999");
  }
  const error = await rejection(whereItIsAwaited());
  assert.match(error.stack, /\n {4}at async whereItIsAwaited \(.*errors\.test\.mjs:\d+:\d+\)/);
  // Nothing of the package's own is above it.
  assert.match(
    error.stack.split("\n").find((line) => !line.includes("node:internal") && /^ {4}at /.test(line)),
    /whereItIsAwaited/,
  );
  async function whereItStreams() {
    return await client.stream("GET", "/v1/contacts/ct_999999");
  }
  assert.match((await rejection(whereItStreams())).stack, /at async whereItStreams/);
  async function whereItLists() {
    for await (const page of client.pages("/v1/contacts/ct_999999")) {
      assert.fail(String(page));
    }
  }
  assert.match((await rejection(whereItLists())).stack, /at async whereItLists/);
  async function whereItIsWrong() {
    return await client.get(5);
  }
  assert.match((await rejection(whereItIsWrong())).stack, /at whereItIsWrong/);
});

test("an unhandled rejection shows the same, and ends the program", nodeOnly("as in gatewright"), async () => {
  const session = new Session();
  const program = (body) => `
    import { Client } from "gatewright";
    const client = new Client(${JSON.stringify(gateway.url)}, ${JSON.stringify(session.options())});
    async function whereItIsAwaited() {
      ${body}
    }
    await whereItIsAwaited();
  `;
  const { error, code, out } = await run(program('await client.get("/v1/contacts/ct_999999");'));
  assert.equal(code, 1);
  assert.equal(out, "");
  assert.match(
    error,
    /NotFoundError: not_found: GET http.* was answered 404 Not Found: .*; check the path and the id\n/,
  );
  assert.match(error, /at async whereItIsAwaited \(.*program\.mjs:5:/);
  for (const fact of ["code: 'not_found'", "status: 404", "requestId: '", "advice: 'check the path and the id'"]) {
    assert.ok(error.includes(fact), error);
  }
  assert.equal(error.includes("sk_test"), false);
  assert.equal(error.includes("null"), false, error);
  const retried = await run(program('client.get("/v1/whoami", { headers: { "x-mock-fault": "503" } }); await 0;'));
  assert.equal(retried.code, 1);
  assert.match(retried.error, /ServerError: server: GET .*\n {2}.*#1 at [\d.]+ m?s: 503 .*\n {2}.*#2/);
});

test("what a log keeps", async () => {
  const session = new Session();
  const error = await notFound(session);
  const kept = JSON.parse(JSON.stringify(error));
  assert.deepEqual(Object.keys(kept), [
    "name",
    "code",
    "message",
    "status",
    "method",
    "url",
    "requestId",
    "retryAfterMs",
    "retryability",
    "noRetry",
    "advice",
    "elapsedMs",
    "problem",
    "attempts",
  ]);
  assert.deepEqual(
    [kept.name, kept.code, kept.status, kept.message],
    ["NotFoundError", "not_found", 404, error.message],
  );
  assert.deepEqual(kept.attempts, error.attempts);
});

test("an error that is cloned or sent keeps its message and its stack", async () => {
  const session = new Session();
  const error = await notFound(session);
  const clone = structuredClone(error);
  assert.ok(clone instanceof Error);
  assert.equal(clone.message, error.message);
  assert.equal(clone.stack, error.stack);
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(error);
  assert.equal(receiveMessageOnPort(port2).message.message, error.message);
  port1.close();
});
