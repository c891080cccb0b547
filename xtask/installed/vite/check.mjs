// Runs the page beside it in Chromium twice: as Vite's development server serves it, and as Vite builds it. No plugins,
// no settings. `NODE_TOOLS` has Vite and playwright-core, `GATEWRIGHT_CHROMIUM` is the browser.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const tools = join(process.env.NODE_TOOLS, "node_modules");
const vite = await import(pathToFileURL(join(tools, "vite/dist/node/index.js")));
const { chromium } = createRequire(join(tools, "playwright-core/package.json"))("playwright-core");

const settings = {
  root: fileURLToPath(new URL(".", import.meta.url)),
  configFile: false,
  logLevel: "warn",
};
const listen = { host: "127.0.0.1", port: 0 };

const browser = await chromium.launch({
  executablePath: process.env.GATEWRIGHT_CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
});

async function visit(how, origin) {
  const page = await browser.newPage();
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  try {
    const url = new URL(origin);
    url.searchParams.set("gateway", process.env.GATEWRIGHT_URL);
    await page.goto(url.href);
    await page.waitForFunction(() => globalThis.outcome !== undefined);
    const outcome = await page.evaluate(() => globalThis.outcome);
    assert.deepEqual(outcome, { status: 200, missing: true, messageId: "msg_1" });
    console.log(`${how}: ok`);
  } catch (error) {
    throw new Error(`${how}: ${error.message}\nThe page said:\n${said.join("\n")}`, { cause: error });
  } finally {
    await page.close();
  }
}

try {
  const development = await vite.createServer({ ...settings, server: listen });
  try {
    await development.listen();
    await visit("vite", development.resolvedUrls.local[0]);
  } finally {
    await development.close();
  }
  await vite.build(settings);
  const built = await vite.preview({ ...settings, preview: listen });
  try {
    await visit("vite build", built.resolvedUrls.local[0]);
  } finally {
    await built.close();
  }
} finally {
  await browser.close();
}
