/** Chromium without a window, driven by playwright-core. */

import { createRequire } from "node:module";
import { join } from "node:path";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const READY_WITHIN_MS = 20_000;

/** Starts the browser that GATEWRIGHT_CHROMIUM names. */
export async function startChromium(tools) {
  const { chromium } = createRequire(join(tools, "package.json"))("playwright-core");
  const executablePath = process.env.GATEWRIGHT_CHROMIUM || "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: FLAGS });
}

/**
 * Opens a page of the site with nothing kept from before, waits until it is ready, and hands it over; closes it
 * afterwards.
 */
export async function withPage(browser, url, { line, onResponse } = {}, use) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    let failure = null;
    page.on("pageerror", (error) => (failure ??= error));
    if (onResponse) page.on("response", onResponse);
    if (line) {
      const session = await context.newCDPSession(page);
      await session.send("Network.enable");
      await session.send("Network.emulateNetworkConditions", { offline: false, ...line });
    }
    await page.goto(url);
    try {
      await page.waitForFunction(() => globalThis.readyMs !== undefined, null, { timeout: READY_WITHIN_MS });
    } catch (error) {
      throw failure ?? error;
    }
    return await use(page);
  } finally {
    await context.close();
  }
}
