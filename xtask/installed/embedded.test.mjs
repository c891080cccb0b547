// A test that a user would write of code that calls an API: with the packages installed, and nothing else said.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
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

for (const name of ["gatewright", "gatewright-gateway"]) {
  test(`the test in the description of ${name} passes`, () => {
    const readme = readFileSync(new URL(`node_modules/${name}/README.md`, import.meta.url), "utf8");
    const [, file, text] = /^```js (\w+\.test\.mjs)\n([\s\S]*?)^```/m.exec(readme);
    writeFileSync(new URL(file, import.meta.url), text);
    // What runs in a test's process reports to it.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const ran = spawnSync(process.execPath, ["--test", "--test-reporter=tap", file], { cwd: import.meta.dirname, env });
    assert.match(String(ran.stdout), /^# pass 1$/m, String(ran.stdout) + String(ran.stderr));
    assert.equal(ran.status, 0);
  });
}
