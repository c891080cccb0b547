/** Worker threads. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import { gateway, Session, until } from "./gateway.mjs";
import { HERE, NAME } from "./package.mjs";

/** A worker thread that runs this with `Client`, `url`, `options` and `parentPort` at hand. */
function worker(source, session) {
  const program = `
    const { parentPort, workerData: { url, options } } = require("node:worker_threads");
    const { Client, NotFoundError } = require("node:module").createRequire(${JSON.stringify(HERE)})(${JSON.stringify(NAME)});
    (async () => { ${source} })();
  `;
  return new Worker(program, { eval: true, workerData: { url: gateway.url, options: session.options() } });
}

const ended = (thread) =>
  new Promise((resolve, reject) => {
    const messages = [];
    thread.on("message", (message) => messages.push(message));
    thread.on("error", reject);
    thread.on("exit", (code) => resolve({ code, messages }));
  });

test("eight threads call at once, each gets its own answers, and ends by itself", async () => {
  const session = new Session();
  const threads = Array.from({ length: 8 }, (_, number) =>
    ended(
      worker(
        `const client = new Client(url, options);
         const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => client.post("/v1/echo", { json: [${number}, at] })));
         const echoes = await Promise.all(answers.map((answer) => answer.json()));
         parentPort.postMessage(echoes.map((echo) => JSON.parse(Buffer.from(echo.body_base64, "base64").toString())));`,
        session,
      ),
    ),
  );
  const main = session.client();
  const here = await Promise.all(Array.from({ length: 40 }, () => main.get("/v1/whoami")));
  assert.ok(here.every((answer) => answer.ok));
  for (const [number, { code, messages }] of (await Promise.all(threads)).entries()) {
    assert.equal(code, 0);
    assert.deepEqual(
      messages[0],
      Array.from({ length: 40 }, (_, at) => [number, at]),
    );
  }
  assert.equal((await session.journal()).length, 360);
});

test("errors in a thread are of its own classes, and can be sent", async () => {
  const session = new Session();
  const { messages } = await ended(
    worker(
      `await new Client(url, options).get("/v1/contacts/nope").catch((error) => {
         parentPort.postMessage([error instanceof NotFoundError, error]);
       });`,
      session,
    ),
  );
  const [[own, error]] = messages;
  assert.equal(own, true);
  assert.ok(error instanceof Error);
  assert.match(error.message, /^not_found: GET /);
});

test("a thread that is ended in the middle of calls gives their places back", async () => {
  const session = new Session();
  const threads = Array.from({ length: 4 }, () =>
    worker(
      `const client = new Client(url, { ...options, hooks: { beforeAttempt() {} } });
       for (let number = 0; number < 20; number++) { client.get("/v1/delay/60000").catch(() => {}); }
       client.stream("GET", "/v1/drip?bytes=1000&interval_ms=5").then(async (response) => { for await (const _ of response); });
       client.post("/v1/sink", { body: (async function* () { for (;;) { yield "x"; await new Promise((done) => setTimeout(done, 1)); } })() });
       setInterval(() => client.get("/v1/whoami"), 1);
       parentPort.postMessage("begun");`,
      session,
    ),
  );
  await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once("message", resolve))));
  await until(async () => (await session.journal()).length > 20);
  await Promise.all(threads.map((thread) => thread.terminate()));
  const client = session.client();
  assert.ok((await client.get("/v1/whoami")).ok);
});

test("threads come and go", { timeout: 120_000 }, async () => {
  const session = new Session();
  for (let round = 0; round < 5; round++) {
    const threads = Array.from({ length: 4 }, () =>
      ended(worker(`parentPort.postMessage((await new Client(url, options).get("/v1/whoami")).status);`, session)),
    );
    for (const { messages, code } of await Promise.all(threads)) {
      assert.deepEqual([messages, code], [[200], 0]);
    }
  }
});
