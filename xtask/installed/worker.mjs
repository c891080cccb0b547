// The installed package in a worker thread, while the main thread uses it too; both end by themselves.

import assert from "node:assert/strict";
import { once } from "node:events";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { Client } from "gatewright";

const client = new Client(process.env.GATEWRIGHT_URL, { auth: "sk_test_pro_acme" });

async function statuses() {
  const answers = await Promise.all(Array.from({ length: 8 }, () => client.get("/v1/whoami")));
  return answers.map((answer) => answer.status);
}

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  const ended = once(worker, "exit");
  const [[theirs], ours] = await Promise.all([once(worker, "message"), statuses()]);
  assert.deepEqual(theirs, ours);
  assert.deepEqual(new Set(ours), new Set([200]));
  assert.deepEqual(await ended, [0]);
} else {
  parentPort.postMessage(await statuses());
}
