/** Streams of JSON lines. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";

import { idle, rejection, Session } from "./gateway.mjs";
import { sdk } from "./package.mjs";

const PATH = "/v1/exports";

async function ids(lines) {
  const found = [];
  for await (const { id } of lines) {
    found.push(id);
  }
  return found;
}

test("values come as they were sent", async () => {
  const session = new Session();
  const lines = session.client().jsonLines(PATH, { query: { items: 3, blank_every: 2, newline: "crlf" } });
  assert.ok(lines instanceof sdk.JsonLines);
  assert.equal(inspect(lines), "JsonLines {}");
  assert.equal((await session.journal()).length, 0);
  const found = [];
  for await (const value of lines) {
    found.push(value);
  }
  assert.deepEqual(
    found,
    [1, 2, 3].map((id) => ({ id, name: `Item ${id}` })),
  );
  assert.deepEqual(await lines.next(), { done: true, value: undefined });
});

test("a line that is no JSON is named, and the next one can be asked for", async () => {
  const session = new Session();
  const lines = session.client().jsonLines(PATH, { query: { items: 4, bad_at: 3 } });
  assert.equal((await lines.next()).value.id, 1);
  assert.equal((await lines.next()).value.id, 2);
  const error = await rejection(lines.next());
  assert.ok(error instanceof sdk.DecodeError);
  assert.match(error.message, /line 3/);
  assert.deepEqual(await ids(lines), [4]);
});

test("a stream that breaks off is an error", async () => {
  const session = new Session();
  await session.script("exports", "short");
  const client = session.client();
  const error = await rejection(ids(client.jsonLines(PATH, { query: { items: 100 } })));
  assert.ok(error instanceof sdk.ConnectionLostError, String(error));
  await idle(client);
});

test("until the head is there the call is retried", async () => {
  const session = new Session();
  await session.script("exports", "503", "reset");
  assert.deepEqual(await ids(session.client().jsonLines(PATH, { query: { items: 2 } })), [1, 2]);
  assert.equal((await session.journal()).length, 3);
});

test("leaving the loop, or a signal, ends the request", async () => {
  const session = new Session();
  const client = session.client();
  const query = { items: 1000, interval_ms: 20 };
  for await (const { id } of client.jsonLines(PATH, { query })) {
    assert.equal(id, 1);
    break;
  }
  const abort = new AbortController();
  const lines = client.jsonLines(PATH, { query, signal: abort.signal });
  await lines.next();
  abort.abort(new Error("enough"));
  assert.equal((await rejection(ids(lines))).message, "enough");
  await idle(client);
});

test("what is wrong is said before anything is sent", async () => {
  const session = new Session();
  const client = session.client();
  for (const [options, says] of [
    [{ idle: 5 }, /no option `idle`/],
    [{ idleTimeout: "x" }, /`idleTimeout` must be a number of milliseconds/],
    [{ idleTimeout: -1 }, /idleTimeout/],
    [{ maxLineBytes: -1 }, /maxLineBytes/],
    [{ method: "POST", body: new ReadableStream() }, /a stream/],
  ]) {
    const error = await rejection(client.jsonLines(PATH, options).next());
    assert.match(error.code, /^invalid_(request|config)$/);
    assert.match(error.message, says);
  }
  const long = await rejection(client.jsonLines(PATH, { maxLineBytes: 10 }).next());
  assert.equal(long.code, "protocol");
  assert.equal((await session.journal()).length, 1);
});
