/** A quota that processes share through Redis, with a `redis-server` of the test's own. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { after, test } from "node:test";
import { inspect } from "node:util";

import { Session } from "./gateway.mjs";
import { notOnFetch, ON_FETCH, sdk } from "./package.mjs";

const AWAY = "redis://:hunter2@127.0.0.1:1";

/** The URL of a Redis; `undefined` where there is no program. */
async function redis() {
  for (;;) {
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address();
    free.close();
    await once(free, "close");
    const server = spawn(
      "redis-server",
      ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
      {
        cwd: tmpdir(),
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    const [started] = await Promise.race([
      once(server, "spawn").then(() => [true]),
      once(server, "error").then(() => [false]),
    ]);
    if (!started) {
      return undefined;
    }
    after(() => server.kill("SIGKILL"));
    let said = "";
    for await (const piece of server.stdout.iterator({ destroyOnReturn: false })) {
      said += piece;
      if (said.includes("Ready to accept connections")) {
        server.stdout.resume();
        server.stdout.unref();
        return `redis://127.0.0.1:${port}`;
      }
    }
    // Somebody else took the port meanwhile, and it has ended.
    assert.match(said, /Address already in use/);
  }
}

const url = ON_FETCH ? undefined : await redis();
const withRedis =
  url === undefined ? { skip: ON_FETCH ? "over fetch: no sockets" : "there is no redis-server on the path" } : {};

test("clients share a quota", withRedis, async () => {
  const session = new Session();
  // A machine that is busy elsewhere is no Redis that is away.
  const quota = () => sdk.redisQuota(url, "50/s, burst 10", { name: "shared", timeout: 10_000 });
  const clients = [session.client({ quota: quota() }), session.client({ quota: quota() })];
  const begun = performance.now();
  const calls = Array.from({ length: 30 }, (_, at) => clients[at % 2].get("/v1/greeting"));
  const responses = await Promise.all(calls);
  assert.ok(performance.now() - begun > 500, "30 calls at 50 a second, the burst used up beforehand");
  assert.equal(responses[29].attempts[0].queuedFor, "shared quota");
  const { name, quota: shown, mode, processes, used, awayForMs } = clients[0].state().sharedQuota;
  assert.deepEqual(
    { name, shown, mode, processes, used, awayForMs },
    { name: "shared", shown: "50/s, burst 10", mode: "shared", processes: 2, used: 15, awayForMs: null },
  );
});

test("without Redis each keeps to its part", notOnFetch("no sockets"), async () => {
  const session = new Session();
  const client = session.client({ quota: sdk.redisQuota(AWAY, "100/s, burst 50", { assumedProcesses: 2 }) });
  const response = await client.get("/v1/greeting");
  assert.equal(response.attempts[0].queuedFor, "its part of the shared quota, whose store cannot be reached");
  assert.equal(client.state().sharedQuota.mode, "away");
});

test("who cannot make the deadline fails at once", notOnFetch("no sockets"), async () => {
  const session = new Session();
  const client = session.client({ quota: sdk.redisQuota(AWAY, "1/min") });
  await assert.rejects(client.get("/v1/greeting", { timeout: 5000 }), (error) => {
    assert.ok(error instanceof sdk.RateLimitedError);
    assert.ok(error.retryAfterMs > 60_000);
    assert.ok(!error.message.includes("hunter2"));
    return true;
  });
  assert.deepEqual(await session.journal(), []);
});

test("where there are no sockets, that is said", ON_FETCH ? {} : { skip: "there are sockets" }, () => {
  const quota = sdk.redisQuota(AWAY, "600/min");
  assert.throws(() => new sdk.Client("https://h.example", { quota }), {
    name: "InvalidConfigError",
    message: /no sockets to it/,
  });
});

test("what cannot be is refused, and no password is shown", () => {
  const refused = (make, message) => assert.throws(make, { name: "InvalidConfigError", message });
  refused(() => sdk.redisQuota(3, "600/min"), /`url` must be a string or a URL/);
  refused(() => sdk.redisQuota(AWAY, 600), /`quota` must be a string/);
  refused(() => sdk.redisQuota(AWAY, "600/min", { assumed: 3 }), /no option `assumed`/);
  refused(() => sdk.redisQuota(AWAY, "600/min", { ahead: "1" }), /`quota.ahead` must be a number/);
  refused(() => new sdk.Client("https://h.example", { quota: 3 }), /`quota` must be a string or what redisQuota/);
  if (!ON_FETCH) {
    const client = (quota) => () => new sdk.Client("https://h.example", { quota });
    refused(client(sdk.redisQuota("redis://:hunter2@h:port", "600/min")), /^(?!.*hunter2).*is no URL of a Redis/);
    refused(client(sdk.redisQuota(AWAY, "600")), /when expecting calls, a slash and a time/);
    refused(client(sdk.redisQuota(AWAY, "600/min", { ahead: 0 })), /`ahead` must be from 10 ms to 60 s/);
  }
  const quota = sdk.redisQuota(AWAY, "600/min", { name: "api" });
  assert.ok(!inspect(quota, { showHidden: true, depth: 9 }).includes("hunter2"));
  assert.deepEqual([quota.quota, quota.name], ["600/min", "api"]);
});
