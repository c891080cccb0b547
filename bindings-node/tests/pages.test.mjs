/** Lists, page by page and item by item. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { idle, rejection, Session } from "./gateway.mjs";
import { sdk } from "./package.mjs";

const FORTY_FIVE = Array.from({ length: 45 }, (_, at) => `ct_${String(at + 1).padStart(6, "0")}`);

test("all pages", async () => {
  const session = new Session();
  const pages = [];
  for await (const page of session.client().pages("/v1/contacts", { query: { limit: 20 } })) {
    assert.ok(page.response instanceof sdk.Response);
    assert.equal((await page.response.json()).data.length, page.items.length);
    pages.push(page.items.length);
  }
  assert.deepEqual(pages, [20, 20, 5]);
  assert.equal((await session.journal()).length, 3);
});

test("all items, in order", async () => {
  const session = new Session();
  const ids = [];
  for await (const item of session.client().items("/v1/contacts", { query: { limit: 20 } })) {
    ids.push(item.id);
  }
  assert.deepEqual(ids, FORTY_FIVE);
});

test("a page is fetched when the loop asks for it, and none after it is left", async () => {
  const session = new Session();
  const client = session.client();
  const pages = client.pages("/v1/contacts", { query: { limit: 20 } });
  assert.equal((await session.journal()).length, 0);
  for await (const page of pages) {
    assert.equal(page.items.length, 20);
    break;
  }
  assert.equal((await session.journal()).length, 1);
  assert.deepEqual(await pages.next(), { done: true, value: undefined });
  let count = 0;
  for await (const item of client.items("/v1/contacts", { query: { limit: 20 } })) {
    assert.ok(item.id);
    count += 1;
    if (count === 21) {
      break;
    }
  }
  assert.equal((await session.journal()).length, 3);
  await idle(client);
});

test("returning ends the page that is under way", async () => {
  const session = new Session();
  await session.script("contacts.list", "hang");
  const client = session.client();
  const pages = client.pages("/v1/contacts");
  const next = pages.next();
  await pages.return();
  assert.deepEqual(await next, { done: true, value: undefined });
  await idle(client);
});

test("where a list has its items and cursors can be said", async () => {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    const after = new URL(request.url, "http://h").searchParams.get("after");
    const page = { result: { things: after ? [3] : [1, 2] }, paging: { next: after ? null : "two" } };
    response.setHeader("content-type", "application/json").end(JSON.stringify(page));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const client = new sdk.Client(`http://127.0.0.1:${server.address().port}`);
    const options = { items: "result.things", cursor: "paging.next", cursorParam: "after", query: { size: 2 } };
    const items = [];
    for await (const item of client.items("/list", options)) {
      items.push(item);
    }
    assert.deepEqual(items, [1, 2, 3]);
    assert.deepEqual(asked, ["/list?size=2", "/list?size=2&after=two"]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("a list that has no items where they should be is a DecodeError", async () => {
  const session = new Session();
  const error = await rejection(session.client().pages("/v1/contacts", { items: "nothing.here" }).next());
  assert.ok(error instanceof sdk.DecodeError, String(error));
  assert.match(error.message, /nothing/);
});

test("a page that fails is retried, and what stays is thrown where the loop is", async () => {
  const session = new Session();
  await session.script("contacts.list", "ok", "503", "ok", "403");
  const lengths = [];
  const error = await rejection(
    (async () => {
      for await (const page of session.client().pages("/v1/contacts", { query: { limit: 20 } })) {
        lengths.push([page.items.length, page.response.attempts.length]);
      }
    })(),
  );
  assert.deepEqual(lengths, [
    [20, 1],
    [20, 2],
  ]);
  assert.ok(error instanceof sdk.PermissionDeniedError, String(error));
});

test("pages that are asked for together come in order", async () => {
  const session = new Session();
  const pages = session.client().pages("/v1/contacts", { query: { limit: 20 } });
  const read = await Promise.all([pages.next(), pages.next(), pages.next(), pages.next()]);
  assert.deepEqual(
    read.map(({ done, value }) => (done ? "end" : value.items.length)),
    [20, 20, 5, "end"],
  );
});

test("wrong input is told by the first page, and nothing is sent", async () => {
  const session = new Session();
  const client = session.client();
  for (const [path, options, text] of [
    [5, undefined, "the path must be a string, not a number"],
    ["/v1/contacts", { items: 5 }, "`items` must be a string, not a number"],
    ["/v1/contacts", { json: {} }, "a list has no option `json`"],
    ["/v1/contacts", { idempotencyKey: "k" }, "a list has no option `idempotencyKey`"],
  ]) {
    const error = await rejection(client.pages(path, options).next());
    assert.ok(error instanceof sdk.InvalidRequestError, String(error));
    assert.ok(error.message.includes(text), error.message);
    assert.ok((await rejection(client.items(path, options).next())) instanceof sdk.InvalidRequestError);
  }
  assert.deepEqual(await session.journal(), []);
});
