/** Breaker, attempts at once, regions, hedging and explanations. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { gateway, rejection, Session, until } from "./gateway.mjs";
import { sdk } from "./package.mjs";

const PATH = "/v1/contacts/ct_000001";

test("a host that fails is left alone, and the state says so", async () => {
  const session = new Session();
  await session.script("contacts.get", "503", "503");
  const client = session.client({ retry: false, breaker: { minimumCalls: 2, openMs: 60_000 } });
  await rejection(client.get(PATH));
  await rejection(client.get(PATH));
  const error = await rejection(client.get(PATH));
  assert.ok(error instanceof sdk.CircuitOpenError);
  assert.equal(error.code, "circuit_open");
  assert.ok(error.retryAfterMs > 50_000);
  assert.deepEqual(error.attempts, []);
  assert.equal((await session.journal()).length, 2);
  const { breaker } = client.state();
  assert.equal(breaker.state, "open");
  assert.equal(breaker.failures, 2);
  assert.equal(breaker.lastFailure, "503");
});

test("no more attempts than allowed are under way", async () => {
  const session = new Session();
  const client = session.client({ maxConcurrency: 1, pacing: false });
  const abort = new AbortController();
  const first = rejection(client.get("/v1/delay/60000", { signal: abort.signal }));
  const waiting = client.get(PATH);
  await until(() => client.state().concurrency.queued === 1);
  abort.abort();
  await first;
  const second = await waiting;
  assert.equal(second.attempts[0].queuedFor, "limit of calls at once");
  assert.deepEqual(client.state().concurrency, { limit: 1, inFlight: 0, queued: 0 });
});

test("another region gets the call where no connection can be made", async () => {
  const session = new Session();
  // Nobody listens there, and fetch does not refuse the port by itself.
  const client = new sdk.Client("http://127.0.0.1:4", session.options({ regions: [new URL(gateway.url)] }));
  const response = await client.get(PATH);
  assert.equal(response.attempts.at(-1).region, new URL(gateway.url).host);
  assert.deepEqual(
    client.state().regions.map(({ healthy }) => healthy),
    [false, true],
  );
});

test("a slow answer is asked for twice", async () => {
  const session = new Session();
  await session.script("contacts.get", "latency=60000", "ok");
  const response = await session.client().get(PATH, { hedge: { afterMs: 100 } });
  assert.equal(response.attempts.length, 2);
  assert.equal(response.attempts[1].hedge, true);
  // Whichever of them comes first is the slow one.
  assert.deepEqual(response.attempts.map(({ status, error }) => status ?? error).sort(), [200, "cancelled"]);
});

test("explain says what would be done, and sends nothing", async () => {
  const session = new Session();
  const client = session.client({ retry: 3 });
  const told = client.explain({ status: 503, headers: { "retry-after": "2" } });
  assert.equal(told.decision, "retry");
  assert.equal(told.leastWaitMs, 2000);
  assert.match(told.text, /^retry in 2 s/);
  assert.equal(
    client.explain({ failure: "connection_lost", method: "POST", idempotencyKey: false }).code,
    "outcome_unknown",
  );
  assert.equal((await session.journal()).length, 0);
  assert.throws(() => client.explain({ status: 12 }), sdk.InvalidRequestError);
  assert.throws(() => client.explain({ status: 200, color: 1 }), /no option `color`/);
  assert.throws(() => client.explain(503), sdk.InvalidRequestError);
});

test("what is no setting is refused", () => {
  const session = new Session();
  for (const [options, says] of [
    [{ breaker: 5 }, /`breaker` must be true, false or an object/],
    [{ breaker: { failureRate: 2 } }, /failureRate` is 2/],
    [{ breaker: { rate: 1 } }, /no option `rate`/],
    [{ maxConcurrency: 0 }, /`maxConcurrency` is 0/],
    [{ regions: "x" }, /`regions` must be a list/],
    [{ regions: ["x"] }, /a base URL of `regions` is no URL/],
    [{ hedge: true }, /`hedge` must be/],
    [{ hedge: { afterMs: 0 } }, /`hedge` is after zero seconds/],
  ]) {
    assert.throws(() => session.client(options), says, JSON.stringify(options));
  }
});
