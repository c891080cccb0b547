/** A program's life: it starts fast, starts nothing by itself, and ends when it has nothing to do. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { run } from "./child.mjs";
import { gateway, Session } from "./gateway.mjs";
import { nodeOnly, notOnFetch } from "./package.mjs";

const session = new Session();
const client = `new Client(${JSON.stringify(gateway.url)}, ${JSON.stringify(session.options())})`;
const program = (body) => `import { Client } from "gatewright";\n${body}`;
const here = nodeOnly("it starts nothing of its own");
/** Milliseconds: a machine under load needs some to start Node, and what holds the program does so for a minute. */
const AT_ONCE = 30_000;

test(
  "a program ends by itself after its last call",
  notOnFetch("a stream that is open holds the program"),
  async () => {
    const { code, out, error, tookMs } = await run(
      program(`
      const client = ${client};
      console.log((await client.get("/v1/whoami")).status);
      const stream = await client.stream("GET", "/v1/drip?bytes=100&interval_ms=60000");
      console.log(stream.status);
    `),
    );
    assert.deepEqual([code, out, error], [0, "200\n200\n", ""]);
    assert.ok(tookMs < AT_ONCE, `it took ${tookMs} ms`);
  },
);

test("a program waits for its calls, with nothing else to wait for", here, async () => {
  const { code, out } = await run(
    program(`
      ${client}.get("/v1/delay/100").then((response) => console.log(response.status));
    `),
  );
  assert.deepEqual([code, out], [0, "200\n"]);
});

test("a program waits for retries, token callbacks and uploads", here, async () => {
  const { code, out, error } = await run(
    program(`
      const options = ${JSON.stringify(session.options())};
      async function* body() { yield "a"; yield "b"; }
      const client = new Client(${JSON.stringify(gateway.url)}, { ...options, auth: async () => options.auth });
      client.post("/v1/sink", { body: body }).then((response) => console.log("sent", response.status));
      client.get("/v1/whoami", { headers: { "x-mock-fault": "503;ra-ms=100,ok" } }).then((response) => console.log("retried", response.attempts.length));
    `),
  );
  assert.deepEqual([code, out.split("\n").sort().join(" "), error], [0, " retried 2 sent 200", ""]);
});

test("an aborted call does not hold the program", here, async () => {
  const { code, out, tookMs } = await run(
    program(`
      const abort = new AbortController();
      const call = ${client}.get("/v1/delay/60000", { signal: abort.signal });
      setTimeout(() => abort.abort("enough"), 50);
      await call.catch((reason) => console.log(reason));
    `),
  );
  assert.deepEqual([code, out], [0, "enough\n"]);
  assert.ok(tookMs < AT_ONCE, `it took ${tookMs} ms`);
});

test("process.exit in the middle of calls ends at once", here, async () => {
  const { code, error, tookMs } = await run(
    program(`
      const client = ${client};
      for (let number = 0; number < 50; number++) client.get("/v1/delay/60000");
      setTimeout(() => process.exit(3), 50);
    `),
  );
  assert.deepEqual([code, error], [3, ""]);
  assert.ok(tookMs < AT_ONCE, `it took ${tookMs} ms`);
});

test("nothing is loaded before the first client, and nothing is started before the first call", here, async () => {
  const { out, code, error } = await run(
    `
      const { readdirSync } = require("node:fs");
      const threads = () => (process.platform === "linux" ? readdirSync("/proc/self/task").length : 0);
      const addons = () => process.report.getReport().sharedObjects.filter((path) => /gatewright|js-addon/.test(path)).length;
      const before = [threads(), addons(), process.getActiveResourcesInfo().length];
      const { Client } = require("gatewright");
      const required = [threads(), addons(), process.getActiveResourcesInfo().length];
      const client = ${client};
      const made = [threads(), process.getActiveResourcesInfo().length];
      client.get("/v1/whoami").then(({ status }) => console.log(JSON.stringify({ before, required, made, status })));
    `,
    { type: "commonjs" },
  );
  assert.deepEqual([code, error], [0, ""]);
  const { before, required, made, status } = JSON.parse(out);
  assert.deepEqual(required, before);
  assert.deepEqual(made, [before[0], before[2]]);
  assert.equal(status, 200);
});

test("require takes under 15 ms", here, async () => {
  const times = [];
  for (let time = 0; time < 5; time++) {
    // Of the processor: what else the machine has to do meanwhile is not counted.
    const { out } = await run(
      `const begun = process.cpuUsage(); require("gatewright"); const { user, system } = process.cpuUsage(begun); console.log((user + system) / 1000);`,
      { type: "commonjs" },
    );
    times.push(Number(out));
  }
  assert.ok(Math.min(...times) < 15, `it took ${times} ms`);
});
