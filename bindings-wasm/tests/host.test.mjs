/** What the WebAssembly module leaves to its host: names of hosts, clocks, headers as bytes, settings that fetch has not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { Client } from "gatewright-web";

import { serve } from "./server.mjs";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

test("international host names become ASCII by the host's URL", () => {
  assert.equal(new Client("https://bücher.example/v1").baseUrl, "https://xn--bcher-kva.example/v1");
  assert.equal(new Client("https://xn--bcher-kva.example").baseUrl, "https://xn--bcher-kva.example/");
  assert.doesNotThrow(() => new Client("https://h.example", { allowedOrigins: ["https://münchen.example"] }));
});

test("an absolute URL with an international name is judged by that name", async () => {
  const client = new Client("https://bücher.example", { retry: false });
  await assert.rejects(client.get("https://münchen.example/x"), { code: "cross_origin" });
});

for (const [name, value] of [
  ["proxy", "http://proxy:3128"],
  ["caCertificates", "-----BEGIN CERTIFICATE-----"],
  ["connectTimeout", 1000],
]) {
  test(`${name} is refused, because a fetch has it not`, () => {
    assert.throws(
      () => new Client("https://h.example", { [name]: value }),
      (error) => {
        assert.equal(error.code, "invalid_config");
        assert.match(error.message, new RegExp(name));
        return true;
      },
    );
  });
}

test("header values are bytes: they go as UTF-8 and come as fetch has them, a character for each", async () => {
  const server = await serve((request, response) => response.setHeader("x-echo", request.headers["x-name"]).end("{}"));
  const answer = await new Client(server.url).get("/", { headers: { "x-name": "Zoë" } });
  assert.equal(answer.headers.get("x-echo"), Buffer.from("Zoë").toString("latin1"));
  await server.close();
});

test("several cookies stay several", async () => {
  const server = await serve((_, response) => response.setHeader("set-cookie", ["a=1", "b=2"]).end("{}"));
  const answer = await new Client(server.url).get("/");
  assert.deepEqual(answer.headers.getSetCookie(), ["a=1", "b=2"]);
  await server.close();
});

test("redirects are followed by the core's rules, and no secret goes to another origin", async () => {
  const elsewhere = await serve((_, response) => response.end("{}"));
  const server = await serve((request, response) => {
    const to = request.url === "/near" ? "/end" : `${elsewhere.url}/far`;
    if (request.url === "/end") {
      response.end("{}");
    } else {
      response.writeHead(307, { location: to }).end();
    }
  });
  const client = new Client(server.url, { auth: { apiKey: "canary", header: "x-api-key" } });
  const near = await client.post("/near", { json: { a: 1 } });
  assert.equal(new URL(near.url).pathname, "/end");
  await assert.rejects(client.get("/far"), { code: "cross_origin" });
  assert.equal(elsewhere.seen.length, 0);
  const allowed = new Client(server.url, {
    auth: { apiKey: "canary", header: "x-api-key" },
    allowedOrigins: [elsewhere.url],
  });
  await allowed.get("/far");
  assert.equal(elsewhere.seen.length, 1);
  assert.equal(elsewhere.seen[0].headers["x-api-key"], undefined);
  await Promise.all([server.close(), elsewhere.close()]);
});

test("a stream with a length goes out with it, one without in chunks", async () => {
  const server = await serve((request, response) => {
    request.resume().on("end", () => response.end("{}"));
  });
  const client = new Client(server.url);
  await client.put("/", { body: new Blob([new Uint8Array(2 * 1024 * 1024)]) });
  await client.put("/", { body: new Blob(["abc"]).stream() });
  const [known, unknown] = server.seen;
  assert.deepEqual([known.headers["content-length"], known.headers["transfer-encoding"]], ["2097152", undefined]);
  assert.deepEqual([unknown.headers["content-length"], unknown.headers["transfer-encoding"]], [undefined, "chunked"]);
  await server.close();
});

test("10 000 calls one after the other do not make the module's memory grow", async () => {
  const server = await serve((_, response) => response.end('{"a":1}'));
  const client = new Client(server.url);
  for (let i = 0; i < 1000; i++) {
    await client.get("/");
  }
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 9000; i++) {
    await client.get("/");
  }
  collectGarbage();
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.ok(grown < 8 * 1024 * 1024, `it grew by ${grown} bytes`);
  await server.close();
});
