/** The network cut and the server gone: a typed error that says so, no double effect, and calls that work again when it is back. */

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

/** Makes a client in the page; its calls answer with what a test can look at. */
async function connect(page, { url, headers }, settings = {}) {
  await page.evaluate(
    ([url, headers, settings]) => {
      const { Client, GatewrightError } = globalThis.gatewright;
      const retry = { backoffBase: 20, backoffCap: 40 };
      const client = new Client(url, { auth: "sk_test_pro_acme", headers, retry, ...settings });
      globalThis.call = async (method, path, options) => {
        try {
          const answer = await client.request(method, path, options);
          return { status: answer.status, attempts: answer.attempts.length };
        } catch (error) {
          const { name, code, message, retryability, attempts } = error;
          return {
            typed: error instanceof GatewrightError,
            name,
            code,
            message,
            retryability,
            attempts: attempts.length,
          };
        }
      };
    },
    [url, headers, settings],
  );
  return (...call) => page.evaluate((call) => globalThis.call(...call), call);
}

test("offline, a call fails with a typed error after its attempts, and succeeds once the network is back", async () => {
  const gateway = await Gateway.start();
  const session = gateway.session();
  const page = await openPage(browser, own.url);
  const call = await connect(page, session.target);
  assert.deepEqual(await call("GET", "/v1/whoami"), { status: 200, attempts: 1 });

  await page.context().setOffline(true);
  const error = await call("GET", "/v1/whoami");
  assert.match(error.message, /^connection_lost: GET .* the browser is offline/);
  delete error.message;
  const expected = {
    typed: true,
    name: "ConnectionLostError",
    code: "connection_lost",
    retryability: "exhausted",
    attempts: 3,
  };
  assert.deepEqual(error, expected);
  const create = await call("POST", "/v1/contacts", { json: { name: "Ada" } });
  assert.deepEqual([create.typed, create.attempts], [true, 3]);

  await page.context().setOffline(false);
  assert.deepEqual(await call("GET", "/v1/whoami"), { status: 200, attempts: 1 });
  assert.equal((await session.journal("whoami")).length, 2);
  assert.equal((await session.effects("contacts.create")).count, 0);
  await gateway.stop();
});

test("a call that begins offline ends well when the network comes back while it waits to retry", async () => {
  const gateway = await Gateway.start();
  const session = gateway.session();
  const page = await openPage(browser, own.url);
  // It tries again for longer than a busy machine takes to bring the network back.
  const retry = { backoffBase: 1000, backoffCap: 2000, budget: 100_000 };
  const call = await connect(page, session.target, { retry, breaker: false });
  await page.context().setOffline(true);
  await page.evaluate(() => {
    globalThis.failed = new Promise((resolve) => {
      const { fetch } = globalThis;
      globalThis.fetch = (...request) => {
        const answer = fetch(...request);
        answer.catch(resolve);
        return answer;
      };
    });
  });
  const answer = call("GET", "/v1/whoami", { maxAttempts: 30 });
  await page.evaluate(() => globalThis.failed.then(() => {}));
  await page.context().setOffline(false);
  const { status, attempts } = await answer;
  assert.equal(status, 200);
  assert.ok(attempts > 1, `${attempts} attempts`);
  await gateway.stop();
});

test("with the server gone the error says what to check, and the same client works when it is back", async () => {
  const first = await Gateway.start();
  const page = await openPage(browser, own.url);
  const call = await connect(page, first.session("gone").target);
  assert.equal((await call("GET", "/v1/whoami")).status, 200);
  await first.kill();

  const error = await call("GET", "/v1/whoami");
  assert.equal(error.name, "ConnectionLostError");
  assert.match(
    error.message,
    /the server cannot be reached, or its CORS headers do not allow http:\/\/127\.0\.0\.1:\d+/,
  );

  // The last `--port` counts.
  const second = await Gateway.start("--port", new URL(first.url).port);
  assert.deepEqual(await call("GET", "/v1/whoami"), { status: 200, attempts: 1 });
  await second.stop();
});
