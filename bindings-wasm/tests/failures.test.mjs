/** What Node's fetch tells of a failure decides what may be repeated: nothing is sent twice that may have taken effect. */

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { Client } from "gatewright-web";

import { serve } from "./server.mjs";

const SOON = { backoffBase: 1, backoffCap: 2 };
const failed = (call) =>
  call.then(
    () => assert.fail("it was answered"),
    (error) => error,
  );

/** Nobody listens there, and fetch does not refuse the port by itself. */
const NOBODY = "http://127.0.0.1:4";

test("a refused connection is told as such, and even what is not repeatable is tried again", async () => {
  const client = new Client(NOBODY, { retry: SOON, idempotencyKeys: false });
  const error = await failed(client.post("/", { json: {} }));
  assert.deepEqual([error.name, error.code, error.attempts.length], ["ConnectError", "connect", 3]);
  assert.match(error.message, /ECONNREFUSED/);
});

test("a name that cannot be is told as such", async () => {
  const error = await failed(new Client("https://nowhere.invalid", { retry: false }).get("/"));
  assert.equal(error.code, "connect", error.message);
});

for (const [what, cut] of [
  ["before the answer", (_, response) => response.socket.destroy()],
  [
    "within the answer's body",
    (_, response) => {
      response.writeHead(200, { "content-length": 100 }).write("{");
      setImmediate(() => response.socket.destroy());
    },
  ],
]) {
  test(`a connection that breaks ${what}: without a key, once; with a key, as often as it takes`, async () => {
    const server = await serve(cut);
    const error = await failed(new Client(server.url, { retry: SOON, idempotencyKeys: false }).post("/", { json: {} }));
    assert.deepEqual([error.name, error.code], ["OutcomeUnknownError", "outcome_unknown"]);
    assert.equal(server.seen.length, 1);
    const again = await failed(new Client(server.url, { retry: SOON }).post("/", { json: {} }));
    assert.deepEqual([again.code, server.seen.length], ["connection_lost", 4]);
    const [, ...keyed] = server.seen.map(({ headers }) => headers["idempotency-key"]);
    assert.equal(new Set(keyed).size, 1);
    await server.close();
  });
}

test("what is no HTTP is a protocol error", async () => {
  const server = createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const error = await failed(new Client(`http://127.0.0.1:${server.address().port}`, { retry: SOON }).get("/"));
  assert.equal(error.code, "protocol", error.message);
  server.close();
});

test("a body whose encoding is broken is not asked for again", async () => {
  const server = await serve((_, response) =>
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("{}").fill(7, 12)),
  );
  const error = await failed(new Client(server.url, { retry: SOON }).get("/"));
  assert.deepEqual([error.code, server.seen.length], ["decode", 1], error.message);
  await server.close();
});

test("texts about failures have no URL, and so no key of a query", async () => {
  const client = new Client(NOBODY, { retry: false, auth: { apiKey: "canary", query: "key" } });
  const error = await failed(client.get("/"));
  assert.doesNotMatch(`${error.message} ${error.stack} ${JSON.stringify(error)}`, /canary/);
});

test("a stream that fails is the caller's error, with its cause", async () => {
  const server = await serve((request) => request.resume());
  const thrown = new Error("the disk is gone");
  async function* pieces() {
    yield new Uint8Array(10);
    throw thrown;
  }
  const error = await failed(new Client(server.url).post("/", { body: pieces() }));
  assert.deepEqual([error.code, error.cause], ["invalid_request", thrown]);
  await server.close();
});
