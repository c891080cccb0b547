/**
 * A tab that the browser freezes while a call waits: timers stand still, the clock does not. After it is resumed the call ends rightly,
 * and its deadline is judged by the clock. Leaving a page for another freezes it, and going back resumes it.
 */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { launch, openPage } from "./chromium.mjs";
import { Gateway } from "./gateway.mjs";
import { site } from "./site.mjs";

let browser;
let gateway;
let own;

before(async () => {
  gateway = await Gateway.start();
  own = await site();
  browser = await launch({ ignoreDefaultArgs: ["--disable-back-forward-cache"] });
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
      // The longest time in which no timer fired, and what the browser said: they prove that the tab was frozen.
      globalThis.longestPause = 0;
      globalThis.told = [];
      let last = performance.now();
      setInterval(() => {
        globalThis.longestPause = Math.max(globalThis.longestPause, performance.now() - last);
        last = performance.now();
      }, 5);
      for (const event of ["freeze", "resume"]) {
        document.addEventListener(event, () => {
          globalThis.told.push(event);
          globalThis.toldAt = performance.now();
        });
      }
      const hooks = {};
      globalThis.answered = new Promise((resolve) => {
        hooks.afterAttempt = () => resolve();
      });
      const client = new globalThis.gatewright.Client(url, { auth: "sk_test_pro_acme", headers, hooks });
      const timed = (outcome) => ({ ...outcome, sinceResumedMs: performance.now() - globalThis.toldAt });
      globalThis.outcome = client.get("/v1/whoami", options).then(
        (answer) => timed({ status: answer.status, attempts: answer.attempts.length }),
        (error) => timed({ name: error.name, code: error.code, attempts: error.attempts.length }),
      );
    },
    [session.target, options],
  );
  await page.evaluate(() => globalThis.answered);
  const begun = performance.now();
  await page.goto(`${own.url}/elsewhere`);
  // The clock cannot be moved from outside, so this much of it has to pass; asking the gateway fills the time.
  while (performance.now() - begun < frozenMs) {
    await session.journal("whoami");
  }
  const whileFrozen = (await session.journal("whoami")).length;
  await page.goBack({ waitUntil: "commit" });
  const outcome = await page.evaluate(() => globalThis.outcome);
  // A timer that fires after the call's end has seen the whole of the pause.
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 10)));
  const { told, longestPause } = await page.evaluate(() => ({
    told: globalThis.told,
    longestPause: globalThis.longestPause,
  }));
  assert.deepEqual(told, ["freeze", "resume"]);
  assert.equal(whileFrozen, 1, "nothing is sent while the tab is frozen");
  assert.ok(longestPause > frozenMs / 2, `the tab was frozen for ${longestPause} ms of ${frozenMs}`);
  return { outcome, requests: (await session.journal("whoami")).length };
}

// Both at once, because real time has to pass: time enough to freeze the tab while the call waits, and for a busy machine to go on with it.
describe("a tab that is frozen", { concurrency: true }, () => {
  test("a wait that ended while the tab was frozen is over when it is resumed", async () => {
    const { outcome, requests } = await frozenCall({ waitMs: 8_000, frozenMs: 10_000 });
    assert.deepEqual([outcome.status, outcome.attempts, requests], [200, 2, 2]);
    // Less than the wait, which is not begun anew.
    assert.ok(outcome.sinceResumedMs < 6_000, `it took ${outcome.sinceResumedMs} ms after the tab was resumed`);
  });

  test("a deadline that passed while the tab was frozen ends the call, and nothing more is sent", async () => {
    const { outcome, requests } = await frozenCall({ waitMs: 8_000, frozenMs: 12_000, options: { timeout: 10_000 } });
    assert.deepEqual([outcome.name, outcome.code, requests], ["TimeoutError", "timeout", 1]);
    assert.ok(outcome.sinceResumedMs < 6_000, `it took ${outcome.sinceResumedMs} ms after the tab was resumed`);
  });
});
