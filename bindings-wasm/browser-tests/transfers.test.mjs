/** Downloads that go on where they broke, uploads of files, and a login whose redirect comes back to a page, across origins. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";

import { launch, openPage } from "./chromium.mjs";
import { Gateway } from "./gateway.mjs";
import { site } from "./site.mjs";

const CONTENT = "/v1/files/gen-200000-7/content";

let browser;
let gateway;
let own;

before(async () => {
  gateway = await Gateway.start();
  own = await site({
    answer(request, response) {
      if (!request.url.startsWith("/callback")) {
        return false;
      }
      const script = "opener.postMessage(location.href, location.origin); close();";
      response.writeHead(200, { "content-type": "text/html" }).end(`<!doctype html><script>${script}</script>`);
      return true;
    },
  });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await own?.close();
  await gateway?.stop();
});

/** Each request over a connection of its own, so that none is repeated by the browser. */
async function session() {
  const session = gateway.session();
  await session.admin("POST", "session", { json: { direct_pages: true } });
  return session;
}

const journal = async (session) =>
  (await session.admin("GET", "journal")).entries.filter((e) => e.method !== "OPTIONS");

test("a download is a Blob, whole, though its connection broke", async () => {
  const world = await session();
  await world.admin("PUT", "faults", {
    json: { rules: [{ match: { op: "files.content" }, script: ["ok", "reset@90000", "ok"] }] },
  });
  const page = await openPage(browser, own.url);
  const seen = await page.evaluate(
    async ([{ url, headers }, path]) => {
      const client = new globalThis.gatewright.Client(url, {
        auth: "sk_test_unlimited_acme",
        headers,
        retry: { backoffBase: 1, backoffCap: 2 },
      });
      const whole = await (await client.get(path)).bytes();
      const download = await client.download(path);
      const blob = await download.blob();
      const bytes = new Uint8Array(await blob.arrayBuffer());
      return {
        whole: [...whole],
        bytes: [...bytes],
        total: download.total,
        statuses: download.attempts.map(({ status }) => status),
      };
    },
    [world.target, CONTENT],
  );
  const digest = (bytes) => createHash("sha256").update(Uint8Array.from(bytes)).digest("hex");
  assert.equal(seen.bytes.length, 200_000);
  assert.equal(digest(seen.bytes), digest(seen.whole));
  assert.equal(seen.total, 200_000);
  assert.equal(seen.statuses[0], 200);
});

test("a File is uploaded piece by piece, and gone on with after an error", async () => {
  const world = await session();
  await world.admin("PUT", "faults", {
    json: { rules: [{ match: { op: "uploads.append" }, script: ["ok", "403", "ok"] }] },
  });
  const page = await openPage(browser, own.url);
  const seen = await page.evaluate(async ({ url, headers }) => {
    const client = new globalThis.gatewright.Client(url, { auth: "sk_test_unlimited_acme", headers });
    const file = new File(["0123456789".repeat(25)], "report.txt", { type: "text/plain" });
    const offsets = [];
    const onProgress = ({ offset }) => offsets.push(offset);
    const error = await client.upload("/v1/files", file, { chunkSize: 100, onProgress }).catch((error) => error);
    const { response, resumable } = await client.upload("/v1/files", file, {
      resume: error.upload.location,
      onProgress,
    });
    return {
      code: error.code,
      at: error.upload.offset,
      status: response.status,
      body: await response.json(),
      resumable,
      offsets,
    };
  }, world.target);
  assert.deepEqual([seen.code, seen.at], ["permission_denied", 100]);
  assert.deepEqual([seen.status, seen.resumable, seen.body.size], [201, true, 250]);
  assert.equal(seen.offsets.at(-1), 250);
  const pieces = (await journal(world)).filter((entry) => entry.method === "PATCH" && entry.status < 300);
  assert.equal(pieces.map((entry) => Buffer.from(entry.body_base64, "base64")).join(""), "0123456789".repeat(25));
});

test("a login comes back to a page of the app, by a popup", async () => {
  const world = await session();
  const page = await openPage(browser, own.url);
  const status = await page.evaluate(
    async ([{ url, headers }, issuer]) => {
      const auth = { oauth: { clientId: "public-client", issuer } };
      const client = new globalThis.gatewright.Client(url, { auth, headers });
      const login = await client.oauth().authorization(new URL("/callback", location.href));
      const popup = open(login.url, "login", "popup");
      const back = await new Promise((came) => {
        addEventListener("message", ({ origin, source, data }) => {
          if (origin === location.origin && source === popup) came(data);
        });
      });
      const tokens = await login.finish(back);
      if (!tokens.hasRefreshToken) throw new Error("there is no refresh token");
      return (await client.get("/v1/contacts/ct_000001")).status;
    },
    [world.target, `${gateway.url}/oauth/generic~${world.name}`],
  );
  assert.equal(status, 200);
});

test("what needs files or a port says so", async () => {
  const world = await session();
  const page = await openPage(browser, own.url);
  const said = await page.evaluate(async ({ url, headers }) => {
    const client = new globalThis.gatewright.Client(url, { headers, auth: { oauth: { clientId: "c", issuer: url } } });
    const messages = [
      () => client.downloadTo("/v1/files", "report.bin"),
      () => client.upload("/v1/files", { file: "report.bin" }),
      () => client.oauth().loopback(),
    ].map((call) => call().then(String, (error) => `${error.name}: ${error.message}`));
    return Promise.all(messages);
  }, world.target);
  for (const message of said) {
    assert.match(message, /^InvalidRequestError: .*(no files|there are not|there is not)/);
  }
  assert.deepEqual(await journal(world), []);
});
