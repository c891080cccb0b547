/** A signal ends its call at once, wherever that call is, and gives its place back. */

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";

import { idle, KEY, rejection, Session, until } from "./gateway.mjs";
import { notOnFetch, sdk } from "./package.mjs";

/** Aborts, and checks that the call is rejected at once, which is before the event loop's next turn, with the very reason. */
async function abortedAtOnce(abort, call) {
  const reason = new RangeError("not needed any more");
  const rejected = rejection(call);
  abort.abort(reason);
  const turn = new Promise((resolve) => setImmediate(() => resolve("the event loop's next turn")));
  assert.equal(await Promise.race([rejected, turn]), reason);
  assert.deepEqual(getEventListeners(abort.signal, "abort"), []);
}

const inFlight = (client) => client.state().limits.some((limits) => limits.inFlight > 0);

test("a signal that is aborted already: nothing is sent", async () => {
  const session = new Session();
  const client = session.client();
  const signal = AbortSignal.abort("why not");
  let read = false;
  async function* body() {
    read = true;
    yield "x";
  }
  assert.equal(await rejection(client.get("/v1/whoami", { signal })), "why not");
  assert.equal(await rejection(client.post("/v1/sink", { signal, body: body() })), "why not");
  assert.equal(await rejection(client.stream("GET", "/v1/whoami", { signal })), "why not");
  assert.equal(await rejection(client.pages("/v1/contacts", { signal }).next()), "why not");
  const plain = await rejection(client.get("/v1/whoami", { signal: AbortSignal.abort() }));
  assert.equal(plain.name, "AbortError");
  assert.equal(read, false);
  assert.deepEqual(await session.journal(), []);
});

test("in the moment in which it was begun", async () => {
  const session = new Session();
  const client = session.client();
  const abort = new AbortController();
  await abortedAtOnce(abort, client.get("/v1/whoami", { signal: abort.signal }));
  await idle(client);
});

test("while it is queued", async () => {
  const session = new Session();
  const client = session.client({ quota: "1/min, burst 1" });
  await client.get("/v1/whoami");
  const abort = new AbortController();
  const call = client.get("/v1/whoami", { signal: abort.signal, timeout: null });
  await until(() => client.state().limits[0].queued === 1);
  await abortedAtOnce(abort, call);
  await idle(client);
  assert.equal((await session.journal()).length, 1);
});

test("while it waits to be retried", async () => {
  const session = new Session();
  await session.faults({ random: { p: 1, kinds: ["503;ra=30"] } });
  const client = session.client({ retry: {} });
  const abort = new AbortController();
  const call = client.get("/v1/whoami", { signal: abort.signal });
  await until(() => client.state().budgetLeft < 500);
  await abortedAtOnce(abort, call);
  await idle(client);
  assert.equal((await session.journal()).length, 1);
});

test("while it connects", notOnFetch("a fetch cannot be told to wait for a connection"), async (t) => {
  // A queue of connections that is full: connecting takes for ever.
  const listener = createServer();
  await new Promise((resolve) => listener.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, resolve));
  const { port } = listener.address();
  listener.on("connection", (socket) => socket.pause());
  const fillers = Array.from({ length: 8 }, () => connect(port, "127.0.0.1").on("error", () => {}));
  t.after(() => {
    for (const filler of fillers) {
      filler.destroy();
    }
    listener.close();
  });
  const client = new sdk.Client(`https://127.0.0.1:${port}`, { connectTimeout: null });
  const abort = new AbortController();
  const call = client.get("/", { signal: abort.signal });
  await until(() => inFlight(client));
  await abortedAtOnce(abort, call);
  await idle(client);
});

test("while it waits for its answer", async () => {
  const session = new Session();
  const client = session.client();
  const abort = new AbortController();
  const call = client.get("/v1/delay/60000", { signal: abort.signal });
  await until(async () => (await session.journal()).length > 0 || inFlight(client));
  await abortedAtOnce(abort, call);
  await idle(client);
});

test("while it reads its answer", async () => {
  const session = new Session();
  const client = session.client();
  const abort = new AbortController();
  const call = client.get("/v1/drip?bytes=1000&interval_ms=1000", { signal: abort.signal });
  await until(() => inFlight(client));
  await new Promise((resolve) => setTimeout(resolve, 20));
  await abortedAtOnce(abort, call);
  await idle(client);
});

test("while it sends its body, and the stream is told so", async () => {
  const session = new Session();
  const client = session.client();
  const abort = new AbortController();
  let closed = false;
  let begun;
  const asked = new Promise((resolve) => {
    begun = resolve;
  });
  const body = new ReadableStream(
    {
      pull(controller) {
        controller.enqueue(new Uint8Array(1));
        begun();
        return new Promise((resolve) => setTimeout(resolve, 5));
      },
      cancel() {
        closed = true;
      },
    },
    { highWaterMark: 0 },
  );
  const call = client.post("/v1/sink", { signal: abort.signal, body });
  await asked;
  await abortedAtOnce(abort, call);
  await idle(client);
  await until(() => closed);
});

test("while its body is being read", async () => {
  const session = new Session();
  const client = session.client();
  const abort = new AbortController();
  const form = new FormData();
  form.set("a", "b");
  await abortedAtOnce(abort, client.post("/v1/sink", { signal: abort.signal, body: form }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(await session.journal(), []);
});

for (const [name, options] of [
  ["a token callback", (asked) => ({ auth: asked })],
  ["a hook", (asked) => ({ hooks: { beforeAttempt: asked } })],
]) {
  test(`while ${name} is asked`, async () => {
    const session = new Session();
    let begun = false;
    const client = session.client(
      options(() => {
        begun = true;
        return new Promise((resolve) => setTimeout(() => resolve(KEY), 60_000).unref());
      }),
    );
    const abort = new AbortController();
    const call = client.get("/v1/whoami", { signal: abort.signal });
    await until(() => begun);
    await abortedAtOnce(abort, call);
    await idle(client);
    assert.deepEqual(await session.journal(), []);
  });
}

test("while a stream waits for its head, and for its next piece", async () => {
  const session = new Session();
  const client = session.client();
  const first = new AbortController();
  const head = client.stream("GET", "/v1/delay/60000", { signal: first.signal });
  await until(() => inFlight(client));
  await abortedAtOnce(first, head);
  const second = new AbortController();
  const response = await client.stream("GET", "/v1/drip?bytes=100&interval_ms=60000", { signal: second.signal });
  const reading = response.text();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await abortedAtOnce(second, reading);
  await idle(client);
});

test("a stream on which nobody waits: the next read is rejected", async () => {
  const session = new Session();
  const client = session.client();
  const abort = new AbortController();
  const response = await client.stream("GET", "/v1/drip?bytes=100&interval_ms=60000", { signal: abort.signal });
  abort.abort("enough");
  await idle(client);
  assert.equal(await rejection(response.text()), "enough");
  assert.deepEqual(getEventListeners(abort.signal, "abort"), []);
});

test("while a page is under way", async () => {
  const session = new Session();
  await session.script("contacts.list", "ok", "hang");
  const client = session.client();
  const abort = new AbortController();
  const pages = client.pages("/v1/contacts", { query: { limit: 20 }, signal: abort.signal });
  await pages.next();
  const next = pages.next();
  await until(() => inFlight(client));
  await abortedAtOnce(abort, next);
  await idle(client);
  assert.deepEqual(await pages.next(), { done: true, value: undefined });
});

test("AbortSignal.timeout and AbortSignal.any", async () => {
  const session = new Session();
  const client = session.client();
  const late = await rejection(client.get("/v1/delay/60000", { signal: AbortSignal.timeout(20) }));
  assert.equal(late.name, "TimeoutError");
  assert.equal(late instanceof sdk.GatewrightError, false);
  const abort = new AbortController();
  const any = AbortSignal.any([abort.signal, AbortSignal.timeout(60_000)]);
  const call = client.get("/v1/delay/60000", { signal: any });
  abort.abort("one of them");
  assert.equal(await rejection(call), "one of them");
  await idle(client);
});

test("one signal ends all its calls, and no others", async () => {
  const session = new Session();
  const client = session.client();
  const abort = new AbortController();
  const calls = Array.from({ length: 30 }, () => rejection(client.get("/v1/delay/60000", { signal: abort.signal })));
  const other = client.get("/v1/delay/100");
  assert.equal(getEventListeners(abort.signal, "abort").length, 1);
  abort.abort("all of you");
  assert.deepEqual(await Promise.all(calls), Array(30).fill("all of you"));
  assert.ok((await other).ok);
  await idle(client);
});

test("aborting after the answer changes nothing", async () => {
  const session = new Session();
  const client = session.client();
  const abort = new AbortController();
  const response = await client.get("/v1/whoami", { signal: abort.signal });
  assert.deepEqual(getEventListeners(abort.signal, "abort"), []);
  abort.abort();
  assert.equal((await response.json()).tier, "unlimited");
});

test("a call that is aborted gives its place in the queue to the next", async () => {
  const session = new Session();
  const client = session.client({ quota: "1/s, burst 1", timeout: null });
  await client.get("/v1/whoami");
  const abort = new AbortController();
  const ended = Array.from({ length: 59 }, () => client.get("/v1/whoami", { signal: abort.signal }).catch(() => {}));
  const last = client.get("/v1/whoami");
  // All of them but those whose second has come meanwhile.
  await until(() => client.state().limits[0].queued > 40);
  abort.abort();
  const begun = performance.now();
  assert.ok((await last).ok);
  // Behind those that are gone it would have waited for a minute.
  assert.ok(performance.now() - begun < 20_000);
  await Promise.all(ended);
});
