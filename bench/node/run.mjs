/**
 * Measures the npm package `gatewright` beside others and prints Markdown tables.
 *
 * Usage: node run.mjs --project DIR --server PATH [--rounds 31] [--tables http,bodies,webhooks,start]
 *   [--clients NAME,NAME]
 *
 * DIR is a project in which `gatewright` and the packages of package.json beside this file are installed; the scripts
 * are copied into it, so that what they import is found as a user's program finds it. PATH is the program
 * bench-server. With `--clients`, the tables http and bodies have only those whose names begin so.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startServer } from "./server.mjs";

const { values } = parseArgs({
  options: {
    project: { type: "string" },
    server: { type: "string" },
    rounds: { type: "string", default: "31" },
    tables: { type: "string", default: "http,bodies,webhooks,start" },
    clients: { type: "string", default: "" },
  },
});
if (!values.project || !values.server) {
  console.error("usage: node run.mjs --project DIR --server PATH [--rounds 31] [--tables http,bodies,webhooks,start]");
  process.exit(2);
}

/** The scripts of a table with their arguments. `URL` stands for the server's. */
const TABLES = {
  http: [
    ["http-table.mjs", "URL", values.rounds, values.clients, "1"],
    ["http-table.mjs", "URL", values.rounds, values.clients, "64"],
  ],
  bodies: [["body-table.mjs", "URL", values.rounds, values.clients]],
  webhooks: [["webhook-table.mjs", values.rounds]],
  start: [["start-table.mjs", values.rounds]],
};

const project = resolve(values.project);
if (!existsSync(join(project, "node_modules/gatewright/package.json"))) {
  console.error(`the package gatewright is not installed in ${project}`);
  process.exit(2);
}
const here = fileURLToPath(new URL(".", import.meta.url));
const scripts = join(project, "bench");
mkdirSync(scripts, { recursive: true });
for (const name of readdirSync(here)) if (name.endsWith(".mjs")) cpSync(join(here, name), join(scripts, name));

// A proxy between client and server would be measured too.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name)));
const server = await startServer(values.server);
try {
  for (const table of values.tables.split(",")) {
    for (const [script, ...args] of TABLES[table]) {
      const command = [join(scripts, script), ...args.map((argument) => (argument === "URL" ? server.url : argument))];
      const [code] = await once(spawn(process.execPath, command, { stdio: "inherit", env }), "exit");
      if (code !== 0) process.exitCode = 1;
      console.log();
    }
  }
} finally {
  server.stop();
}
