/** A large answer as a stream: bytes exact, progress as it comes, memory bounded by what the page takes. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, openPage } from "./chromium.mjs";
import { Gateway } from "./gateway.mjs";
import { site } from "./site.mjs";

const LENGTH = 10_000_000;

let browser;
let gateway;
let own;

before(async () => {
  gateway = await Gateway.start();
  own = await site();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await own?.close();
  await gateway?.stop();
});

test("ten megabytes come as a stream: progress only grows, and every byte is right", async () => {
  const page = await openPage(browser, own.url);
  const seen = await page.evaluate(
    async ([{ url, headers }, length]) => {
      const client = new globalThis.gatewright.Client(url, { auth: "sk_test_pro_acme", headers });
      const answer = await client.stream("GET", `/v1/bytes/${length}`);
      const bytes = new Uint8Array(length + 1);
      const progress = [];
      let count = 0;
      for await (const piece of answer) {
        bytes.set(piece, count);
        count += piece.length;
        progress.push(count);
      }
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.subarray(0, count)));
      const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      return { count, progress, sha256, expected: answer.headers.get("x-content-sha256"), used: answer.bodyUsed };
    },
    [gateway.session().target, LENGTH],
  );
  assert.equal(seen.count, LENGTH);
  assert.equal(seen.sha256, seen.expected);
  assert.ok(seen.progress.length > 5, `it came in ${seen.progress.length} pieces`);
  assert.ok(seen.progress.every((count, index) => count > (seen.progress[index - 1] ?? 0)));
  assert.equal(seen.progress.at(-1), LENGTH);
  assert.equal(seen.used, true);
});

test("a stream that breaks off keeps what was read and rejects with a typed error", async () => {
  // A browser drops what the page has not read when a body breaks off, so it breaks once the page has read something.
  const doomed = await Gateway.start();
  const page = await openPage(browser, own.url);
  let broken;
  await page.exposeFunction("somethingCame", () => {
    broken ??= doomed.kill();
  });
  const seen = await page.evaluate(async ({ url, headers }) => {
    const client = new globalThis.gatewright.Client(url, { auth: "sk_test_pro_acme", headers });
    const answer = await client.stream("GET", "/v1/drip?bytes=1000&interval_ms=20");
    let count = 0;
    try {
      for await (const piece of answer) {
        count += piece.length;
        await globalThis.somethingCame();
      }
      return { count };
    } catch (error) {
      return { count, name: error.name, code: error.code };
    }
  }, doomed.session().target);
  await broken;
  assert.deepEqual([seen.name, seen.code], ["ConnectionLostError", "connection_lost"]);
  assert.ok(seen.count > 0 && seen.count < 1000, `${seen.count} bytes came`);
});
