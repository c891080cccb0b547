/** The page of examples/web, as a visitor uses it: by mouse, by keyboard alone, in the dark, on a phone, with the network cut. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { complaintsOf, launch, openPage } from "./chromium.mjs";
import { lowContrast } from "./contrast.mjs";
import { Gateway } from "./gateway.mjs";
import { examplePage, packageFolder } from "./settings.mjs";

let browser;
let gateway;

before(async () => {
  const dist = join(packageFolder, "dist");
  gateway = await Gateway.start("--static", `/=${examplePage}`, "--static", `/gatewright-web/=${dist}`);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const OUTCOMES = {
  "List contacts": /^45 contacts on 5 pages\.$/,
  "Create through failures": /^3 requests under one idempotency key: the server counts 1 new contact\.$/,
  // A call that was long on its way to a busy gateway may be refused, and is sent again.
  "Burst of 12": /^12 of 12 answered 200 in (?:[6-9]|1\d)\.\d s, [0-2] refused\./,
  "Download 10 MB": /^10,000,000 bytes in \d+\.\d\d s\.$/,
  "Go wrong": /^ServerError: /,
};

async function open(options) {
  const page = await openPage(browser, gateway.adminUrl, options);
  const where = await page.locator("#where").textContent();
  return Object.assign(page, { session: gateway.session(where.split(" · ")[1]) });
}

/** Waits until the page says what it should. */
async function says(page, expected) {
  try {
    await page.getByRole("status").filter({ hasText: expected }).waitFor();
  } catch {
    const said = await page.getByRole("status").textContent();
    assert.fail(`the page says ${JSON.stringify(said)} when ${expected} was expected; ${page.complaints.join("; ")}`);
  }
}

/** Moves the focus forward until it is on what has this name. */
async function tabTo(page, name) {
  const passed = [];
  for (let presses = 0; presses < 40; presses++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const { activeElement: on } = document;
      const { outlineStyle, outlineWidth } = getComputedStyle(on);
      const visible = outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 2;
      const label = on.ariaLabel ?? on.labels?.[0]?.textContent ?? on.textContent;
      return { name: label.trim(), visible, body: on === document.body };
    });
    assert.ok(focused.visible || focused.body, `the focus on ${JSON.stringify(focused.name)} cannot be seen`);
    if (focused.name.startsWith(name)) {
      return;
    }
    passed.push(focused.name);
  }
  assert.fail(`tabbing never came to ${name}; it passed ${JSON.stringify(passed)}`);
}

test("every button does what it says, by mouse", async () => {
  const page = await open();
  for (const [name, expected] of Object.entries(OUTCOMES)) {
    await page.getByRole("button", { name }).click();
    await says(page, expected);
  }
  const rows = await page
    .locator("#runs > li")
    .evaluateAll((runs) =>
      runs.map((run) => [run.querySelector("h3").textContent, run.querySelectorAll(".rows .label").length]),
    );
  assert.deepEqual(rows, [
    ["Go wrong", 3],
    ["Download 10 MB", 1],
    ["Burst of 12", 12],
    ["Create through failures", 3],
    ["List contacts", 5],
  ]);
  // What the gateway saw is what the page shows, and one contact was made.
  const whoami = await page.session.journal("whoami");
  assert.deepEqual(
    whoami.map(({ status }) => status).filter((status) => status !== 429),
    [...Array(12).fill(200), 503, 502, 503],
  );
  assert.equal((await page.session.effects("contacts.create")).count, 1);
  assert.deepEqual(complaintsOf(page), []);
});

test("everything works by keyboard alone, and the focus is always seen", async () => {
  const page = await open();
  await tabTo(page, "List contacts");
  await page.keyboard.press("Enter");
  await says(page, OUTCOMES["List contacts"]);
  await tabTo(page, "Next page");
  await page.keyboard.press("Space");
  assert.equal(await page.locator("#page").textContent(), "2 of 5");
  await tabTo(page, "Name");
  await page.keyboard.type("Katherine Johnson");
  await page.keyboard.press("Tab");
  await page.keyboard.type("katherine@example.com");
  await page.keyboard.press("Enter");
  await says(page, /^Created Katherine Johnson \(ct_\w+\)\.$/);
  assert.equal(await page.locator("#contacts tr").first().textContent(), "Katherine Johnsonkatherine@example.com");
  assert.equal((await page.session.effects("contacts.create")).count, 1);
  assert.deepEqual(complaintsOf(page), []);
});

test("a burst can be stopped, and what was not sent never is", async () => {
  const page = await open();
  await page.getByRole("button", { name: "Burst of 12" }).click();
  await page.session.arrived("whoami", 4);
  await page.getByRole("button", { name: "Stop: Burst of 12" }).press("Enter");
  await says(page, /^Stopped\./);
  await page.getByRole("img", { name: /3 of 3 left, 0 calls held back/ }).waitFor();
  const sent = (await page.session.journal("whoami")).length;
  assert.ok(sent < 12, `${sent} calls were sent`);
  assert.deepEqual(complaintsOf(page), []);
});

test("an error shows its class, what happened, what to do and the request's id", async () => {
  const page = await open();
  await page.getByRole("button", { name: "Go wrong" }).click();
  await says(page, OUTCOMES["Go wrong"]);
  const text = await page.locator(".error").innerText();
  const requestId = (await page.session.journal("whoami")).at(-1).request_id;
  for (const part of ["ServerError", "503", "3 attempts", requestId, "exhausted", "What to do:"]) {
    assert.ok(text.includes(part), `${part} is not in ${JSON.stringify(text)}`);
  }
  assert.ok(!text.includes("sk_test"), `the key is in ${text}`);
});

for (const colorScheme of ["light", "dark"]) {
  test(`all text has enough contrast when it is ${colorScheme}`, async () => {
    const page = await open({ colorScheme });
    for (const name of ["List contacts", "Create through failures", "Go wrong"]) {
      await page.getByRole("button", { name }).click();
      await says(page, OUTCOMES[name]);
    }
    const { found, looked } = await page.evaluate(lowContrast);
    assert.deepEqual(found, []);
    assert.ok(looked > 100, `only ${looked} pieces of text were looked at`);
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const [red] = background.match(/\d+/g).map(Number);
    assert.ok(colorScheme === "dark" ? red < 60 : red > 200, `the background is ${background}`);
  });
}

test("on a phone nothing is wider than the screen", async () => {
  const page = await open({ viewport: { width: 360, height: 740 } });
  for (const name of ["List contacts", "Go wrong"]) {
    await page.getByRole("button", { name }).click();
    await says(page, OUTCOMES[name]);
  }
  const wide = await page.evaluate(() => {
    const all = [...document.body.querySelectorAll("*")];
    return all
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
      .map((element) => element.outerHTML);
  });
  assert.deepEqual(wide, []);
});

test("with the network cut the page says so, and goes on when it is back", async () => {
  const page = await open();
  await page.context().setOffline(true);
  await page.getByRole("button", { name: "List contacts" }).click();
  await says(page, /^ConnectionLostError: /);
  assert.match(await page.locator(".error").innerText(), /the browser is offline/);
  await page.context().setOffline(false);
  await page.getByRole("button", { name: "List contacts" }).click();
  await says(page, OUTCOMES["List contacts"]);
});
