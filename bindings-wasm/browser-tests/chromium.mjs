/** Chromium, and pages in it whose every complaint is kept. */

import { chromiumProgram, tool } from "./settings.mjs";

const { default: playwright } = await tool("playwright-core");

/** A browser. Close it when the tests are over. */
export function launch(options = {}) {
  return playwright.chromium.launch({
    executablePath: chromiumProgram,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    ...options,
  });
}

/** A page in a context of its own: `page.complaints` are what its console and its uncaught errors said. */
export async function openPage(browser, url, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      page.complaints.push(`${message.text()} (${message.location().url})`);
    }
  });
  await page.goto(url);
  try {
    await page.locator("html[data-ready=true]").waitFor({ state: "attached" });
  } catch (error) {
    throw new Error(`the page did not get ready: ${JSON.stringify(page.complaints)}`, { cause: error });
  }
  return page;
}

/** What the page complained of, without the browser's own reports of the API's answers that are errors. */
export function complaintsOf(page) {
  return page.complaints.filter((text) => !/^Failed to load resource.*\/v1\//.test(text));
}
