/** Token callbacks and hooks. */

import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { test } from "node:test";

import { idle, KEY, rejection, Session } from "./gateway.mjs";
import { nodeOnly, sdk } from "./package.mjs";

test("a token is fetched once, however many calls wait for it", async () => {
  const session = new Session();
  let asked = 0;
  const client = session.client({
    async auth() {
      asked += 1;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { token: KEY, expiresInMs: 3_600_000 };
    },
  });
  await Promise.all(Array.from({ length: 50 }, () => client.get("/v1/whoami")));
  await client.get("/v1/whoami");
  assert.equal(asked, 1);
});

test("nothing is asked before the first call", () => {
  const session = new Session();
  let asked = 0;
  session.client({
    auth() {
      asked += 1;
      return KEY;
    },
  });
  assert.equal(asked, 0);
});

test("a token that is refused is fetched anew, once", async () => {
  const session = new Session();
  const { token } = await session.admin("POST", "tokens", { tier: "pro", tenant: "acme", ttl_ms: 1 });
  await session.admin("POST", "clock", { advance_ms: 10 });
  const tokens = [token, "sk_test_pro_acme"];
  const client = session.client({ auth: () => tokens.shift() });
  const answers = await Promise.all(Array.from({ length: 10 }, () => client.get("/v1/whoami")));
  assert.ok(answers.every((answer) => answer.ok));
  assert.deepEqual(tokens, []);
});

for (const [name, callback, thrown] of [
  [
    "throws",
    () => {
      throw new RangeError("the vault is shut");
    },
    RangeError,
  ],
  ["is rejected", () => Promise.reject(new RangeError("the vault is shut")), RangeError],
  ["gives nothing", () => undefined, TypeError],
  ["gives a number", () => 5, TypeError],
  ["gives a token without text", () => ({ token: 5 }), TypeError],
  ["gives a wrong time", () => ({ token: KEY, expiresInMs: Number.NaN }), TypeError],
]) {
  test(`a token callback that ${name} is a TokenError with that cause`, async () => {
    const session = new Session();
    const error = await rejection(session.client({ auth: callback }).get("/v1/whoami"));
    assert.ok(error instanceof sdk.TokenError, String(error));
    assert.ok(error.cause instanceof thrown);
    assert.ok(error.message.includes(error.cause.message), error.message);
    assert.deepEqual(await session.journal(), []);
  });
}

test("all that wait for a token have the very same cause", async () => {
  const session = new Session();
  const thrown = { not: "an Error" };
  const client = session.client({
    async auth() {
      await new Promise((resolve) => setTimeout(resolve, 5));
      throw thrown;
    },
  });
  const errors = await Promise.all(Array.from({ length: 20 }, () => rejection(client.get("/v1/whoami"))));
  for (const error of errors) {
    assert.ok(error instanceof sdk.TokenError, String(error));
    assert.equal(error.cause, thrown);
  }
});

test("a token callback may use another client", async () => {
  const session = new Session();
  const other = session.client();
  const client = session.client({
    auth: async () => ((await (await other.get("/v1/whoami")).json()).tier === "unlimited" ? KEY : ""),
  });
  assert.ok((await client.get("/v1/whoami")).ok);
});

test("hooks see every attempt, and no credential", async () => {
  const session = new Session();
  await session.script("whoami", "503", "reset", "ok");
  const before = [];
  const after = [];
  const client = session.client({
    hooks: {
      beforeAttempt(attempt) {
        assert.ok(attempt.headers instanceof Headers);
        before.push([attempt.number, attempt.method, attempt.url, attempt.headers.get("authorization")]);
        attempt.headers.set("X-Trace", `attempt-${attempt.number}`);
      },
      async afterAttempt(attempt) {
        await new Promise((resolve) => setImmediate(resolve));
        after.push([
          attempt.number,
          attempt.status,
          attempt.headers?.get("request-id") ?? null,
          attempt.error === null,
        ]);
        assert.ok(attempt.tookMs >= 0);
      },
    },
  });
  const response = await client.get("/v1/whoami");
  assert.deepEqual(
    before,
    [1, 2, 3].map((number) => [number, "GET", `${session.url}/v1/whoami`, null]),
  );
  assert.deepEqual(await session.headerOf("x-trace"), ["attempt-1", "attempt-2", "attempt-3"]);
  assert.deepEqual(
    after.map(([number, status, , fine]) => [number, status, fine]),
    [
      [1, 503, true],
      [2, null, false],
      [3, 200, true],
    ],
  );
  assert.equal(after[2][2], response.requestId);
});

test("a hook may take a header away, and set an authorization that wins", async () => {
  const session = new Session();
  const client = session.client({
    headers: { "x-gone": "1" },
    hooks: {
      beforeAttempt({ headers }) {
        headers.delete("x-gone");
        headers.set("authorization", "Bearer sk_test_pro_globex");
      },
    },
  });
  assert.equal((await (await client.get("/v1/whoami")).json()).tenant, "globex");
  assert.deepEqual(await session.headerOf("x-gone"), [undefined]);
});

for (const hook of ["beforeAttempt", "afterAttempt"]) {
  test(`what ${hook} throws is the cause of a HookError`, async () => {
    const session = new Session();
    const thrown = new RangeError("not today");
    const client = session.client({
      hooks: {
        [hook]() {
          throw thrown;
        },
      },
    });
    const error = await rejection(client.get("/v1/whoami"));
    assert.ok(error instanceof sdk.HookError, String(error));
    assert.equal(error.cause, thrown);
    assert.match(error.message, /not today/);
    assert.equal((await session.journal()).length, hook === "beforeAttempt" ? 0 : 1);
    await idle(client);
  });
}

test("a hook that sets a header which cannot be is a HookError", async () => {
  const session = new Session();
  const client = session.client({ hooks: { beforeAttempt: ({ headers }) => headers.set("a b", "c") } });
  const error = await rejection(client.get("/v1/whoami"));
  assert.ok(error instanceof sdk.HookError, String(error));
  assert.ok(error.cause instanceof TypeError);
  assert.deepEqual(await session.journal(), []);
});

test("what is thrown may be anything", async () => {
  const session = new Session();
  for (const thrown of [undefined, null, 5, "text", Symbol("symbol"), Object.create(null)]) {
    const client = session.client({
      hooks: {
        beforeAttempt() {
          throw thrown;
        },
      },
    });
    const error = await rejection(client.get("/v1/whoami"));
    assert.ok(error instanceof sdk.HookError, String(error));
    assert.ok("cause" in error);
    assert.equal(error.cause, thrown);
  }
});

test("a callback that never answers ends with the deadline", async () => {
  const session = new Session();
  const never = () => new Promise(() => {});
  for (const options of [{ auth: never }, { hooks: { beforeAttempt: never } }]) {
    const client = session.client({ timeout: 30, ...options });
    const error = await rejection(client.get("/v1/whoami"));
    assert.ok(error instanceof sdk.TimeoutError, String(error));
    await idle(client);
  }
});

test("callbacks of a client that is not held any more are still called for its calls", async () => {
  const session = new Session();
  let asked = 0;
  const answers = Array.from({ length: 20 }, () =>
    session
      .client({
        async auth() {
          await new Promise((resolve) => setTimeout(resolve, 1));
          asked += 1;
          return KEY;
        },
      })
      .get("/v1/whoami"),
  );
  const { collectGarbage } = await import("./garbage.mjs");
  collectGarbage();
  assert.ok((await Promise.all(answers)).every((answer) => answer.ok));
  assert.equal(asked, 20);
});

test("hooks and token callbacks run in the call's async context", nodeOnly("a browser has none"), async () => {
  const session = new Session();
  const context = new AsyncLocalStorage();
  const seen = [];
  const client = session.client({ hooks: { beforeAttempt: () => void seen.push(context.getStore()) } });
  await Promise.all([1, 2, 3].map((number) => context.run(number, () => client.get("/v1/whoami"))));
  assert.deepEqual(seen.sort(), [1, 2, 3]);
});
