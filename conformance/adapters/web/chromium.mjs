// @ts-check
/**
 * The conformance adapter of the web package in a real Chromium: a page does what the lines say, this program passes them on.
 *
 *     node chromium.mjs --project DIR              with the package `gatewright-web` that is installed in DIR, in a page
 *     node chromium.mjs --project DIR --worker     in a web worker
 *
 * The environment: NODE_TOOLS is a folder whose `node_modules` has playwright-core (`cargo xtask` makes one), GATEWRIGHT_CHROMIUM
 * the browser (/usr/bin/chromium).
 *
 * The page comes from an origin of its own, so that every call goes to another origin, with preflights. Each scenario gets a
 * browser context of its own, which has connections of its own: Chromium makes no more than six to one host, and one scenario
 * must not wait for another's.
 */

import { createRequire } from "node:module";
import { join, resolve } from "node:path";

import { serve } from "../javascript/lines.mjs";
import { Package, readArguments } from "../javascript/package.mjs";
import { Site } from "./site.mjs";
import { Stages } from "./stages.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** As many scenarios are played at once, no more: the pages share one browser, and some scenarios watch the clock. */
const PAGES = 4;

const tools = process.env.NODE_TOOLS;
if (tools === undefined) {
  throw new Error("set NODE_TOOLS to a folder whose node_modules has playwright-core");
}
/** @type {typeof import("playwright-core")} */
const { chromium } = createRequire(join(resolve(tools), "package.json"))("playwright-core");
const { project, worker } = readArguments();
const site = await Site.open(new Package(project, "gatewright-web"));
const browser = await chromium.launch({
  args: FLAGS,
  executablePath: process.env.GATEWRIGHT_CHROMIUM ?? "/usr/bin/chromium",
});
const stages = new Stages(browser, `${site.url}${worker ? "/worker" : "/"}`);
await stages.prepare(PAGES);
const place = `${worker ? "a worker of " : ""}Chromium ${browser.version()}`;

await serve(async (request) => {
  const answer = await stages.answer(request);
  return request.op === "hello" ? { ...answer, at_once: PAGES, sdk: `${answer.sdk} in ${place}` } : answer;
});
await browser.close();
// Calls under way end with the process.
process.exit(0);
