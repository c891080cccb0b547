/**
 * A tab that the browser freezes while a call waits: timers stand still, the clock does not. After it is resumed the call ends rightly,
 * and its deadline is judged by the clock.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, openPage } from "./chromium.mjs";
import { Gateway } from "./gateway.mjs";
import { site } from "./site.mjs";

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

/** Begins a call whose first answer asks for a wait of `waitMs`, freezes the tab in that wait, and resumes it after `frozenMs`. */
async function frozenCall({ waitMs, frozenMs, options }) {
  const session = gateway.session();
  await session.faults({ match: { op: "whoami" }, script: [`503;ra-ms=${waitMs}`] });
  const page = await openPage(browser, own.url);
  await page.evaluate(
    ([{ url, headers }, options]) => {
      // The longest time in which no timer fired, to prove that the tab was frozen.
      globalThis.longestPause = 0;
      let last = performance.now();
      setInterval(() => {
        globalThis.longestPause = Math.max(globalThis.longestPause, performance.now() - last);
        last = performance.now();
      }, 5);
      const client = new globalThis.gatewright.Client(url, { auth: "sk_test_pro_acme", headers });
      const begun = performance.now();
      globalThis.outcome = client.get("/v1/whoami", options).then(
        (answer) => ({ status: answer.status, attempts: answer.attempts.length, tookMs: performance.now() - begun }),
        (error) => ({
          name: error.name,
          code: error.code,
          attempts: error.attempts.length,
          tookMs: performance.now() - begun,
        }),
      );
      globalThis.waiting = client.state().limits;
    },
    [session.target, options],
  );
  await session.arrived("whoami", 1);
  // The page has the answer and waits: another call of the page's own has come and gone.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  const devtools = await page.context().newCDPSession(page);
  const begun = performance.now();
  await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
  // The clock cannot be moved from outside, so this much of it has to pass; asking the gateway fills the time.
  while (performance.now() - begun < frozenMs) {
    await session.journal("whoami");
  }
  const whileFrozen = (await session.journal("whoami")).length;
  await devtools.send("Page.setWebLifecycleState", { state: "active" });
  const outcome = await page.evaluate(() => globalThis.outcome);
  const longestPause = await page.evaluate(
    () => new Promise((resolve) => setTimeout(() => resolve(globalThis.longestPause), 10)),
  );
  assert.equal(whileFrozen, 1, "nothing is sent while the tab is frozen");
  assert.ok(longestPause > frozenMs * 0.8, `the tab was frozen for ${longestPause} ms of ${frozenMs}`);
  return { outcome, requests: (await session.journal("whoami")).length };
}

test("a wait that ended while the tab was frozen is over when it is resumed", async () => {
  const { outcome, requests } = await frozenCall({ waitMs: 300, frozenMs: 600 });
  assert.deepEqual([outcome.status, outcome.attempts, requests], [200, 2, 2]);
  assert.ok(outcome.tookMs >= 600 && outcome.tookMs < 1500, `it took ${outcome.tookMs} ms`);
});

test("a deadline that passed while the tab was frozen ends the call, and nothing more is sent", async () => {
  const { outcome, requests } = await frozenCall({ waitMs: 300, frozenMs: 800, options: { timeout: 500 } });
  assert.deepEqual([outcome.name, outcome.code, requests], ["TimeoutError", "timeout", 1]);
  assert.ok(outcome.tookMs >= 800 && outcome.tookMs < 1500, `it took ${outcome.tookMs} ms`);
});
