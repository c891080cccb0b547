/**
 * An AbortSignal ends a call in a page: at once, which is before the event loop's next turn, on the wire too, and its place in line is
 * free again.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, openPage } from "./chromium.mjs";
import { Gateway } from "./gateway.mjs";
import { site } from "./site.mjs";

let browser;
let own;

before(async () => {
  own = await site();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await own?.close();
});

/** A server that holds every answer back, or only the rest of its body: `arrived` and `gone` say what became of a request. */
async function holding(body) {
  const arrived = resolvers();
  const gone = resolvers();
  const started = await site({
    answer(request, response) {
      response.on("close", () => gone.resolve(response.writableFinished));
      if (body !== undefined) {
        response.writeHead(200, { "access-control-allow-origin": "*" });
        response.write(body);
      }
      arrived.resolve(request.url);
      return true;
    },
  });
  return Object.assign(started, { arrived: arrived.promise, gone: gone.promise });
}

function resolvers() {
  let resolve;
  const promise = new Promise((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Begins a call that is aborted by `abort()`, which tells how it ended, or that it did not before the event loop's next turn. */
async function begin(page, url, options, kind = "get") {
  await page.evaluate(
    ([url, options, kind]) => {
      const controller = new AbortController();
      const client = new globalThis.gatewright.Client(url, options);
      globalThis.client = client;
      const reason = new Error("enough");
      const ended = async () => {
        try {
          const answer =
            kind === "stream"
              ? await client.stream("GET", "/held", { signal: controller.signal })
              : await client.get("/held", { signal: controller.signal });
          await answer.text();
          return "it was answered";
        } catch (error) {
          return error === reason ? "the reason" : `${error.name}: ${error.message}`;
        }
      };
      const outcome = ended();
      globalThis.abort = () => {
        const { port1, port2 } = new MessageChannel();
        const turn = new Promise((resolve) => {
          port1.onmessage = () => resolve("not at once");
        });
        port2.postMessage("");
        controller.abort(reason);
        return Promise.race([outcome, turn]);
      };
    },
    [url, options, kind],
  );
}

test("a call that waits for its answer ends at once, and its request ends on the wire", async () => {
  const server = await holding();
  const page = await openPage(browser, own.url);
  await begin(page, server.url, {});
  assert.equal(await server.arrived, "/held");
  const how = await page.evaluate(() => globalThis.abort());
  assert.equal(how, "the reason");
  assert.equal(await server.gone, false);
  await server.close();
});

test("a call that reads its body ends at once, whole or streamed, and the connection is given up", async () => {
  for (const kind of ["get", "stream"]) {
    const server = await holding("the first half");
    const page = await openPage(browser, own.url);
    await begin(page, server.url, {}, kind);
    await server.arrived;
    const how = await page.evaluate(() => globalThis.abort());
    assert.equal(how, "the reason", kind);
    assert.equal(await server.gone, false, kind);
    await server.close();
  }
});

test("a call that is held back ends at once and gives its place back: nothing is sent for it", async () => {
  const gateway = await Gateway.start();
  const session = gateway.session();
  await session.admin("POST", "clock", { json: { freeze: true } });
  const page = await openPage(browser, own.url);
  const seen = await page.evaluate(async ({ url, headers }) => {
    const client = new globalThis.gatewright.Client(url, { auth: "sk_test_tiny_acme", headers });
    await Promise.all([1, 2, 3].map(() => client.get("/v1/whoami")));
    const controller = new AbortController();
    const held = client.get("/v1/whoami", { signal: controller.signal });
    const failed = held.then(
      () => "it was answered",
      (error) => error.name,
    );
    await Promise.resolve();
    const queued = client.state().limits[0].queued;
    controller.abort();
    const how = await failed;
    // The event loop's next turn.
    await new Promise((resolve) => setTimeout(resolve));
    return { queued, how, left: client.state().limits[0].queued };
  }, session.target);
  assert.deepEqual([seen.queued, seen.how, seen.left], [1, "AbortError", 0]);
  assert.equal((await session.journal("whoami")).length, 3);
  await gateway.stop();
});

test("a call that waits to retry ends at once, and there is no other attempt", async () => {
  const gateway = await Gateway.start();
  const session = gateway.session();
  await session.faults({ match: { op: "unknown" }, script: ["503;ra=30"] });
  const page = await openPage(browser, own.url);
  const { url, headers } = session.target;
  await begin(page, url, { headers, auth: "sk_test_pro_acme" });
  await session.arrived("unknown", 1);
  const how = await page.evaluate(() => globalThis.abort());
  assert.equal(how, "the reason");
  assert.equal((await session.journal("unknown")).length, 1);
  await gateway.stop();
});

test("10 000 aborted calls leave nothing behind", async () => {
  const gateway = await Gateway.start();
  const session = gateway.session();
  await session.admin("POST", "clock", { json: { freeze: true } });
  const page = await openPage(browser, own.url);
  await page.evaluate(async ({ url, headers }) => {
    const client = new globalThis.gatewright.Client(url, { auth: "sk_test_tiny_acme", headers });
    await Promise.all([1, 2, 3].map(() => client.get("/v1/whoami")));
    globalThis.abortMany = async (count) => {
      for (let done = 0; done < count; done += 100) {
        const controller = new AbortController();
        const calls = Array.from({ length: 100 }, () => client.get("/v1/whoami", { signal: controller.signal }));
        controller.abort();
        await Promise.allSettled(calls);
        await new Promise((resolve) => setTimeout(resolve));
      }
      const [{ queued, inFlight }] = client.state().limits;
      return { queued, inFlight };
    };
  }, session.target);
  const devtools = await page.context().newCDPSession(page);
  const used = async () => {
    await devtools.send("HeapProfiler.collectGarbage");
    const { usedSize, backingStorageSize } = await devtools.send("Runtime.getHeapUsage");
    return usedSize + backingStorageSize;
  };
  await page.evaluate(() => globalThis.abortMany(1_000));
  const before = await used();
  assert.deepEqual(await page.evaluate(() => globalThis.abortMany(10_000)), { queued: 0, inFlight: 0 });
  const grown = (await used()) - before;
  assert.ok(grown < 500_000, `${grown} bytes more are used, ${grown / 10_000} for each call`);
  assert.equal((await session.journal("whoami")).length, 3);
  await gateway.stop();
});
