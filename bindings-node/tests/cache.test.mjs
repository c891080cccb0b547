/** The cache as programs set it, ask for it and see it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { rejection, Session } from "./gateway.mjs";
import { ON_FETCH, sdk } from "./package.mjs";

const PATH = "/v1/contacts/ct_000001";

/** A session whose gateway says this of the contact. */
async function saying(control, age) {
  const session = new Session();
  const set = { "cache-control": control, age: age ?? null };
  await session.admin("POST", "session", { response_headers: [{ op: "contacts.get", set }] });
  return session;
}

test("nothing is kept by default", async () => {
  const session = await saying("max-age=60");
  const client = session.client();
  for (const _ of [1, 2]) {
    const answer = await client.get(PATH);
    assert.deepEqual([answer.cacheStatus, answer.fromCache], [null, false]);
  }
  assert.equal(client.state().cache, undefined);
  client.clearCache();
  assert.equal((await session.journal()).length, 2);
});

test("a fresh answer is given without the server", async () => {
  const session = await saying("max-age=60");
  const client = session.client({ cache: true });
  const first = await client.get(PATH);
  const second = await client.get(PATH);
  assert.deepEqual([first.cacheStatus, first.fromCache], ["miss", false]);
  assert.deepEqual([second.cacheStatus, second.fromCache], ["hit", true]);
  assert.equal(await first.text(), await second.text());
  assert.deepEqual(second.attempts, []);
  const { bytes, ...state } = client.state().cache;
  assert.ok(bytes > 0);
  assert.deepEqual(state, {
    entries: 1,
    maxBytes: 64 * 1024 * 1024,
    hits: 1,
    revalidated: 0,
    stale: 0,
    misses: 1,
    evicted: 0,
  });
  client.clearCache();
  assert.equal((await client.get(PATH)).cacheStatus, "miss");
  assert.equal((await session.journal()).length, 2);
});

test("a stale answer is validated, whole or streamed", async () => {
  const session = await saying("max-age=60", "70");
  const client = session.client({ cache: { maxBytes: 1_000_000, maxEntryBytes: 100_000 } });
  const first = await client.get(PATH);
  const second = await client.get(PATH);
  assert.deepEqual([second.status, second.cacheStatus], [200, "revalidated"]);
  const streamed = await client.stream("GET", PATH);
  assert.deepEqual([streamed.cacheStatus, streamed.fromCache], ["revalidated", true]);
  assert.equal(await streamed.text(), await first.text());
});

test("calls say what they want, in the words of fetch", async () => {
  const session = await saying("max-age=60");
  const client = session.client({ cache: true });
  const error = await rejection(client.get(PATH, { cache: "only-if-cached" }));
  assert.ok(error instanceof sdk.NotCachedError);
  const statuses = [];
  for (const cache of ["no-store", "default", "no-cache", "reload", "force-cache", "only-if-cached"]) {
    statuses.push((await client.get(PATH, { cache })).cacheStatus);
  }
  assert.deepEqual(statuses, [null, "miss", "revalidated", "miss", "hit", "hit"]);
});

test("what is stale is given at once where the server allows it", async () => {
  const session = await saying("max-age=60, stale-while-revalidate=600", "70");
  const client = session.client({ cache: true });
  await client.get(PATH);
  // Over fetch nothing runs behind a call: the first one waits for its validation.
  assert.equal((await client.get(PATH)).cacheStatus, ON_FETCH ? "revalidated" : "stale");
});

test("an old answer is better than none where one says so", async () => {
  const session = await saying("max-age=60", "70");
  const client = session.client({ cache: { staleIfError: 600_000 }, retry: false });
  await client.get(PATH);
  await session.script("contacts.get", "503");
  const stale = await client.get(PATH);
  assert.deepEqual([stale.cacheStatus, stale.attempts.length], ["stale", 1]);
});

test("what is wrong is said by name", async () => {
  const refused = (cache) => {
    try {
      new sdk.Client("https://api.example.com", { cache });
    } catch (error) {
      assert.ok(error instanceof sdk.InvalidConfigError);
      return error.message;
    }
    throw new Error("it was not refused");
  };
  assert.match(refused("64 MiB"), /`cache` must be true, false or an object/);
  assert.match(refused({ maxByte: 1 }), /`cache` has no option `maxByte`; `maxBytes` may be meant/);
  assert.match(refused({ maxBytes: -1 }), /`cache.maxBytes` is -1; it must be a whole number of bytes/);
  assert.match(refused({ maxBytes: 0 }), /`cache` has room for 0 bytes/);
  assert.match(
    refused({ staleIfError: Number.NaN }),
    /`cache.staleIfError` is NaN; it must be a number of milliseconds/,
  );
  const client = new sdk.Client("https://api.example.com");
  const error = await rejection(client.get("/", { cache: "sometimes" }));
  assert.match(error.message, /`cache` must be one of default, no-store, reload/);
});
