/**
 * Measures the npm package `gatewright-web` in Chromium beside others and prints Markdown tables.
 *
 * Usage: node run.mjs --project DIR --server PATH [--rounds 31] [--tables size,first-call,calls,webhooks]
 *
 * DIR is a project in which `gatewright-web`, ky and openai are installed, PATH the program bench-server. NODE_TOOLS
 * is the folder whose node_modules has esbuild and playwright-core (the default is where `cargo xtask` puts them),
 * GATEWRIGHT_CHROMIUM the browser.
 */

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startServer } from "../node/server.mjs";
import { callsTable } from "./calls-table.mjs";
import { startChromium } from "./chromium.mjs";
import { firstCallTable } from "./first-call-table.mjs";
import { buildSite } from "./site.mjs";
import { sizeTable } from "./size-table.mjs";
import { webhooksTable } from "./webhooks-table.mjs";

const TABLES = { size: sizeTable, "first-call": firstCallTable, calls: callsTable, webhooks: webhooksTable };

const { values } = parseArgs({
  options: {
    project: { type: "string" },
    server: { type: "string" },
    rounds: { type: "string", default: "31" },
    tables: { type: "string", default: Object.keys(TABLES).join(",") },
  },
});
if (!values.project || !values.server) {
  console.error(
    "usage: node run.mjs --project DIR --server PATH [--rounds 31] [--tables size,first-call,calls,webhooks]",
  );
  process.exit(2);
}
const project = resolve(values.project);
const tools = process.env.NODE_TOOLS || fileURLToPath(new URL("../../target/xtask/node-tools", import.meta.url));

const site = await buildSite(project, tools);
const server = await startServer(values.server, [site]);
const browser = await startChromium(tools);
try {
  const setting = { browser, url: server.url, site, project, rounds: Number(values.rounds) };
  for (const table of values.tables.split(",")) {
    await TABLES[table](setting);
    console.log();
  }
  console.log(`In Chromium ${browser.version()}.`);
} finally {
  await browser.close();
  server.stop();
}
