/** Answers whose body comes in as it is read. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { collectGarbage } from "./garbage.mjs";
import { rejection, Session, until } from "./gateway.mjs";
import { sdk } from "./package.mjs";

/** A tier with limits: the gateway counts what is in progress. */
const COUNTED = { auth: "sk_test_enterprise_acme" };

/** Waits until the gateway sends nothing any more. */
const over = (session) => until(async () => (await session.inProgress()) === 0);

const sum = (bytes) => createHash("sha256").update(bytes).digest("hex");

test("the head comes first, the body as it is read", async () => {
  const session = new Session();
  const response = await session.client().stream("GET", "/v1/drip?bytes=1000&interval_ms=100");
  assert.ok(response instanceof sdk.StreamResponse);
  assert.deepEqual([response.status, response.ok, response.method], [200, true, "GET"]);
  assert.match(response.requestId, /.+/);
  assert.equal(response.attempts.length, 1);
  assert.equal(response.bodyUsed, false);
  const pieces = [];
  for await (const piece of response) {
    assert.equal(piece.constructor, Uint8Array);
    pieces.push(Buffer.from(piece).toString());
    if (pieces.length === 3) {
      break;
    }
  }
  // The whole of it takes longer than a minute.
  assert.match(pieces.join(""), /^\*{3,999}$/);
  assert.equal(response.bodyUsed, true);
});

for (const size of [0, 1, 100_000, 20_000_000]) {
  test(`a streamed body of ${size} bytes, read in every way`, async () => {
    const session = new Session();
    const client = session.client(COUNTED);
    const stream = () => client.stream("GET", `/v1/bytes/${size}`);
    const expected = (await client.get(`/v1/bytes/${size}`)).headers.get("x-content-sha256");
    assert.equal(sum(await (await stream()).bytes()), expected);
    const hash = createHash("sha256");
    for await (const piece of await stream()) {
      assert.equal(piece.constructor, Uint8Array);
      hash.update(piece);
    }
    assert.equal(hash.digest("hex"), expected);
    assert.equal(sum(Buffer.from(await new Response((await stream()).body).arrayBuffer())), expected);
    await over(session);
  });
}

test("text and json read to the end", async () => {
  const session = new Session();
  const client = session.client();
  assert.equal((await (await client.stream("GET", "/v1/lines/3")).text()).trim().split("\n").length, 3);
  const sent = { name: "Zoë" };
  const echo = await (await client.stream("POST", "/v1/echo", { json: sent })).json();
  assert.deepEqual(JSON.parse(Buffer.from(echo.body_base64, "base64").toString()), sent);
  const lines = await client.stream("GET", "/v1/lines/2");
  assert.ok((await rejection(lines.json())) instanceof sdk.DecodeError);
});

test("a body is read once", async () => {
  const session = new Session();
  const client = session.client(COUNTED);
  const response = await client.stream("GET", "/v1/lines/3");
  await response.text();
  for (const again of [() => response.text(), () => response.json(), () => response.bytes()]) {
    assert.match((await rejection(again())).message, /read once/);
  }
  assert.throws(() => response[Symbol.asyncIterator](), TypeError);
  assert.ok((await rejection(response.body.getReader().read())) instanceof TypeError);
});

test("error statuses are thrown, after retries", async () => {
  const session = new Session();
  const client = session.client(COUNTED);
  const error = await rejection(client.stream("GET", "/v1/contacts/nope"));
  assert.ok(error instanceof sdk.NotFoundError);
  assert.equal(error.problem.code, "not_found");
  await session.script("lines", "503", "ok");
  const response = await client.stream("GET", "/v1/lines/1");
  assert.equal(response.attempts.length, 2);
  assert.match(response.timeline(), /503/);
  await response.cancel();
  const handed = await client.stream("GET", "/v1/contacts/nope", { throwOnError: false });
  assert.equal((await handed.json()).code, "not_found");
});

test("leaving the loop ends the request", async () => {
  const session = new Session();
  const client = session.client(COUNTED);
  for await (const piece of await client.stream("GET", "/v1/drip?bytes=100&interval_ms=50")) {
    assert.equal(piece.length, 1);
    break;
  }
  await over(session);
});

test("cancelling ends the request, and what is read then is refused", async () => {
  const session = new Session();
  const client = session.client(COUNTED);
  const response = await client.stream("GET", "/v1/drip?bytes=100&interval_ms=60000");
  const reading = rejection(response.text());
  await response.cancel();
  await response.cancel();
  const error = await reading;
  assert.ok(error instanceof sdk.ClosedError, String(error));
  assert.match(error.message, /the stream was cancelled/);
  await over(session);
  const other = await client.stream("GET", "/v1/drip?bytes=100&interval_ms=60000");
  const reader = other.body.getReader();
  const pending = reader.read();
  await reader.cancel();
  assert.deepEqual(await pending, { done: true, value: undefined });
  await over(session);
});

test("a body that breaks off is an error, and what came before stays good", async () => {
  const session = new Session();
  await session.script("bytes", "reset@30000");
  const pieces = [];
  const error = await rejection(
    (async () => {
      for await (const piece of await session.client().stream("GET", "/v1/bytes/100000?chunk=1000")) {
        pieces.push(piece);
      }
    })(),
  );
  assert.ok(error instanceof sdk.ConnectionLostError, String(error));
  const whole = await (await session.client().get("/v1/bytes/100000?chunk=1000")).bytes();
  const came = Buffer.concat(pieces);
  assert.ok(came.length > 0 && came.length < 30_000);
  assert.deepEqual(came, Buffer.from(whole.subarray(0, came.length)));
});

test("the deadline covers the body, and null lifts it", async () => {
  const session = new Session();
  const client = session.client({ timeout: 3_000 });
  const late = await rejection((await client.stream("GET", "/v1/drip?bytes=100&interval_ms=1000")).text());
  assert.ok(late instanceof sdk.TimeoutError, String(late));
  const hasty = session.client({ timeout: 100 });
  const patient = await hasty.stream("GET", "/v1/drip?bytes=12&interval_ms=50", { timeout: null });
  assert.equal(await patient.text(), "*".repeat(12));
});

test("reading ahead stops where nobody reads", async () => {
  const session = new Session();
  const client = session.client(COUNTED);
  // The gateway makes a sum of all of it before it answers.
  const unhurried = { timeout: null, attemptTimeout: null };
  const response = await client.stream("GET", "/v1/bytes/100000000", unhurried);
  const reader = response.body.getReader();
  await reader.read();
  const before = process.memoryUsage().rss;
  await new Promise((resolve) => setTimeout(resolve, 200));
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 30_000_000, `${grown} bytes came without being asked for`);
  await reader.cancel();
  await over(session);
});

test("reads that are begun together give the pieces in order", async () => {
  const session = new Session();
  const response = await session.client().stream("GET", "/v1/drip?bytes=4&interval_ms=10");
  const pieces = response[Symbol.asyncIterator]();
  const read = await Promise.all(Array.from({ length: 6 }, () => pieces.next()));
  assert.equal(read.map(({ value }) => (value ? Buffer.from(value).toString() : "")).join(""), "****");
  assert.ok(read.at(-1).done);
});

test("a stream that nobody holds any more gives its connection back", async () => {
  const session = new Session();
  const client = session.client(COUNTED);
  await (async () => {
    const held = [];
    for (let number = 0; number < 5; number++) {
      const response = await client.stream("GET", "/v1/drip?bytes=1000&interval_ms=1000");
      held.push(response);
      await response.body.getReader().read();
    }
    assert.equal(await session.inProgress(), held.length);
  })();
  await until(async () => {
    collectGarbage();
    return (await session.inProgress()) === 0;
  });
});

test("uploading goes on while the answer comes in", async () => {
  const session = new Session();
  async function* numbers() {
    for (let number = 0; number < 100; number++) {
      yield `${number}\n`;
    }
  }
  const response = await session.client().stream("POST", "/v1/sink", { body: numbers() });
  assert.equal((await response.json()).body_length, 290);
});
