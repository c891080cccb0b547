/** Downloads that go on where they break, resumable uploads, floors of throughput. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { bodyOf, idle, rejection, Session, until } from "./gateway.mjs";
import { notOnFetch, ON_FETCH, sdk } from "./package.mjs";

const CONTENT = "/v1/files/gen-200000-7/content";
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** What the gateway has under CONTENT. */
async function content(session) {
  return (await session.client().get(CONTENT)).bytes();
}

/** A folder that is gone after the test. */
async function folder(t) {
  const path = await mkdtemp(join(tmpdir(), "gatewright-"));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

/** The upload's body as it arrived, piece by piece. */
async function pieces(session) {
  return (await session.journal())
    .filter((entry) => entry.method === "PATCH" && entry.status !== null && entry.status < 300)
    .map((entry) => bodyOf(entry).toString());
}

test("a download that breaks goes on, not a byte doubled or lost", async () => {
  const session = new Session();
  const whole = await content(session);
  await session.script("files.content", "fin@90000", "reset@90000", "ok");
  const client = session.client();
  const download = await client.download(CONTENT);
  assert.ok(download instanceof sdk.Download && download instanceof sdk.StreamResponse);
  assert.equal(Object.prototype.toString.call(download), "[object Download]");
  assert.equal(download.total, 200_000);
  assert.equal(download.status, 200);
  assert.equal(sha256(await download.bytes()), sha256(whole));
  assert.equal(download.attempts.length, 3);
  assert.deepEqual(
    download.attempts.map(({ status }) => status),
    [200, 206, 206],
  );
  assert.match(download.timeline(), /#3/);
  const ranges = (await session.headerOf("range")).slice(1);
  assert.equal(ranges[0], undefined);
  assert.match(ranges[1], /^bytes=[1-9]\d*-$/);
  await idle(client);
});

test("a download is a stream, a Blob, pieces, or nothing any more", async () => {
  const session = new Session();
  const client = session.client();
  const whole = sha256(await content(session));
  const stream = (await client.download(CONTENT)).body;
  assert.equal(sha256(Buffer.from(await new Response(stream).arrayBuffer())), whole);
  const blob = await (await client.download(CONTENT)).blob();
  assert.equal(blob.size, 200_000);
  assert.equal(sha256(Buffer.from(await blob.arrayBuffer())), whole);
  for await (const piece of await client.download(CONTENT)) {
    assert.ok(piece.length > 0);
    break;
  }
  const cancelled = await client.download(CONTENT);
  await cancelled.cancel();
  assert.ok((await rejection(cancelled.bytes())) instanceof sdk.ClosedError);
  const abort = new AbortController();
  const aborted = await client.download("/v1/drip", {
    query: { bytes: 100_000, interval_ms: 20 },
    signal: abort.signal,
  });
  abort.abort(new Error("enough"));
  assert.equal((await rejection(aborted.bytes())).message, "enough");
  await idle(client);
});

test("another version is never mixed in, and a status that is an error is one", async () => {
  const session = new Session();
  const client = session.client();
  const missing = await rejection(client.download("/v1/files/nothing/content"));
  assert.ok(missing instanceof sdk.NotFoundError);
  for (const [options, says] of [
    [{ throwOnError: false }, /a download has no option `throwOnError`/],
    [{ cache: "reload" }, /no option `cache`/],
    [{ headers: { range: "bytes=5-" } }, /sets Range and If-Range itself/],
  ]) {
    const wrong = await rejection(client.download(CONTENT, options));
    assert.ok(wrong instanceof sdk.InvalidRequestError, String(wrong));
    assert.match(wrong.message, says);
  }
});

test("a download into a file goes on where an earlier run ended", notOnFetch("no files"), async (t) => {
  const session = new Session();
  const whole = sha256(await content(session));
  const place = await folder(t);
  const file = join(place, "report.bin");
  const client = session.client({ retry: { maxAttempts: 1 } });
  await session.script("files.content", "fin@90000", "ok");
  const broken = await rejection(client.downloadTo(CONTENT, file));
  assert.ok(broken instanceof sdk.ConnectionLostError, String(broken));
  assert.deepEqual((await readdir(place)).sort(), ["report.bin.part", "report.bin.part.version"]);
  const done = await client.downloadTo(CONTENT, pathToFileURL(file));
  assert.ok(done.resumedFrom > 0 && done.resumedFrom < 200_000);
  assert.equal(done.length, 200_000);
  assert.match(done.headers.get("content-range"), /200000$/);
  assert.equal(done.attempts.length, 1);
  assert.ok(done.elapsedMs > 0);
  assert.deepEqual(await readdir(place), ["report.bin"]);
  assert.equal(sha256(await readFile(file)), whole);
  const wrong = await rejection(client.downloadTo(CONTENT, 5));
  assert.match(wrong.message, /a file must be a path or a file: URL, not/);
});

test("without files a download into one says so", { skip: !ON_FETCH && "there are files" }, async () => {
  const session = new Session();
  const client = session.client();
  const into = await rejection(client.downloadTo(CONTENT, "report.bin"));
  assert.ok(into instanceof sdk.InvalidRequestError);
  assert.match(into.message, /needs files/);
  const from = await rejection(client.upload("/v1/files", { file: "report.bin" }));
  assert.ok(from instanceof sdk.InvalidRequestError);
  assert.match(from.message, /no files here/);
  assert.deepEqual(await session.journal(), []);
});

test("an upload goes piece by piece, and after a break from where the server is", async () => {
  const session = new Session();
  const client = session.client();
  await session.script("uploads.append", "ok", "reset", "ok");
  const positions = [];
  const uploaded = await client.upload("/v1/files", new Blob(["a".repeat(250)], { type: "text/plain" }), {
    chunkSize: 100,
    onProgress: (position) => positions.push(position),
  });
  assert.ok(uploaded.response instanceof sdk.Response);
  assert.equal(uploaded.response.status, 201);
  assert.equal(uploaded.resumable, true);
  assert.equal(uploaded.answerLost, false);
  assert.equal((await uploaded.response.json()).size, 250);
  assert.equal((await pieces(session)).join(""), "a".repeat(250));
  assert.ok(uploaded.response.attempts.length > 4);
  assert.deepEqual(positions.at(-1).offset, 250);
  assert.equal(positions.at(-1).length, 250);
  assert.match(positions.at(-1).location, /^http/);
  const created = (await session.journal()).find((entry) => entry.method === "POST");
  assert.equal(Object.fromEntries(created.headers)["content-type"], "text/plain");
});

test("an upload that failed is gone on with from its location, which no log shows", async () => {
  const session = new Session();
  const client = session.client({ retry: { maxAttempts: 1 } });
  await session.script("uploads.append", "ok", "403");
  const bytes = new TextEncoder().encode("0123456789".repeat(20));
  const error = await rejection(client.upload("/v1/files", bytes, { chunkSize: 100 }));
  assert.ok(error instanceof sdk.PermissionDeniedError, String(error));
  const { location, offset, length } = error.upload;
  assert.equal(offset, 100);
  assert.equal(length, 200);
  assert.ok(!JSON.stringify(error).includes('"upload"'));
  const { response } = await client.upload("/v1/files", bytes, { resume: location });
  assert.equal(response.status, 201);
  assert.equal((await pieces(session)).join(""), "0123456789".repeat(20));
  const other = await rejection(client.get("/v1/status/404"));
  assert.equal(other.upload, null);
});

test("streams, text and functions are uploaded too", async () => {
  const session = new Session();
  const client = session.client();
  async function* numbers() {
    for (let number = 0; number < 30; number++) {
      yield `${number % 10}`.repeat(10);
    }
  }
  for (const source of [numbers(), () => numbers(), new Blob(["x".repeat(300)]).stream(), "y".repeat(300)]) {
    const { response, resumable } = await client.upload("/v1/files", source, { chunkSize: 128 });
    assert.equal(resumable, true);
    assert.equal((await response.json()).size, 300);
  }
});

test("a file is uploaded piece by piece", notOnFetch("no files"), async (t) => {
  const session = new Session();
  const file = join(await folder(t), "report.txt");
  await writeFile(file, "b".repeat(250));
  const { response } = await session.client().upload("/v1/files", { file: pathToFileURL(file) }, { chunkSize: 100 });
  assert.equal((await response.json()).size, 250);
  assert.equal((await pieces(session)).join(""), "b".repeat(250));
  const missing = await rejection(session.client().upload("/v1/files", { file: `${file}.not` }));
  assert.ok(missing instanceof sdk.InvalidRequestError, String(missing));
});

test("a server that does not speak the draft gets a plain upload", async () => {
  const session = new Session();
  const { response, resumable } = await session
    .client()
    .upload("/v1/sink", "plain", { method: "PUT", headers: { "content-type": "text/csv" } });
  assert.equal(response.status, 200);
  assert.equal(resumable, false);
  assert.equal(bodyOf(await session.last()).toString(), "plain");
});

test("what is wrong about an upload is said before anything is sent", async () => {
  const session = new Session();
  const client = session.client();
  for (const [source, options, says] of [
    ["x", { chunkSize: 0 }, /chunkSize/],
    ["x", { chunkSize: "a" }, /`chunkSize` must be a number/],
    ["x", { chunks: 5 }, /an upload has no option `chunks`/],
    ["x", { onProgress: 5 }, /onProgress/],
    ["x", { json: {} }, /no option `json`/],
    [5, {}, /`body` must be/],
  ]) {
    const error = await rejection(client.upload("/v1/files", source, options));
    assert.ok(error instanceof sdk.InvalidRequestError, String(error));
    assert.match(error.message, says);
  }
  const abort = AbortSignal.abort(new Error("no"));
  assert.equal((await rejection(client.upload("/v1/files", "x", { signal: abort }))).message, "no");
  assert.deepEqual(await session.journal(), []);
});

test("a signal ends an upload", async () => {
  const session = new Session();
  const client = session.client();
  await session.script("uploads.append", "latency=60000");
  const abort = new AbortController();
  const upload = rejection(client.upload("/v1/files", "x".repeat(100), { chunkSize: 50, signal: abort.signal }));
  await until(async () => (await session.journal()).some((entry) => entry.method === "PATCH"));
  abort.abort(new Error("enough"));
  assert.equal((await upload).message, "enough");
  await idle(client);
});

test("a body that is too slow is given up, where that is asked for", async () => {
  const session = new Session();
  const query = { bytes: 200, interval_ms: 20 };
  const floor = { bytesPerSecond: 100_000, grace: 100 };
  const plain = session.client({ retry: false });
  const slow = await rejection((await plain.stream("GET", "/v1/drip", { query, minThroughput: floor })).bytes());
  assert.ok(slow instanceof sdk.TimeoutError, String(slow));
  assert.match(slow.message, /where at least 100000 bytes\/s are wanted/);
  assert.match(slow.message, /`minThroughput`/);
  const everywhere = session.client({ retry: false, minThroughput: floor });
  assert.ok((await rejection(everywhere.get("/v1/drip", { query }))) instanceof sdk.TimeoutError);
  assert.equal(
    (await everywhere.get("/v1/drip", { query: { bytes: 20, interval_ms: 10 }, minThroughput: null })).status,
    200,
  );
  for (const [minThroughput, says] of [
    [5, /`minThroughput` must be an object, or null for no floor/],
    [{ bytes: 5 }, /no option `bytes`/],
    [{ grace: -1 }, /grace/],
  ]) {
    assert.match((await rejection(plain.get("/v1/whoami", { minThroughput }))).message, says);
    assert.throws(() => session.client({ minThroughput }), sdk.InvalidConfigError);
  }
});

test("a queue that is full refuses further calls", async () => {
  const session = new Session();
  const client = session.client({ pacing: { maxQueue: 1 }, quota: "1/min", timeout: 5000 });
  await client.get("/v1/whoami");
  const abort = new AbortController();
  const waiting = rejection(client.get("/v1/whoami", { signal: abort.signal, timeout: null }));
  const refused = await rejection(client.get("/v1/whoami", { timeout: null }));
  assert.ok(refused instanceof sdk.RateLimitedError, String(refused));
  abort.abort();
  await waiting;
  assert.throws(() => session.client({ pacing: { queue: 1 } }), /`pacing` has no option `queue`/);
  assert.throws(() => session.client({ pacing: 5 }), /`pacing` must be true, false or an object/);
});

test("pins that are none are refused", async () => {
  const session = new Session();
  for (const pins of ["sha256/x", [5], ["md5/x"]]) {
    assert.throws(
      () => session.client({ pins }),
      (error) => error instanceof sdk.InvalidConfigError && /pins/.test(error.message),
    );
  }
});
