/** Every page of the dashboard for everybody: axe-core, contrast, small screens, chosen colours, less motion. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { lowContrast } from "../../bindings-wasm/browser-tests/contrast.mjs";
import { axe, launch, openPage, Session, startGateway } from "./chromium.mjs";

const PAGES = [
  "",
  "requests",
  "requests/3",
  "calls",
  "limits",
  "webhooks",
  "events",
  "upstreams",
  "usage",
  "faults",
  "sessions",
];

let browser;
let gateway;
let session;
let folder;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "gatewright-look-"));
  const limits = `sqlite:${join(folder, "limits.db")}`;
  gateway = await startGateway("--region", "eu", "--upstream", "orders=http://127.0.0.1:9/", "--limits", limits);
  browser = await launch();
  session = new Session(gateway);
  await session.call("GET", "/healthz");
  await session.admin("POST", "clock", { freeze: true });
  // Nobody listens there: one delivery that waits for its second attempt.
  await session.admin("POST", "webhooks/endpoints", { url: "http://127.0.0.1:9/hook", types: ["contact.*"] });
  await session.admin("POST", "webhooks/endpoints", { listen: true });
  for (const fault of ["503;ra=2", "reset", "429;ra=1", "ok"]) {
    await session.call("POST", "/v1/contacts", {
      json: { name: "Ada", email: "ada@example.com" },
      headers: { "idempotency-key": "k", "x-mock-fault": fault },
    });
  }
  for (let call = 0; call < 5; call++) {
    await session.call("GET", "/v1/contacts?limit=2", { key: "sk_test_tiny_globex" });
  }
  await session.call("GET", "/v1/nothing");
  // What waits for an endpoint that is disabled is a dead letter.
  const endpoint = { url: "http://127.0.0.1:9/gone", types: ["user.*"], filter: '$.data.name == "Ada"' };
  const { id } = await session.admin("POST", "webhooks/endpoints", endpoint);
  await session.admin("POST", "webhooks/send", { endpoint: id, type: "user.created", data: { name: "Ada" } });
  await session.admin("POST", "webhooks/disable", { endpoint: id });
  await session.admin("POST", "faults", { rules: [{ name: "late", match: { op: "users.*" }, always: "503;ra=1" }] });
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
  rmSync(folder, { recursive: true, force: true });
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe-core finds nothing, and all text has enough contrast, when it is ${colorScheme}`, async () => {
    for (const name of PAGES) {
      const page = await openPage(browser, session.page(name, { all: "1" }), { colorScheme, reducedMotion: "reduce" });
      await page.evaluate(() => {
        for (const details of document.querySelectorAll("details")) {
          details.open = true;
        }
      });
      await page.evaluate(axe);
      const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join("; ")}`);
      assert.deepEqual(found, [], name);
      assert.ok(passes.length > 15, `only ${passes.length} rules were asked of ${name}`);
      const contrast = await page.evaluate(lowContrast);
      assert.deepEqual(contrast.found, [], name);
      assert.ok(contrast.looked > 20, `only ${contrast.looked} pieces of text were looked at`);
      const [red] = (await page.evaluate(() => getComputedStyle(document.body).backgroundColor))
        .match(/\d+/g)
        .map(Number);
      assert.ok(colorScheme === "dark" ? red < 60 : red > 200, `the background has red ${red}`);
      assert.deepEqual(page.complaints, []);
      await page.context().close();
    }
  });
}

test("on a phone nothing is wider than the screen but what can be scrolled by itself", async () => {
  for (const name of PAGES) {
    const page = await openPage(browser, session.page(name, { all: "1" }), { viewport: { width: 360, height: 740 } });
    const wide = await page.evaluate(() => {
      const all = [...document.body.querySelectorAll("*")];
      return all
        .filter((element) => !element.closest(".scroll, .pages, pre, .hidden, .skip"))
        .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
        .map((element) => element.outerHTML.slice(0, 200));
    });
    assert.deepEqual(wide, [], name);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360, name);
    await page.context().close();
  }
});

test("the colours can be chosen, and are remembered", async () => {
  const page = await openPage(browser, session.page(), { colorScheme: "light" });
  const red = async () => {
    const color = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    return Number(color.match(/\d+/)[0]);
  };
  const theme = page.getByRole("button", { name: /^Theme: / });
  await theme.click();
  await theme.click();
  assert.equal(await theme.innerText(), "Theme: dark");
  assert.ok((await red()) < 60);
  await page.reload();
  await page.getByRole("button", { name: "Theme: dark" }).waitFor();
  assert.ok((await red()) < 60);
  assert.deepEqual(page.complaints, []);
});

test("who wants less motion gets none", async () => {
  const page = await openPage(browser, session.page("requests"), { reducedMotion: "reduce" });
  await session.call("GET", "/v1/users");
  await page.getByRole("link", { name: "GET /v1/users" }).waitFor();
  const moving = await page.evaluate(() => document.getAnimations().length);
  assert.equal(moving, 0);
});

test("landmarks, one main heading and a way past the navigation", async () => {
  for (const name of PAGES) {
    const page = await openPage(browser, session.page(name));
    assert.equal(await page.getByRole("main").count(), 1);
    assert.equal(await page.getByRole("banner").count(), 1);
    assert.equal(await page.getByRole("navigation", { name: "Pages" }).count(), 1);
    assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1);
    assert.equal(await page.locator("nav [aria-current=page]").count(), 1);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.context().close();
  }
});
