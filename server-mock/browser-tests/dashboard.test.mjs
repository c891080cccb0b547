/** The dashboard as somebody uses it: live, by mouse, by keyboard alone, without its script. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { launch, openPage, Session, startGateway } from "./chromium.mjs";

let browser;
let gateway;

before(async () => {
  gateway = await startGateway("--region", "eu");
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
});

/** A receiver of webhooks: `received` are the ids of what came, `answer` the status of the next answers. */
async function receiver(answer) {
  const server = createServer((request, response) => {
    server.received.push(request.headers["webhook-id"]);
    request.resume();
    request.on("end", () => response.writeHead(server.answer).end());
  });
  Object.assign(server, { received: [], answer });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(server, { url: `http://127.0.0.1:${server.address().port}/hook` });
}

/** Moves the focus forward until it is on what has this name; it has to be seen on the way. */
async function tabTo(page, name) {
  const passed = [];
  for (let presses = 0; presses < 120; presses++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const on = document.activeElement;
      const seen = on.matches(".chip input") ? on.nextElementSibling : on;
      const { outlineStyle, outlineWidth } = getComputedStyle(seen);
      const visible = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
      const label = on.ariaLabel ?? on.labels?.[0]?.textContent ?? on.textContent;
      return { name: label.trim(), visible, exempt: on === document.body || on.id === "main" };
    });
    assert.ok(focused.visible || focused.exempt, `the focus on ${JSON.stringify(focused.name)} cannot be seen`);
    if (focused.name === name) {
      return;
    }
    passed.push(focused.name);
  }
  assert.fail(`tabbing never came to ${name}; it passed ${JSON.stringify(passed)}`);
}

const said = (page, text) => page.getByRole("status").filter({ hasText: text }).waitFor();

test("a request shows up while one looks, without loading the page again", async () => {
  const session = new Session(gateway);
  const page = await openPage(browser, session.page("requests"));
  await page.getByRole("heading", { name: `Waiting for session ${session.name}` }).waitFor();
  await page.evaluate(() => {
    globalThis.sameDocument = true;
  });
  assert.equal((await session.call("GET", "/v1/contacts/ct_000007")).status, 200);
  await page.getByRole("link", { name: "GET /v1/contacts/ct_000007" }).waitFor();
  await session.call("GET", "/v1/contacts/ct_999999");
  const row = page.locator("tr", { hasText: "ct_999999" });
  await row.getByText("404").waitFor();
  assert.equal(await page.evaluate(() => globalThis.sameDocument), true);
  // Paused it stands still; live again it catches up.
  const live = page.getByRole("button", { name: "Live", exact: true });
  await live.click();
  await session.call("GET", "/v1/whoami");
  await page.getByRole("button", { name: "Paused" }).click();
  await page.getByRole("link", { name: "GET /v1/whoami" }).waitFor();
  assert.deepEqual(page.complaints, []);
});

test("a request in full: headers and body without secrets, its problem and its fault", async () => {
  const session = new Session(gateway);
  await session.call("POST", "/v1/contacts", {
    json: { name: "Ada", password: "hunter2" },
    headers: { "x-mock-fault": "503;ra=2", "idempotency-key": "k-1", cookie: "sid=abcdefghijkl" },
  });
  const page = await openPage(browser, session.page("requests"));
  await page.getByRole("link", { name: "POST /v1/contacts" }).click();
  await page.getByRole("heading", { name: "503 POST /v1/contacts" }).waitFor();
  const text = await page.locator("main").innerText();
  for (const part of ["req_", "Bearer ***acme", "503;ra=2", "overloaded", "key:k-1", "Ada", "sid=***ijkl"]) {
    assert.ok(text.includes(part), `${part} is not in ${text}`);
  }
  assert.ok(!text.includes("hunter2") && !text.includes("sk_test") && !text.includes("abcdefgh"), text);
  assert.deepEqual(page.complaints, []);
});

test("what clients send is shown as text, whatever it is", async () => {
  const session = new Session(gateway);
  const markup = "<img src=x onerror=alert(1)>";
  await session.call("POST", `/v1/echo/a?q=${markup}`, {
    headers: { "x-mock-call": markup, "x-strange": markup },
    json: { name: `${markup}</code></pre><script>alert(2)</script>` },
  });
  await session.admin("PUT", "faults", { rules: [{ name: markup, match: { op: markup }, always: "503" }] });
  for (const name of ["", "requests", "requests/1", "calls", "faults"]) {
    const page = await openPage(browser, session.page(name, { all: "1", q: markup }));
    assert.equal(await page.locator("#app img, #app script").count(), 0, name);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  }
});

test("a fault is set by clicking, seen on the wire, and cleared", async () => {
  const session = new Session(gateway);
  await session.call("GET", "/v1/whoami");
  const page = await openPage(browser, session.page("faults"));
  await page.getByLabel("503, retry after 2 s").click();
  await page.getByLabel("Operation").fill("whoami");
  await page.getByLabel("every request").click();
  await page.getByRole("button", { name: "Set fault" }).click();
  await said(page, "Fault 503;ra=2 is set");
  await page.getByText("always 503;ra=2").waitFor();
  const seen = await session.call("GET", "/v1/whoami");
  assert.deepEqual([seen.status, seen.headers.get("retry-after")], [503, "2"]);
  assert.equal((await session.call("GET", "/v1/contacts")).status, 200);
  await page.getByRole("button", { name: "Clear dashboard-1" }).click();
  await page.getByText("None: every request gets its normal answer.").waitFor();
  assert.equal((await session.call("GET", "/v1/whoami")).status, 200);
  // What cannot be played is said, and nothing is set.
  await page.getByLabel("Or as it is written").fill("explode");
  await page.getByRole("button", { name: "Set fault" }).click();
  await said(page, 'fault "explode"');
  assert.deepEqual((await session.admin("GET", "faults")).rules, []);
  assert.deepEqual(
    page.complaints.filter((text) => !text.includes("422")),
    [],
  );
});

test("a region is closed and opened", async () => {
  const session = new Session(gateway);
  await session.call("GET", "/v1/whoami");
  const page = await openPage(browser, session.page("faults"));
  const { regions } = await session.admin("GET", "regions");
  await page.getByRole("button", { name: "Close region eu" }).click();
  await page.getByRole("button", { name: "Open region eu" }).waitFor();
  await assert.rejects(fetch(`${regions[0].url}/healthz`));
  await page.getByRole("button", { name: "Open region eu" }).click();
  await page.getByRole("button", { name: "Close region eu" }).waitFor();
  assert.equal((await fetch(`${regions[0].url}/healthz`)).status, 200);
  assert.deepEqual(page.complaints, []);
});

test("the clock is frozen, moved and resumed", async () => {
  const session = new Session(gateway);
  await session.call("GET", "/v1/whoami");
  const page = await openPage(browser, session.page());
  await page.getByRole("button", { name: "Freeze" }).click();
  await page.getByText("frozen", { exact: true }).waitFor();
  const before = await session.admin("GET", "clock");
  await page.getByRole("button", { name: "+1 h: advance the clock by an hour" }).click();
  await said(page, "The clock shows");
  const after = await session.admin("GET", "clock");
  assert.deepEqual([after.frozen, after.now_ms - before.now_ms], [true, 3_600_000]);
  const dated = Date.parse((await session.call("GET", "/v1/whoami")).headers.get("date"));
  assert.equal(dated, Math.floor(after.now_ms / 1_000) * 1_000);
  await page.locator("time", { hasText: after.now.slice(11, 19) }).waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("button", { name: "Freeze" }).waitFor();
  assert.equal((await session.admin("GET", "clock")).frozen, false);
  assert.deepEqual(page.complaints, []);
});

test("a webhook that failed is sent again by keyboard alone, and the focus stays", async (t) => {
  const session = new Session(gateway);
  const hook = await receiver(410);
  t.after(() => hook.close());
  await session.admin("POST", "webhooks/endpoints", { url: hook.url });
  await session.call("POST", "/v1/contacts", { json: { name: "Ada" } });
  const page = await openPage(browser, session.page("webhooks"));
  await page.locator("#dlv_000001").getByText("failed").waitFor();
  hook.answer = 204;
  await tabTo(page, "Enable ep_000001");
  await page.keyboard.press("Enter");
  await page.getByText("active", { exact: true }).waitFor();
  await tabTo(page, "Redeliver dlv_000001");
  await page.keyboard.press("Space");
  // What is said goes away by itself, so it is looked for first.
  await said(page, "dlv_000001 is sent again as dlv_000002");
  await page.locator("#dlv_000002").getByText("delivered").waitFor();
  assert.equal(hook.received.length, 2);
  assert.equal(hook.received[0], hook.received[1]);
  const focused = await page.evaluate(() => document.activeElement.getAttribute("aria-label"));
  assert.equal(focused, "Redeliver dlv_000001");
  assert.deepEqual(page.complaints, []);
});

test("dead letters are sent again and discarded by keyboard alone, and the focus goes on beside them", async (t) => {
  const session = new Session(gateway);
  const hook = await receiver(410);
  t.after(() => hook.close());
  for (let endpoint = 0; endpoint < 3; endpoint++) {
    await session.admin("POST", "webhooks/endpoints", { url: hook.url, types: ["contact.*"] });
  }
  await session.call("POST", "/v1/contacts", { json: { name: "Ada" } });
  const page = await openPage(browser, session.page("webhooks"));
  await page.locator("#dead-dlv_000003").getByText("gone").waitFor();
  await page.locator("nav").getByText("3", { exact: true }).waitFor();
  hook.answer = 204;
  for (const id of ["ep_000001", "ep_000002", "ep_000003"]) {
    await page.getByRole("button", { name: `Enable ${id}` }).click();
    await page.getByRole("button", { name: `Disable ${id}` }).waitFor();
  }
  await tabTo(page, "Discard the dead letter dlv_000003");
  await page.keyboard.press("Enter");
  await said(page, "dlv_000003 is discarded");
  await page.locator("#dead-dlv_000003").waitFor({ state: "detached" });
  const focused = () => page.evaluate(() => document.activeElement.textContent.trim());
  assert.equal(await focused(), "Redeliver all dead letters");
  await page.getByRole("combobox", { name: /^Endpoint/ }).selectOption("ep_000001");
  await page.waitForURL(/endpoint=ep_000001/);
  await page.locator("#dead-dlv_000002").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Redeliver all dead letters" }).click();
  await said(page, "1 dead letters are sent again");
  await page.locator("#dead").waitFor({ state: "detached" });
  await page.goto(session.page("webhooks"));
  await page.getByRole("button", { name: "Redeliver the dead letter dlv_000002" }).click();
  await page.locator("#dead").waitFor({ state: "detached" });
  await page.locator("#dlv_000005").getByText("delivered").waitFor();
  assert.equal(hook.received.length, 5);
  assert.deepEqual(page.complaints, []);
});

test("the filter of an endpoint is set, and a wrong one is said where it is wrong", async (t) => {
  const session = new Session(gateway);
  const hook = await receiver(204);
  t.after(() => hook.close());
  await session.admin("POST", "webhooks/endpoints", { url: hook.url });
  const page = await openPage(browser, session.page("webhooks"));
  await page.locator("summary", { hasText: "Change" }).click();
  const events = page.getByRole("form", { name: "Events of ep_000001" });
  await events.getByLabel("Filter").fill("$.data.name = 1");
  await events.getByRole("button", { name: "Save events of ep_000001" }).click();
  await said(page, "filter: ");
  assert.equal(await page.locator("#said.wrong").count(), 1);
  // What is typed stays while the page changes.
  await session.call("POST", "/v1/contacts", { json: { name: "Grace" } });
  await page.locator("#dlv_000001").getByText("delivered").waitFor();
  assert.equal(await events.getByLabel("Filter").inputValue(), "$.data.name = 1");
  await events.getByLabel("Filter").fill('$.data.name == "Ada"');
  await events.getByLabel("Types").fill("contact.*");
  await page.keyboard.press("Enter");
  await said(page, "The events of ep_000001 are set");
  await page.locator("#ep_000001 code.filter", { hasText: '$.data.name == "Ada"' }).waitFor();
  for (const name of ["Grace", "Ada"]) {
    await session.call("POST", "/v1/contacts", { json: { name } });
  }
  await page.locator("#dlv_000002").getByText("delivered").waitFor();
  assert.equal(hook.received.length, 2);
  // The browser says itself that the wrong one was refused.
  assert.deepEqual(
    page.complaints.filter((text) => !text.includes("status of 422")),
    [],
  );
});

test("the secret of an endpoint is rotated and shown", async () => {
  const session = new Session(gateway);
  const made = await session.admin("POST", "webhooks/endpoints", { url: "http://127.0.0.1:9/hook" });
  const page = await openPage(browser, session.page("webhooks"));
  await tabTo(page, "Change ep_000001");
  await page.keyboard.press("Enter");
  await page.getByText("One secret signs.").waitFor();
  await page.getByLabel("The old secret signs for").selectOption("an hour more");
  await tabTo(page, "Rotate the secret of ep_000001");
  await page.keyboard.press("Space");
  await said(page, "ep_000001 has a new secret; 2 sign now");
  await page.getByText("2 secrets sign, the next old one until").waitFor();
  const { endpoints } = await session.admin("GET", "webhooks/endpoints");
  assert.notEqual(endpoints[0].secret, made.secret);
  await page.getByText("Show the secret of ep_000001").click();
  await page.getByText(endpoints[0].secret, { exact: true }).waitFor();
  assert.deepEqual(page.complaints, []);
});

test("limits in a store that gateways share are shown as the store has them", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gatewright-shared-"));
  const limits = `sqlite:${join(folder, "limits.db")}`;
  const [one, other] = [await startGateway("--limits", limits), await startGateway("--limits", limits)];
  t.after(async () => {
    await Promise.all([one.stop(), other.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });
  const session = new Session(one);
  const same = Object.assign(new Session(other), { name: session.name });
  const tiny = { key: "sk_test_tiny_globex" };
  // Nothing comes back while one looks.
  for (const some of [session, same]) {
    await some.call("GET", "/healthz");
    await some.admin("POST", "clock", { freeze: true });
    await some.admin("POST", "clock", { advance_to_ms: Date.UTC(2040, 0) });
  }
  await session.call("GET", "/v1/whoami", tiny);
  const page = await openPage(browser, session.page("limits"));
  await page.getByRole("heading", { name: "Counted in a SQLite file" }).waitFor();
  await page.locator(".limit", { hasText: "2 of 3 left" }).waitFor();
  // The other gateway uses up what is left; this one hears of it from the store alone.
  for (let call = 0; call < 2; call++) {
    assert.equal((await same.call("GET", "/v1/whoami", tiny)).status, 200);
  }
  await page.locator(".limit", { hasText: "0 of 3 left" }).waitFor();
  await page.getByText("In progress everywhere").waitFor();
  assert.equal((await session.call("GET", "/v1/whoami", tiny)).status, 429);
  assert.deepEqual(page.complaints, []);
});

test("all sessions are looked at together", async () => {
  const alone = await startGateway();
  try {
    const [busy, calm] = [new Session(alone), new Session(alone)];
    await calm.call("GET", "/v1/whoami");
    const page = await openPage(browser, calm.page("sessions"));
    await page.getByRole("img", { name: "1 requests of all sessions in the last minute, by second" }).waitFor();
    for (const fault of ["503", "ok"]) {
      await busy.call("GET", "/v1/whoami", { headers: { "x-mock-fault": fault } });
    }
    await page.getByRole("img", { name: "3 requests of all sessions in the last minute, by second" }).waitFor();
    const row = page.locator("tr", { hasText: busy.name });
    assert.equal(await row.locator(".badge.server").innerText(), "1");
    await row.getByRole("link", { name: `2 requests of ${busy.name}` }).click();
    await page.getByText("503", { exact: true }).first().waitFor();
    assert.deepEqual(page.complaints, []);
  } finally {
    await alone.stop();
  }
});

test("an event that is made to happen arrives and is listed", async (t) => {
  const session = new Session(gateway);
  const hook = await receiver(204);
  t.after(() => hook.close());
  await session.admin("POST", "webhooks/endpoints", { url: hook.url });
  const page = await openPage(browser, session.page("events"));
  await page.getByLabel("Type").fill("user.updated");
  await page.getByRole("button", { name: "Send event" }).click();
  const row = page.locator("tr", { hasText: "user.updated" });
  await row.getByText("1 of 1 delivered").waitFor();
  assert.equal(hook.received.length, 1);
  // What somebody has opened stays open while the page changes.
  await row.getByText("JSON").click();
  await session.call("POST", "/v1/contacts", { json: { name: "Ada" } });
  await page.locator("tr", { hasText: "contact.created" }).waitFor();
  assert.equal(await row.locator("details").evaluate((details) => details.open), true);
  assert.deepEqual(page.complaints, []);
});

test("a retried call is one timeline, with its waits and what was asked for", async () => {
  const session = new Session(gateway);
  const create = (fault) =>
    session.call("POST", "/v1/contacts", {
      json: { name: "Ada" },
      headers: { "idempotency-key": "order-7", "x-mock-fault": fault },
    });
  await create("503;ra=2");
  await create("reset");
  assert.equal((await create("ok")).status, 201);
  const page = await openPage(browser, session.page("calls"));
  const picture = page.getByRole("img", {
    name: /^3 attempts: 503 that asked to wait 2\.00 s; after .* no answer; after .* 201$/,
  });
  await picture.waitFor();
  assert.equal(await picture.locator("rect.attempt").count(), 3);
  assert.equal(await picture.locator("rect.asked").count(), 1);
  await page.getByText("Attempts of this call in words").click();
  assert.deepEqual(await page.locator(".steps .badge").allInnerTexts(), ["503", "no answer", "201"]);
  assert.deepEqual(page.complaints, []);
});

test("limits are drawn with every refusal", async () => {
  const session = new Session(gateway);
  await session.call("GET", "/healthz");
  await session.admin("POST", "clock", { freeze: true });
  for (let call = 0; call < 5; call++) {
    await session.call("GET", "/v1/whoami", { key: "sk_test_tiny_globex" });
  }
  const page = await openPage(browser, session.page("limits"));
  await page.getByRole("img", { name: /^5 decisions .* 2 refused; 0 of 3 calls left/ }).waitFor();
  assert.equal(await page.locator(".refusal").count(), 2);
  assert.match(await page.locator(".limit").innerText(), /0 of 3 left/);
  assert.deepEqual(page.complaints, []);
});

test("the filter of requests is kept in the address, and usage counts what was used", async () => {
  const session = new Session(gateway);
  for (const path of ["/v1/whoami", "/v1/whoami", "/v1/contacts/none"]) {
    await session.call("GET", path);
  }
  const page = await openPage(browser, session.page("requests"));
  await page.getByLabel("Status").selectOption("client");
  await page.waitForURL(/status=client/);
  await page.getByRole("link", { name: "GET /v1/contacts/none" }).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 1);
  await page.goto(session.page("usage"));
  const row = page.locator("tr", { hasText: "whoami" });
  await row.waitFor();
  assert.equal(await row.locator("td").first().innerText(), "2");
  assert.deepEqual(page.complaints, []);
});

test("sessions are chosen, and made as new", async () => {
  const session = new Session(gateway);
  await session.call("POST", "/v1/contacts", { json: { name: "Ada" } });
  const page = await openPage(browser, session.page("sessions"));
  await page.getByRole("button", { name: `Reset ${session.name}`, exact: true }).click();
  await said(page, `Session ${session.name} is as new`);
  assert.deepEqual((await session.admin("GET", "journal")).entries, []);
  await page.getByLabel("Session", { exact: true }).selectOption("default");
  await page.waitForURL(/session=default/);
  assert.deepEqual(page.complaints, []);
});

test("without its script all of it works by loading pages", async () => {
  const session = new Session(gateway);
  await session.call("GET", "/v1/whoami");
  const page = await openPage(browser, session.page("faults"), { javaScriptEnabled: false });
  await page.getByLabel("connection reset").click();
  await page.getByRole("button", { name: "Set fault" }).click();
  await page.waitForURL(/dashboard\/faults\?session=/);
  await page.getByText("dashboard-1").waitFor();
  assert.ok((await session.call("GET", "/v1/whoami")).error);
  await page.getByRole("link", { name: "Requests" }).click();
  await page.getByText("cut", { exact: true }).first().waitFor();
  assert.deepEqual(page.complaints, []);
});
