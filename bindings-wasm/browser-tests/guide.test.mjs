/** The page in docs/javascript.md works as it is pasted: beside `node_modules`, with no build step, served by the gateway. */

import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { test } from "node:test";

import { launch } from "./chromium.mjs";
import { Gateway } from "./gateway.mjs";
import { project } from "./settings.mjs";

const GUIDE = resolve(import.meta.dirname, "../../docs/javascript.md");

test("the guide's page shows all contacts and the attempts of its POST", async () => {
  const [, pasted] = /```html\n(.*?)```/s.exec(await readFile(GUIDE, "utf8"));
  const file = join(project, "index.html");
  const gateway = await Gateway.start("--static", `/=${project}`);
  const browser = await launch();
  try {
    // The tests' gateway has another port, so that they can run beside anything.
    const page = await browser.newPage();
    await writeFile(file, pasted.replaceAll("http://127.0.0.1:4010", gateway.url));
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(gateway.adminUrl);
    const log = page.locator("#log").filter({ hasText: /\S/ });
    await log.waitFor().catch(() => assert.fail(`the page shows nothing: ${complaints}`));
    assert.match(await log.textContent(), /201/);
    assert.equal(await page.locator("#contacts li").count(), 45);
    assert.deepEqual(complaints, []);
  } finally {
    await rm(file, { force: true });
    await browser.close();
    await gateway.stop();
  }
});
