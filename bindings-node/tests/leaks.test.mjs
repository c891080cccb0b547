/** Calls that come and go leave nothing behind. */

import assert from "node:assert/strict";
import { createHook } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { readdirSync } from "node:fs";
import { test } from "node:test";

import { collectGarbage } from "./garbage.mjs";
import { idle, Session } from "./gateway.mjs";
import { ON_FETCH } from "./package.mjs";

const BATCH = 100;

/** Calls of all sorts, aborted at all sorts of moments. */
async function abortedCalls(client, count) {
  for (let begun = 0; begun < count; begun += BATCH) {
    await Promise.all(
      Array.from({ length: BATCH }, async (_, number) => {
        const abort = new AbortController();
        const path = number % 2 ? "/v1/delay/60000" : "/v1/whoami";
        const call = client.get(path, { signal: abort.signal }).catch((error) => error);
        for (let turn = 0; turn < number % 5; turn++) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        abort.abort();
        await call;
      }),
    );
  }
  await idle(client);
}

/** Waits until something is so, but not for ever: what leaks is never gone, and the test then says what is left. */
async function settled(condition) {
  for (const begun = performance.now(); !condition() && performance.now() - begun < 20_000; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Promises that are alive, as far as they were made since `begin`. */
class Promises {
  #alive = new Set();
  #gone = new FinalizationRegistry((id) => this.#alive.delete(id));
  #hook = createHook({
    init: (id, type, _trigger, resource) => {
      if (type === "PROMISE") {
        this.#alive.add(id);
        this.#gone.register(resource, id);
      }
    },
  });

  begin() {
    this.#hook.enable();
  }

  /** How many are left: no more than `most`, where that comes to be so. */
  async end(most) {
    this.#hook.disable();
    await settled(() => {
      collectGarbage();
      return this.#alive.size <= most;
    });
    return this.#alive.size;
  }
}

const used = async () => {
  for (let time = 0; time < 4; time++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return process.memoryUsage();
};

const handles = () =>
  process
    .getActiveResourcesInfo()
    .filter((name) => name !== "Timeout" && name !== "Immediate")
    .sort();
const files = () => readdirSync("/proc/self/fd").length;

test("10 000 aborted calls and more leak no memory, handle or promise", { timeout: 300_000 }, async () => {
  const session = new Session();
  const client = session.client();
  const rounds = [];
  const handlesBefore = handles();
  const filesBefore = process.platform === "linux" ? files() : 0;
  // Allocators and caches fill up in the first of them; what leaks grows in each. 100 bytes for each call would be 250 000 a round.
  const grows = ({ heap, rss }) => heap > 100_000 || rss > 250_000;
  for (let round = 0; round < 4 || (round < 20 && rounds.every(grows)); round++) {
    const before = await used();
    await abortedCalls(client, 2_500);
    const after = await used();
    rounds.push({ heap: after.heapUsed - before.heapUsed, rss: after.rss - before.rss });
  }
  assert.ok(!rounds.every(grows), JSON.stringify(rounds));
  await settled(() => handles().length <= handlesBefore.length + 1);
  assert.ok(handles().length <= handlesBefore.length + 1, `${handlesBefore} became ${handles()}`);
  if (process.platform === "linux" && !ON_FETCH) {
    // A fetch keeps as many connections as it likes.
    await settled(() => files() <= filesBefore + BATCH);
    assert.ok(files() <= filesBefore + BATCH, `${filesBefore} open files became ${files()}`);
  }
  const promises = new Promises();
  promises.begin();
  await abortedCalls(client, 1_000);
  const alive = await promises.end(49);
  assert.ok(alive < 50, `${alive} promises are still alive`);
  const answers = await Promise.all(Array.from({ length: 50 }, () => client.get("/v1/whoami")));
  assert.ok(answers.every((answer) => answer.ok));
});

test("10 000 calls with one signal leave no listener, and Node warns of nothing", async () => {
  const warnings = [];
  const warned = (warning) => warnings.push(warning);
  process.on("warning", warned);
  const session = new Session();
  const client = session.client();
  const { signal } = new AbortController();
  for (let begun = 0; begun < 10_000; begun += BATCH) {
    await Promise.all(Array.from({ length: BATCH }, () => client.get("/v1/whoami", { signal })));
  }
  assert.deepEqual(getEventListeners(signal, "abort"), []);
  process.off("warning", warned);
  assert.deepEqual(warnings, []);
});

test("clients with callbacks are collected as garbage", async () => {
  const session = new Session();
  const gone = [];
  await (async () => {
    for (let number = 0; number < 20; number++) {
      const client = session.client({ hooks: { afterAttempt: () => client.state() } });
      gone.push(new WeakRef(client));
      await client.get("/v1/whoami");
    }
  })();
  // The last one may still be in a register or on the stack.
  const left = () => gone.filter((client) => client.deref()).length;
  await settled(() => {
    collectGarbage();
    return left() <= 1;
  });
  assert.ok(left() <= 1, `${left()} are left`);
});

test("an answer that is kept does not keep others", async () => {
  const session = new Session();
  const client = session.client();
  const kept = [];
  for (let number = 0; number < 400; number++) {
    kept.push((await client.get("/v1/bytes/1000000")).status);
  }
  const held = () => {
    const { external, arrayBuffers } = process.memoryUsage();
    return external + arrayBuffers;
  };
  await settled(() => {
    collectGarbage();
    return held() < 100_000_000;
  });
  assert.equal(kept.length, 400);
  assert.ok(held() < 100_000_000, `${held()} bytes are still held`);
});
