#!/usr/bin/env node
/**
 * Opens the page in headless Chromium, uses it as a visitor would, checks what it says and saves pictures of it, light and dark.
 *
 *     node examples/web/screenshot.mjs http://127.0.0.1:4011/ OUTPUT_FOLDER
 *
 * The address may come as GATEWRIGHT_PAGE_URL instead. GATEWRIGHT_CHROMIUM is the browser (default: `chromium` of the system),
 * NODE_TOOLS the folder whose node_modules has playwright-core. Exits with 1 and says why if anything is not as it should be.
 */

import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const url = process.argv[2] ?? process.env.GATEWRIGHT_PAGE_URL ?? "http://127.0.0.1:4011/";
const folder = resolve(process.argv[3] ?? ".");
const tools = resolve(process.env.NODE_TOOLS ?? join(import.meta.dirname, "../../target/xtask/node-tools"));
const { chromium } = createRequire(join(tools, "package.json"))("playwright-core");

const complaints = [];
const browser = await chromium.launch({
  executablePath: process.env.GATEWRIGHT_CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

try {
  const page = await open({ colorScheme: "light", viewport: { width: 1280, height: 1000 } });
  await press(page, "List contacts", /^45 contacts on 5 pages\.$/);
  await press(page, "Download 10 MB", /^10,000,000 bytes in \d+\.\d\d s\.$/);
  await press(
    page,
    "Create through failures",
    /^3 requests under one idempotency key: the server counts 1 new contact\.$/,
  );
  await press(page, "Burst of 12", /^12 of 12 answered 200 in ([6-9]|1\d)\.\d s, [0-2] refused\./);
  await press(page, "Go wrong", /^ServerError: /);
  await page.getByRole("img", { name: /3 of 3 left, 0 calls held back/ }).waitFor();
  await mkdir(folder, { recursive: true });
  await save(page, "web-light.png");
  await page.emulateMedia({ colorScheme: "dark" });
  await save(page, "web-dark.png");
  await page.setViewportSize({ width: 390, height: 844 });
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (overflow > 0) {
    complaints.push(`at phone width the page is ${overflow} pixels too wide`);
  }
  await save(page, "web-phone.png");
} catch (error) {
  complaints.push(error instanceof Error ? error.message : String(error));
} finally {
  await browser.close();
}

for (const complaint of complaints) {
  console.error(`✗ ${complaint}`);
}
process.exitCode = complaints.length > 0 ? 1 : 0;

/** The page, loaded. What its console complains of is an error here. */
async function open(options) {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (error) => complaints.push(`the page threw ${error}`));
  page.on("console", (message) => {
    // The browser reports every answer that is an error, and failures are what this page is about.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      complaints.push(`the page's console says: ${message.text()}`);
    }
  });
  await page.goto(url);
  await page.locator("html[data-ready=true]").waitFor();
  return page;
}

/** Presses a button and waits until the page says what it should. */
async function press(page, name, expected) {
  await page.getByRole("button", { name }).click();
  const status = page.getByRole("status");
  try {
    await status.filter({ hasText: expected }).waitFor();
  } catch {
    const said = await status.textContent();
    throw new Error(`after "${name}" the page says ${JSON.stringify(said)}, when ${expected} was expected`);
  }
  console.log(`✓ ${name}: ${await status.textContent()}`);
}

async function save(page, name) {
  const path = join(folder, name);
  await page.screenshot({ path, fullPage: true });
  console.log(`saved ${path}`);
}
