/** 2 000 POSTs from Chromium through 30 % faults of every kind are 2 000 side effects: none lost, none doubled. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, openPage } from "./chromium.mjs";
import { Gateway } from "./gateway.mjs";
import { site } from "./site.mjs";

const CALLS = 2_000;
const KINDS = ["reset", "commit_reset", "503", "429", "lost", "commit_fin", "fin", "reset@100", "short"];

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

for (const seed of [1, 2]) {
  test(`2 000 POSTs at 30 % faults are 2 000 side effects, seed ${seed}`, async () => {
    const session = gateway.session();
    // At most ten faults a call, so that twelve attempts are always enough.
    const random = { p: 0.3, seed, kinds: KINDS, max_per_call: 10 };
    await session.faults({ match: { op: "contacts.create" }, random });
    const page = await openPage(browser, own.url);
    const answers = await page.evaluate(
      async ([{ url, headers }, calls]) => {
        const retry = { maxAttempts: 12, backoffBase: 1, backoffCap: 5, budget: 100_000 };
        // That many failures are an outage, at which a breaker would open.
        const options = { auth: "sk_test_unlimited_acme", headers, retry, breaker: false };
        const client = new globalThis.gatewright.Client(url, options);
        const answers = [];
        let next = 0;
        const worker = async () => {
          while (next < calls) {
            const number = next++;
            const json = { name: `Contact ${number}`, external_id: `x-${number}` };
            const answer = await client.post("/v1/contacts", { json });
            answers.push({ id: (await answer.json()).id, attempts: answer.attempts.length });
          }
        };
        await Promise.all(Array.from({ length: 64 }, worker));
        return answers;
      },
      [session.target, CALLS],
    );
    assert.equal(answers.length, CALLS);
    assert.equal(new Set(answers.map(({ id }) => id)).size, CALLS);
    const effects = await session.effects("contacts.create");
    assert.equal(effects.count, CALLS);
    assert.deepEqual(effects.by_key, { distinct: CALLS, duplicates: 0, without_key: 0 });
    assert.deepEqual([effects.distinct_external_ids, effects.doubled], [CALLS, []]);
    const faults = (await session.journal("contacts.create")).filter(({ fault }) => fault !== null).length;
    const retries = answers.reduce((sum, { attempts }) => sum + attempts - 1, 0);
    // Chromium repeats by itself what was sent on a kept connection that was closed without an answer, under the same key: the client
    // never sees those faults, only those of answers and of new connections.
    assert.ok(faults > CALLS * 0.3, `${faults} faults`);
    assert.ok(retries > CALLS * 0.1 && retries <= faults, `${retries} retries and ${faults} faults`);
  });
}
