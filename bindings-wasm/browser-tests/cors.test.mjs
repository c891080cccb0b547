/** What CORS makes of calls: no header that a page did not ask for, and an error that says what to check where a server refuses. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, openPage } from "./chromium.mjs";
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

/** A server that answers everything with `{}`, under these headers, and remembers what it was asked. */
async function server(headers) {
  const asked = [];
  const started = await site({
    headers,
    answer(request, response) {
      asked.push({ method: request.method, headers: request.headers });
      response.writeHead(request.method === "OPTIONS" ? 204 : 200, { "content-type": "application/json" }).end("{}");
      return true;
    },
  });
  return Object.assign(started, { asked });
}

/** The error of a call from the page. */
function failure(page, url, options = {}, request = {}) {
  return page.evaluate(
    async ([url, options, request]) => {
      const { Client } = globalThis.gatewright;
      try {
        const answer = await new Client(url, { retry: { backoffBase: 5 }, ...options }).get("/", request);
        return { answered: answer.status };
      } catch (error) {
        return { name: error.name, code: error.code, message: error.message, attempts: error.attempts.length };
      }
    },
    [url, options, request],
  );
}

test("a server without CORS headers is a typed error that says what to check", async () => {
  const refusing = await server({});
  const page = await openPage(browser, own.url);
  const error = await failure(page, refusing.url);
  assert.deepEqual([error.name, error.code, error.attempts], ["ConnectionLostError", "connection_lost", 3]);
  assert.ok(error.message.includes(`its CORS headers do not allow ${own.url}`), error.message);
  assert.ok(error.message.includes("the browser's console says which"), error.message);
  await refusing.close();
});

test("a preflight that is refused is the same error, and the request itself never went", async () => {
  const refusing = await server({ "access-control-allow-origin": "*" });
  const page = await openPage(browser, own.url);
  const error = await failure(page, refusing.url, { headers: { "x-tenant": "acme" } });
  assert.equal(error.name, "ConnectionLostError");
  assert.ok(error.message.includes("one of the request's headers"), error.message);
  assert.deepEqual([...new Set(refusing.asked.map(({ method }) => method))], ["OPTIONS"]);
  await refusing.close();
});

test("a plain GET is a simple request: no preflight, and no header but the browser's own", async () => {
  const open = await server({ "access-control-allow-origin": "*" });
  const page = await openPage(browser, own.url);
  assert.deepEqual(await failure(page, open.url), { answered: 200 });
  const bare = await page.evaluate((url) => fetch(url).then(({ status }) => status), open.url);
  assert.equal(bare, 200);
  const [ours, theirs] = open.asked;
  assert.equal(open.asked.length, 2);
  assert.equal(ours.method, "GET");
  assert.deepEqual(Object.keys(ours.headers).sort(), Object.keys(theirs.headers).sort());
  await open.close();
});

test("only what the page asked for needs permission: the key's header, content-type and idempotency-key", async () => {
  const open = await server({ "access-control-allow-origin": "*", "access-control-allow-headers": "*, authorization" });
  const page = await openPage(browser, own.url);
  await page.evaluate(async (url) => {
    const client = new globalThis.gatewright.Client(url, { auth: "secret" });
    // Two paths, because a permission may be kept for one.
    await client.get("/read");
    await client.post("/write", { json: {} });
  }, open.url);
  const wanted = open.asked
    .filter(({ method }) => method === "OPTIONS")
    .map(({ headers }) => headers["access-control-request-headers"]);
  assert.deepEqual(wanted, ["authorization", "authorization,content-type,idempotency-key"]);
  await open.close();
});

test("a permission is asked for once, as long as the server lets it be kept", async () => {
  const open = await server({
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "authorization",
    "access-control-max-age": "600",
  });
  const page = await openPage(browser, own.url);
  await page.evaluate(async (url) => {
    const client = new globalThis.gatewright.Client(url, { auth: "secret" });
    for (let calls = 0; calls < 5; calls++) {
      await client.get("/");
    }
  }, open.url);
  assert.deepEqual(
    open.asked.map(({ method }) => method),
    ["OPTIONS", "GET", "GET", "GET", "GET", "GET"],
  );
  await open.close();
});

test("a User-Agent is left out, because a browser would ask for permission or drop it", async () => {
  const open = await server({ "access-control-allow-origin": "*" });
  const page = await openPage(browser, own.url);
  assert.deepEqual(await failure(page, open.url, { headers: { "user-agent": "mine/1.0" } }), { answered: 200 });
  assert.deepEqual(
    open.asked.map(({ method }) => method),
    ["GET"],
  );
  assert.match(open.asked[0].headers["user-agent"], /Chrome\//);
  await open.close();
});
