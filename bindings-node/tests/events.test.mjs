/** Streams of server-sent events. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { idle, rejection, Session } from "./gateway.mjs";
import { sdk } from "./package.mjs";

const NINE = [1, 2, 3, 4, 5, 6, 7, 8, 9];

async function ticks(events) {
  const found = [];
  for await (const event of events) {
    found.push(event.json().tick);
  }
  return found;
}

test("events come as they were sent", async () => {
  const session = new Session();
  const events = session.client().events("/v1/ticks", { query: { count: 2, interval_ms: 2 } });
  assert.ok(events instanceof sdk.ServerEvents);
  const found = [];
  for await (const event of events) {
    assert.ok(event instanceof sdk.ServerEvent);
    found.push({ ...event });
  }
  assert.deepEqual(found, [
    { event: "tick", data: '{"tick":1}', id: "1" },
    { event: "tick", data: '{"tick":2}', id: "2" },
  ]);
  assert.equal(events.lastEventId, "2");
});

test("nothing is sent before the first event is asked for", async () => {
  const session = new Session();
  const events = session.client().events("/v1/ticks", { query: { count: 2, interval_ms: 2 } });
  assert.equal((await session.journal()).length, 0);
  assert.equal((await events.next()).value.id, "1");
  await events.return();
});

for (const fault of ["short", "fin@420", "reset@420"]) {
  test(`no event is lost or doubled where a connection breaks: ${fault}`, async () => {
    const session = new Session();
    await session.script("ticks", fault, "ok");
    const client = session.client();
    assert.deepEqual(await ticks(client.events("/v1/ticks", { query: { count: 9, interval_ms: 2 } })), NINE);
    assert.ok((await session.journal()).length >= 2);
    await idle(client);
  });
}

test("a stream begins after the event that is named", async () => {
  const session = new Session();
  const query = { count: 4, interval_ms: 2 };
  assert.deepEqual(await ticks(session.client().events("/v1/ticks", { query, lastEventId: "2" })), [3, 4]);
});

test("leaving the loop ends the request", async () => {
  const session = new Session();
  const client = session.client();
  const events = client.events("/v1/ticks", { query: { count: 1000, interval_ms: 2 } });
  for await (const event of events) {
    assert.equal(event.id, "1");
    break;
  }
  assert.deepEqual(await events.next(), { done: true, value: undefined });
  await idle(client);
});

test("returning ends a wait", async () => {
  const session = new Session();
  const events = session.client().events("/v1/ticks", { query: { count: 10, interval_ms: 60_000 } });
  const first = events.next();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await events.return();
  assert.deepEqual(await first, { done: true, value: undefined });
});

test("aborting ends a wait with the signal's reason", async () => {
  const session = new Session();
  const abort = new AbortController();
  const { signal } = abort;
  const events = session.client().events("/v1/ticks", { query: { count: 10, interval_ms: 60_000 }, signal });
  const first = rejection(events.next());
  await new Promise((resolve) => setTimeout(resolve, 20));
  const reason = new Error("enough");
  abort.abort(reason);
  assert.equal(await first, reason);
  assert.deepEqual(await events.next(), { done: true, value: undefined });
});

test("several who ask at once get events in order", async () => {
  const session = new Session();
  const events = session.client().events("/v1/ticks", { query: { count: 3, interval_ms: 2 } });
  const all = await Promise.all([events.next(), events.next(), events.next(), events.next()]);
  assert.deepEqual(
    all.map(({ value }) => value?.id),
    ["1", "2", "3", undefined],
  );
});

test("silence is an error where the stream cannot be resumed", async () => {
  const session = new Session();
  const query = { count: 2, interval_ms: 60_000 };
  const error = await rejection(session.client().events("/v1/ticks", { query, idleTimeout: 50 }).next());
  assert.ok(error instanceof sdk.TimeoutError);
  assert.match(error.message, /idleTimeout/);
});

test("what is no stream of events is an error", async () => {
  const session = new Session();
  const error = await rejection(session.client().events("/v1/contacts").next());
  assert.ok(error instanceof sdk.ProtocolError);
  assert.match(error.message, /text\/event-stream/);
});

test("wrong options are refused before anything is sent", async () => {
  const session = new Session();
  const client = session.client();
  for (const [options, what] of [
    [{ idleTimout: 5 }, /has no option `idleTimout`; `idleTimeout` may be meant/],
    [{ idleTimeout: "5" }, /`idleTimeout` must be a number/],
    [{ lastEventId: 5 }, /`lastEventId` must be a string/],
    [{ method: 5 }, /the method must be a string/],
    [{ method: "POST", body: new ReadableStream() }, /`body` is a stream/],
  ]) {
    const error = await rejection(client.events("/v1/ticks", options).next());
    assert.ok(error instanceof sdk.InvalidRequestError, String(error));
    assert.match(error.message, what);
  }
  assert.equal((await session.journal()).length, 0);
});

test("data that is no JSON is a DecodeError", async () => {
  const session = new Session();
  const { value } = await session
    .client()
    .events("/v1/ticks", { query: { count: 1, interval_ms: 1 } })
    .next();
  const broken = Object.assign(Object.create(Object.getPrototypeOf(value)), { data: "{" });
  assert.throws(() => broken.json(), sdk.DecodeError);
});
