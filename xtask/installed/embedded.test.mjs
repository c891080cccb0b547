// A test that a user would write of code that calls an API: with the packages installed, and nothing else said.

import assert from "node:assert/strict";
import test from "node:test";
import { Gateway } from "gatewright/testing";

const gateway = await Gateway.start();
test.after(() => gateway.stop());

/** The code under test. */
async function addContact(client, name) {
  return (await (await client.post("/v1/contacts", { json: { name } })).json()).id;
}

test("a retry after a fault on a frozen clock", async () => {
  const session = gateway.session();
  await session.freeze();
  await session.script("contacts.create", "503;ra-ms=30", "lost");
  const client = session.client({ retry: { backoffBase: 50, backoffCap: 50 } });
  assert.equal(await addContact(client, "Ada"), "ct_000046");
  assert.equal((await session.effects("contacts.create")).count, 1);
  const journal = await session.journal();
  assert.deepEqual(
    journal.map((entry) => entry.fault),
    ["503;ra-ms=30", "lost", null],
  );
  assert.equal(new Set(journal.map((entry) => entry.at_ms)).size, 1);
  const verdict = await session.verdict();
  assert.equal(verdict.grade, "A", verdict.reason);
});
