/** Ending a call ends its request on the wire, in whatever phase it is. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Client } from "gatewright-web";

import { promised, serve } from "./server.mjs";

/** A server that answers as told, and a promise of the moment when the connection is closed by the other side. */
async function watched(answer) {
  const begun = promised();
  const closed = promised();
  const server = await serve((request, response) => {
    response.on("close", () => closed.keep(response.writableFinished ? "answered" : "cut"));
    answer(request, response);
    begun.keep();
  });
  return { ...server, begun: begun.promise, closed: closed.promise };
}

test("waiting for the head", async () => {
  const server = await watched(() => {});
  const controller = new AbortController();
  const call = new Client(server.url).get("/", { signal: controller.signal });
  await server.begun;
  controller.abort(new Error("enough"));
  await assert.rejects(call, /enough/);
  assert.equal(await server.closed, "cut");
  await server.close();
});

test("reading the body", async () => {
  const server = await watched((_, response) => response.writeHead(200, { "content-length": 10 }).write("half "));
  const controller = new AbortController();
  const call = new Client(server.url).get("/", { signal: controller.signal });
  await server.begun;
  controller.abort();
  await assert.rejects(call, { name: "AbortError" });
  assert.equal(await server.closed, "cut");
  await server.close();
});

test("a streamed answer that is left", async () => {
  const server = await watched((_, response) => response.writeHead(200).write("first"));
  const answer = await new Client(server.url).stream("GET", "/");
  for await (const piece of answer) {
    assert.equal(new TextDecoder().decode(piece), "first");
    break;
  }
  assert.equal(await server.closed, "cut");
  await server.close();
});

test("a time-out of ours", async () => {
  const server = await watched(() => {});
  // Long enough for the request to come to the server before.
  const call = new Client(server.url, { retry: false, attemptTimeout: 3_000 }).get("/");
  await assert.rejects(call, { name: "TimeoutError", code: "timeout" });
  assert.equal(await server.closed, "cut");
  await server.close();
});

test("sending the body", async () => {
  const server = await watched((request) => request.resume());
  const controller = new AbortController();
  const cancelled = promised();
  const body = new ReadableStream({
    pull: (stream) => stream.enqueue(new Uint8Array(1024)),
    cancel: cancelled.keep,
  });
  const call = new Client(server.url).post("/", { body, signal: controller.signal });
  await server.begun;
  controller.abort();
  await assert.rejects(call, { name: "AbortError" });
  assert.equal(await server.closed, "cut");
  await cancelled.promise;
  await server.close();
});

test("an answer that comes before the request's body is through is taken, and the rest is not sent", async () => {
  const server = await watched((_, response) => response.writeHead(413, { connection: "close" }).end("{}"));
  let pulled = 0;
  const body = new ReadableStream({
    async pull(stream) {
      pulled += 1;
      // The first pieces only: after the answer nobody asks for more.
      if (pulled > 1000) {
        throw new Error("nobody stopped it");
      }
      stream.enqueue(new Uint8Array(64 * 1024));
      await new Promise(setImmediate);
    },
  });
  const error = await new Client(server.url).post("/", { body }).catch((thrown) => thrown);
  assert.ok(["bad_request", "outcome_unknown", "connection_lost"].includes(error.code), String(error));
  await server.close();
});
