/** 2 000 POSTs through 30 % faults of every kind are 2 000 side effects: none lost, none doubled. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Session } from "./gateway.mjs";

const CALLS = 2_000;
const AT_ONCE = 64;
const STUBBORN = { maxAttempts: 12, backoffBase: 1, backoffCap: 5, budget: 100_000 };
const KINDS = ["reset", "commit_reset", "503", "429", "lost", "commit_fin", "fin", "reset@100", "short"];

for (const seed of [1, 2]) {
  test(`exactly once, seed ${seed}`, { timeout: 300_000 }, async () => {
    const session = new Session();
    // At most ten faults a call, so that twelve attempts are always enough.
    await session.faults({
      match: { op: "contacts.create" },
      random: { p: 0.3, seed, kinds: KINDS, max_per_call: 10 },
    });
    // That many failures are an outage, at which a breaker would open.
    const client = session.client({ retry: STUBBORN, breaker: false });
    const answers = [];
    let next = 0;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (next < CALLS) {
          const number = next++;
          const json = { name: `Contact ${number}`, external_id: `x-${number}` };
          answers.push(await client.post("/v1/contacts", { json }));
        }
      }),
    );
    const ids = await Promise.all(answers.map(async (answer) => (await answer.json()).id));
    assert.equal(new Set(ids).size, CALLS);
    const effects = await session.effects();
    assert.equal(effects.count, CALLS);
    assert.deepEqual(effects.by_key, { distinct: CALLS, duplicates: 0, without_key: 0 });
    assert.deepEqual([effects.distinct_external_ids, effects.doubled], [CALLS, []]);
    const faults = (await session.journal()).filter((entry) => entry.fault !== null).length;
    assert.equal(
      faults,
      answers.reduce((sum, answer) => sum + answer.attempts.length - 1, 0),
    );
    assert.ok(faults > CALLS * 0.3);
  });
}
