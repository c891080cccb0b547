/** Trace contexts, and observers. */

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";

import { rejection, Session } from "./gateway.mjs";
import { nodeOnly, sdk } from "./package.mjs";

const PATH = "/v1/contacts/ct_000001";
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;

test("each attempt is a span of its own in the caller's trace", async () => {
  const session = new Session();
  await session.script("contacts.get", "503", "ok");
  await session.client().get(PATH, {
    traceContext: { traceparent: PARENT, tracestate: "vendor=1" },
    urlTemplate: "/v1/contacts/{id}",
  });
  const parents = await session.headerOf("traceparent");
  assert.equal(parents.length, 2);
  assert.equal(new Set(parents).size, 2);
  for (const parent of parents) {
    assert.match(parent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
    assert.notEqual(parent, PARENT);
  }
  assert.deepEqual(await session.headerOf("tracestate"), ["vendor=1", "vendor=1"]);
});

test("a client asks for the trace of each call where the call does not say it", async () => {
  const session = new Session();
  let trace = { traceparent: PARENT };
  const client = session.client({ traceContext: () => trace });
  await client.get(PATH);
  await client.stream("GET", PATH).then((answer) => answer.bytes());
  await client.pages("/v1/contacts", { query: { limit: 1 } }).next();
  await client.get(PATH, { traceContext: null });
  for (trace of [undefined, null, {}, { traceparent: "" }]) {
    await client.get(PATH);
  }
  const parents = await session.headerOf("traceparent");
  assert.ok(parents.slice(0, 3).every((parent) => parent.includes(TRACE)));
  assert.deepEqual(parents.slice(3), Array(5).fill(undefined));
});

test("the trace is that of the caller's own context", nodeOnly("no AsyncLocalStorage in pages"), async () => {
  const session = new Session();
  const active = new AsyncLocalStorage();
  const client = session.client({ traceContext: () => active.getStore() });
  const traces = ["1".repeat(32), "2".repeat(32)];
  await Promise.all(
    traces.map((trace) => active.run({ traceparent: `00-${trace}-b7ad6b7169203331-01` }, () => client.get(PATH))),
  );
  const sent = (await session.headerOf("traceparent")).map((parent) => parent.slice(3, 35)).sort();
  assert.deepEqual(sent, traces);
});

test("what is no trace is refused before anything is sent", async () => {
  const session = new Session();
  const client = session.client();
  for (const [traceContext, says] of [
    ["x", /`traceContext` must be \{ traceparent, tracestate \}/],
    [{ traceparent: "x" }, /traceparent/],
    [{ parent: PARENT }, /no option `parent`/],
  ]) {
    const error = await rejection(client.get(PATH, { traceContext }));
    assert.ok(error instanceof sdk.InvalidRequestError, String(error));
    assert.match(error.message, says);
  }
  assert.throws(() => session.client({ traceContext: { traceparent: PARENT } }), /`traceContext` must be a function/);
  assert.deepEqual(await session.journal(), []);
});

/** An observer that keeps what it is told. */
function recorder(gives = () => undefined) {
  const told = [];
  return {
    told,
    observer: {
      callStarted: (call) => void told.push(["callStarted", call]),
      attemptStarted: (attempt) => {
        told.push(["attemptStarted", attempt]);
        return gives(attempt);
      },
      attemptEnded: (attempt) => void told.push(["attemptEnded", attempt]),
      callEnded: (call, outcome) => void told.push(["callEnded", call, outcome]),
    },
  };
}

test("an observer is told of a call and its attempts, and names the span that goes along", async () => {
  const session = new Session();
  await session.script("contacts.get", "503", "reset", "ok");
  const span = (number) => `00-${TRACE}-${String(number).padStart(16, "0")}-01`;
  const { told, observer } = recorder(({ number }) => ({ traceparent: span(number), tracestate: "v=1" }));
  const client = session.client({ observer });
  await client.get(PATH, { urlTemplate: "/v1/contacts/{id}" });
  const call = told[0][1];
  assert.deepEqual(
    told.map(([what]) => what),
    ["callStarted", ...Array(3).fill(["attemptStarted", "attemptEnded"]).flat(), "callEnded"],
  );
  assert.deepEqual({ ...call, id: 0 }, { id: 0, method: "GET", path: PATH, urlTemplate: "/v1/contacts/{id}" });
  for (const [what, about] of told) {
    assert.equal(what.startsWith("call") ? about : about.call, call);
  }
  const ended = told.filter(([what]) => what === "attemptEnded").map(([, attempt]) => attempt);
  assert.deepEqual(
    ended.map(({ number, status, error }) => [number, status, error === null]),
    [
      [1, 503, true],
      [2, null, false],
      [3, 200, true],
    ],
  );
  assert.ok(ended.every(({ url, tookMs }) => url.endsWith(PATH) && tookMs >= 0));
  const outcome = told.at(-1)[2];
  assert.equal(outcome.status, 200);
  assert.equal(outcome.error, null);
  assert.equal(outcome.attempts.length, 3);
  assert.ok(outcome.elapsedMs > 0);
  assert.deepEqual(await session.headerOf("traceparent"), [span(1), span(2), span(3)]);
});

test("an observer is told how each kind of call ends", async () => {
  const session = new Session();
  const { told, observer } = recorder();
  const client = session.client({ observer });
  await rejection(client.get("/v1/contacts/nobody"));
  await (await client.stream("GET", PATH)).bytes();
  await (await client.download(PATH)).bytes();
  await client.upload("/v1/sink", "plain", { method: "PUT" });
  const abort = new AbortController();
  const aborted = rejection(client.get("/v1/delay/60000", { signal: abort.signal }));
  abort.abort();
  await aborted;
  await rejection(client.get(PATH, { unknown: 1 }));
  const outcomes = told.filter(([what]) => what === "callEnded");
  assert.deepEqual(
    outcomes.map(([, { method }, { status, error }]) => [method, status, error]),
    [
      ["GET", 404, "not_found"],
      ["GET", 200, null],
      ["GET", 200, null],
      ["PUT", 200, null],
      ["GET", null, "cancelled"],
      ["GET", null, "invalid_request"],
    ],
  );
  for await (const _ of client.items("/v1/contacts", { query: { limit: 45 } })) {
    break;
  }
  assert.equal(told.at(-1)[1].call, null);
});

test("hooks and observers go together, and an observer that throws changes nothing", async () => {
  const session = new Session();
  const seen = [];
  const client = session.client({
    hooks: {
      beforeAttempt: ({ headers }) => headers.set("traceparent", PARENT),
      afterAttempt: ({ status }) => void seen.push(status),
    },
    observer: {
      callStarted() {
        throw new Error("callStarted");
      },
      attemptStarted() {
        throw new Error("attemptStarted");
      },
      attemptEnded() {
        throw new Error("attemptEnded");
      },
      callEnded() {
        throw new Error("callEnded");
      },
    },
  });
  const warnings = [];
  const listen = (warning) => warnings.push(warning.message);
  process.on("warning", listen);
  assert.equal((await client.get(PATH)).status, 200);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", listen);
  assert.deepEqual(seen, [200]);
  assert.deepEqual(await session.headerOf("traceparent"), [PARENT]);
  for (const what of ["callStarted", "attemptStarted", "attemptEnded", "callEnded"]) {
    assert.ok(warnings.some((warning) => warning.includes(what)));
  }
  assert.throws(() => session.client({ observer: { attempts() {} } }), /`observer` has no option `attempts`/);
  assert.throws(() => session.client({ observer: { callStarted: 5 } }), /`observer.callStarted` must be a function/);
  assert.throws(() => session.client({ observer: 5 }), /`observer` must be an object/);
});
