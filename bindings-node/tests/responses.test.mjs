/** Answers that were read whole. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";

import { rejection, Session } from "./gateway.mjs";
import { sdk } from "./package.mjs";

test("an answer has everything, any number of times", async () => {
  const session = new Session();
  const response = await session.client().get("/v1/contacts/ct_000001");
  assert.ok(response instanceof sdk.Response);
  assert.equal(response.status, 200);
  assert.equal(response.ok, true);
  assert.equal(response.method, "GET");
  assert.equal(response.url, `${session.url}/v1/contacts/ct_000001`);
  assert.ok(response.headers instanceof Headers);
  assert.match(response.headers.get("Content-Type"), /^application\/json/);
  assert.equal(response.requestId, response.headers.get("request-id"));
  assert.ok(response.elapsedMs > 0 && response.elapsedMs < 10_000);
  const contact = await response.json();
  assert.equal(contact.id, "ct_000001");
  assert.deepEqual(await response.json(), contact);
  assert.notEqual(await response.json(), contact);
  const text = await response.text();
  assert.deepEqual(JSON.parse(text), contact);
  const bytes = await response.bytes();
  assert.equal(bytes.constructor, Uint8Array);
  assert.deepEqual(Buffer.from(bytes).toString(), text);
  bytes.fill(0);
  assert.equal(Buffer.from(await response.arrayBuffer()).toString(), text);
  const blob = await response.blob();
  assert.equal(await blob.text(), text);
  assert.match(blob.type, /^application\/json/);
});

test("the body as a stream and as an iterable, a new one each time", async () => {
  const session = new Session();
  const response = await session.client().get("/v1/bytes/50000");
  const sum = response.headers.get("x-content-sha256");
  for (let time = 0; time < 2; time++) {
    const hash = createHash("sha256");
    for await (const chunk of response) {
      hash.update(chunk);
    }
    assert.equal(hash.digest("hex"), sum);
    const whole = await new Response(response.body).arrayBuffer();
    assert.equal(createHash("sha256").update(Buffer.from(whole)).digest("hex"), sum);
  }
});

for (const size of [0, 1, 16_383, 16_384, 16_385, 65_536, 1_000_000, 20_000_000]) {
  test(`a body of ${size} bytes is as it was sent`, async () => {
    const session = new Session();
    const response = await session.client().get(`/v1/bytes/${size}`);
    const bytes = await response.bytes();
    assert.equal(bytes.length, size);
    assert.equal(bytes.constructor, Uint8Array);
    const expected = response.headers.get("x-content-sha256");
    for (const read of [bytes, await response.bytes(), Buffer.from(await response.arrayBuffer())]) {
      assert.equal(createHash("sha256").update(read).digest("hex"), expected);
    }
    assert.equal(
      createHash("sha256")
        .update(Buffer.from(await (await response.blob()).arrayBuffer()))
        .digest("hex"),
      expected,
    );
  });
}

test("many answers at once do not mix", async () => {
  const session = new Session();
  const client = session.client();
  const numbers = Array.from({ length: 300 }, (_, at) => at);
  const answers = await Promise.all(
    numbers.map((number) => client.post("/v1/echo", { json: { number, filler: "ü".repeat(number * 97) } })),
  );
  for (const [number, answer] of answers.entries()) {
    const echo = await answer.json();
    assert.equal(JSON.parse(Buffer.from(echo.body_base64, "base64").toString()).number, number);
    assert.equal(answer.requestId, answer.headers.get("request-id"));
  }
  assert.equal(new Set(answers.map((answer) => answer.requestId)).size, 300);
});

test("text that is not ASCII, with a byte order mark and with wrong bytes", async () => {
  const session = new Session();
  const client = session.client();
  const contact = await (await client.post("/v1/contacts", { json: { name: "Zoë \u{1f980} \u0000" } })).json();
  assert.equal(contact.name, "Zoë \u{1f980} \u0000");
  await session.script("whoami", '418;body="\ufeff{}"', '418;body="\ufeff"');
  const marked = await client.get("/v1/whoami", { throwOnError: false });
  assert.equal(await marked.text(), "{}");
  assert.deepEqual(await marked.json(), {});
});

test("a body that is no JSON is a DecodeError that says which answer it was", async () => {
  const session = new Session();
  const client = session.client();
  const response = await client.get("/v1/lines/2");
  const error = await rejection(response.json());
  assert.ok(error instanceof sdk.DecodeError, String(error));
  assert.equal(error.code, "decode");
  assert.equal(error.status, 200);
  assert.equal(error.requestId, response.requestId);
  assert.ok(error.cause instanceof SyntaxError);
  assert.ok(
    error.message.startsWith(`decode: GET ${session.url}/v1/lines/2 answered 200`) ||
      error.message.includes("a body that is no JSON"),
    error.message,
  );
  assert.equal((await response.text()).split("\n").length, 3);
  const empty = await client.delete("/v1/contacts/ct_000002");
  assert.equal(empty.status, 204);
  assert.equal(await empty.text(), "");
  assert.ok((await rejection(empty.json())) instanceof sdk.DecodeError);
});

test("attempts and the timeline tell what was done", async () => {
  const session = new Session();
  await session.script("whoami", "503", "reset", "ok");
  const response = await session.client().get("/v1/whoami");
  const [first, second, third] = response.attempts;
  assert.equal(response.attempts.length, 3);
  assert.deepEqual([first.number, first.status, first.decision], [1, 503, "retry"]);
  assert.deepEqual([second.number, second.status, second.decision], [2, null, "retry"]);
  assert.match(second.error, /connection/);
  assert.deepEqual([third.number, third.status, third.decision, third.error], [3, 200, "return", null]);
  assert.ok(first.startedMs < second.startedMs && second.startedMs < third.startedMs);
  assert.ok(first.waitMs >= 0 && third.waitMs === null);
  assert.ok(third.budgetLeft < 500);
  assert.deepEqual(Object.keys(first).sort(), [
    "budgetLeft",
    "decision",
    "error",
    "number",
    "queuedFor",
    "queuedMs",
    "reason",
    "requestId",
    "retryAfterMs",
    "startedMs",
    "status",
    "tookMs",
    "waitMs",
  ]);
  const lines = response.timeline().trimEnd().split("\n");
  assert.equal(lines.length, 3);
  assert.match(lines[0], /#1 at [\d.]+ m?s: 503 .* -> retry/);
  assert.match(lines[2], /#3 .*: 200 .* -> return/);
});

test("redirects of the same origin are followed, and the URL is the last one's", async () => {
  const session = new Session();
  const response = await session.client().get("/v1/redirect/302?to=/v1/whoami");
  assert.equal(response.status, 200);
  assert.equal(response.url, `${session.url}/v1/whoami`);
});

test("an error status can be an answer", async () => {
  const session = new Session();
  const client = session.client({ throwOnError: false });
  const response = await client.get("/v1/contacts/nope");
  assert.deepEqual([response.status, response.ok], [404, false]);
  assert.equal((await response.json()).code, "not_found");
  await assert.rejects(client.get("/v1/contacts/nope", { throwOnError: true }), sdk.NotFoundError);
});

test("an answer shows itself shortly", async () => {
  const session = new Session();
  const response = await session.client().get("/v1/whoami?secret=in-the-query");
  const shown = inspect(response, { breakLength: 200 });
  assert.match(shown, /^Response \{ status: 200, method: 'GET', requestId: '[^']+', elapsedMs: [\d.]+ \}$/);
  assert.equal(String(response), "[object Response]");
});

test("state tells budget and limits", async () => {
  const session = new Session();
  const client = session.client({ auth: "sk_test_free_acme" });
  const before = client.state();
  assert.deepEqual([before.budgetLeft, before.budgetCapacity], [500, 500]);
  for (let call = 0; call < 5; call++) {
    await client.get("/v1/whoami");
  }
  const { limits } = client.state();
  assert.equal(limits.length, 1);
  assert.deepEqual([limits[0].inFlight, limits[0].queued, limits[0].pausedForMs], [0, 0, null]);
  const burst = limits[0].quotas.find((quota) => quota.policy === "burst");
  assert.equal(burst.limit, 10);
  // One comes back each second.
  assert.ok(burst.remaining >= 5 && burst.remaining < 10, `${burst.remaining} are left`);
  assert.equal(burst.windowMs, 10_000);
  assert.equal(typeof burst.nextInMs, "number");
  assert.equal(burst.shared, false);
});

test("a closed client refuses calls, and those under way go on", async () => {
  const session = new Session();
  const client = session.client();
  const under = client.get("/v1/delay/50");
  await new Promise((resolve) => setTimeout(resolve, 10));
  client.close();
  client.close();
  const error = await rejection(client.get("/v1/whoami"));
  assert.ok(error instanceof sdk.ClosedError);
  assert.equal(error.message, "closed: the client is closed; make a new client, or close this one later");
  assert.ok((await under).ok);
});
