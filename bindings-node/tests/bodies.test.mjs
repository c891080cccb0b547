/** Bodies of requests of every kind, compared with what arrived. */

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createReadStream, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";

import { bodyOf, rejection, Session, until } from "./gateway.mjs";
import { notOnFetch, sdk } from "./package.mjs";

const TEXT = "tëxt \u{1f980}";
const bytes = () => new TextEncoder().encode(TEXT);
const json = (value) => Buffer.from(JSON.stringify(value));

const BODIES = [
  ["text", () => TEXT, bytes(), "text/plain;charset=UTF-8"],
  ["empty text", () => "", new Uint8Array(), "text/plain;charset=UTF-8"],
  ["Uint8Array", bytes, bytes(), undefined],
  ["Buffer", () => Buffer.from(TEXT), bytes(), undefined],
  ["a part of a buffer", () => Buffer.from(`..${TEXT}..`).subarray(2, -2), bytes(), undefined],
  ["ArrayBuffer", () => bytes().buffer, bytes(), undefined],
  ["DataView", () => new DataView(bytes().buffer), bytes(), undefined],
  ["Uint16Array", () => new Uint16Array([1, 2]), new Uint8Array([1, 0, 2, 0]), undefined],
  [
    "URLSearchParams",
    () => new URLSearchParams({ a: "x y", b: "ä" }),
    Buffer.from("a=x+y&b=%C3%A4"),
    "application/x-www-form-urlencoded;charset=UTF-8",
  ],
  ["Blob", () => new Blob([TEXT]), bytes(), undefined],
  ["Blob with a type", () => new Blob([TEXT], { type: "text/csv" }), bytes(), "text/csv"],
  ["File", () => new File([TEXT], "name.txt", { type: "text/markdown" }), bytes(), "text/markdown"],
  ["ReadableStream", () => new Blob([TEXT]).stream(), bytes(), undefined],
  ["a Node stream", () => Readable.from([TEXT]), bytes(), undefined],
  ["an async generator", () => pieces("tëxt ", "", "\u{1f980}"), bytes(), undefined],
  [
    "a stream of bytes of several types",
    () => pieces("tëxt ", Buffer.from("\u{1f980}").buffer.slice(0, 0), Buffer.from("\u{1f980}")),
    bytes(),
    undefined,
  ],
  ["a function that makes a stream", () => () => pieces(TEXT), bytes(), undefined],
  ["an empty stream", () => pieces(), new Uint8Array(), undefined],
];

async function* pieces(...parts) {
  for (const part of parts) {
    yield part;
  }
}

for (const [name, make, arrived, contentType] of BODIES) {
  test(`a body: ${name}`, async () => {
    const session = new Session();
    const response = await session.client().post("/v1/echo", { body: make() });
    assert.ok(response.ok);
    const entry = await session.last();
    assert.deepEqual(new Uint8Array(bodyOf(entry)), new Uint8Array(arrived));
    assert.equal(entry.body_complete, true);
    assert.equal(Object.fromEntries(entry.headers)["content-type"], contentType);
  });
}

for (const value of [{}, [], 0, false, "", null, { name: "Zoë", list: [1, 2.5, null, true] }]) {
  test(`json: ${JSON.stringify(value)}`, async () => {
    const session = new Session();
    await session.client().put("/v1/echo", { json: value });
    const entry = await session.last();
    assert.deepEqual(bodyOf(entry), json(value));
    assert.equal(Object.fromEntries(entry.headers)["content-type"], "application/json");
  });
}

test("a body of null or undefined is none", async () => {
  const session = new Session();
  await session.client().post("/v1/echo", { body: null, json: undefined });
  const entry = await session.last();
  assert.equal(entry.body_length, 0);
  assert.equal("content-type" in Object.fromEntries(entry.headers), false);
});

test("a content type of one's own wins", async () => {
  const session = new Session();
  const client = session.client();
  const headers = { "Content-Type": "application/merge-patch+json" };
  await client.patch("/v1/echo", { json: {}, headers });
  await client.post("/v1/echo", { body: new Blob(["x"], { type: "text/csv" }), headers });
  assert.deepEqual(await session.headerOf("content-type"), Array(2).fill("application/merge-patch+json"));
});

test("a FormData is sent as multipart, with its files", async () => {
  const session = new Session();
  const form = new FormData();
  form.set("name", "Zoë");
  form.set("file", new File(["one,two\n"], "ä.csv", { type: "text/csv" }));
  await session.client().post("/v1/echo", { body: form });
  const entry = await session.last();
  const type = Object.fromEntries(entry.headers)["content-type"];
  assert.match(type, /^multipart\/form-data; boundary=/);
  const read = await new Response(bodyOf(entry), { headers: { "content-type": type } }).formData();
  assert.equal(read.get("name"), "Zoë");
  assert.equal(read.get("file").name, "ä.csv");
  assert.equal(read.get("file").type, "text/csv");
  assert.equal(await read.get("file").text(), "one,two\n");
});

test("a large body of bytes, of a Blob and of a file arrives as it was", async (t) => {
  const session = new Session();
  const client = session.client();
  const large = randomBytes(3 * 1024 * 1024 + 7);
  const sum = createHash("sha256").update(large).digest("hex");
  const path = join(tmpdir(), `${session.id}.bin`);
  writeFileSync(path, large);
  t.after(() => rmSync(path));
  for (const body of [large, new Blob([large]), createReadStream(path), () => createReadStream(path)]) {
    const sunk = await (await client.post("/v1/sink", { body })).json();
    assert.deepEqual(sunk, { body_length: large.length, body_sha256: sum });
  }
});

test("a Blob is sent with its length", notOnFetch("it decides that itself"), async () => {
  const session = new Session();
  await session.client().post("/v1/sink", { body: new Blob([new Uint8Array(2 * 1024 * 1024)]) });
  assert.deepEqual(await session.headerOf("content-length"), [String(2 * 1024 * 1024)]);
});

test("what can be sent again is sent again", async () => {
  const form = new FormData();
  form.set("a", "b");
  const bodies = [TEXT, bytes(), new URLSearchParams("a=b"), form, new Blob([TEXT]), () => pieces(TEXT)];
  for (const body of bodies) {
    const session = new Session();
    await session.script("echo", "503", "reset", "ok");
    const response = await session.client().post("/v1/echo", { body });
    assert.equal(response.attempts.length, 3);
    const [first, , third] = await session.journal();
    assert.deepEqual(bodyOf(third), bodyOf(first));
    assert.ok(third.body_length > 0);
    assert.equal(
      third.headers.find(([name]) => name === "content-type")?.[1],
      first.headers.find(([name]) => name === "content-type")?.[1],
    );
  }
});

test("a function makes a new stream for every attempt", async () => {
  const session = new Session();
  await session.script("echo", "503", "ok");
  let made = 0;
  await session.client().post("/v1/echo", {
    body: () => {
      made += 1;
      return pieces(`stream ${made}`);
    },
  });
  assert.equal(made, 2);
  assert.equal(bodyOf(await session.last()).toString(), "stream 2");
});

test("a stream is sent once, and the call is not retried", async () => {
  const session = new Session();
  await session.script("echo", "503", "ok");
  const error = await rejection(session.client().post("/v1/echo", { body: pieces(TEXT) }));
  assert.ok(error instanceof sdk.ServerError, String(error));
  assert.equal(error.attempts.length, 1);
  assert.equal((await session.journal()).length, 1);
});

for (const [name, fails] of [
  [
    "a generator",
    (thrown) =>
      (async function* () {
        yield "x";
        throw thrown;
      })(),
  ],
  [
    "a ReadableStream",
    (thrown) =>
      new ReadableStream({
        pull(controller) {
          controller.error(thrown);
        },
      }),
  ],
  [
    "a function",
    (thrown) => () => {
      throw thrown;
    },
  ],
]) {
  test(`what ${name} throws as a body is the cause`, async () => {
    const session = new Session();
    const thrown = new RangeError("no more pieces");
    const error = await rejection(session.client().post("/v1/sink", { body: fails(thrown) }));
    assert.ok(error instanceof sdk.InvalidRequestError, String(error));
    assert.equal(error.cause, thrown);
    assert.match(error.message, /no more pieces/);
  });
}

test("a stream that gives no bytes is refused", async () => {
  const session = new Session();
  const error = await rejection(session.client().post("/v1/sink", { body: pieces({}) }));
  assert.ok(error instanceof sdk.InvalidRequestError, String(error));
  assert.ok(error.cause instanceof TypeError);
  assert.match(error.message, /a stream as body must give bytes or strings, not an object/);
});

test("a stream that is not read to its end is told so", async () => {
  let [asked, closed] = [false, 0];
  const endless = () => ({
    async next() {
      asked = true;
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { done: false, value: new Uint8Array(65536) };
    },
    async return() {
      closed += 1;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  });
  const session = new Session();
  const client = session.client({ timeout: 3_000 });
  const call = rejection(client.post("/v1/sink", { body: endless() }));
  await until(() => asked);
  const error = await call;
  assert.ok(error instanceof sdk.TimeoutError, String(error));
  assert.equal(closed, 1);
});
