/**
 * What the tests in Chromium are told by the environment, which `cargo xtask test web` sets:
 *
 *   GATEWRIGHT_GATEWAY   the gateway's program
 *   GATEWRIGHT_CHROMIUM  the browser
 *   GATEWRIGHT_PROJECT   a folder in whose node_modules `gatewright-web` is installed from its tarball
 *   NODE_TOOLS           a folder whose node_modules have playwright-core and vite
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const repository = resolve(import.meta.dirname, "../..");

function told(name, otherwise) {
  const value = process.env[name] ?? otherwise;
  if (value === undefined) {
    throw new Error(`${name} is not set; run the tests by cargo xtask test web`);
  }
  return resolve(value);
}

export const gatewayProgram = told("GATEWRIGHT_GATEWAY");
export const chromiumProgram = told("GATEWRIGHT_CHROMIUM", "/usr/bin/chromium");
export const project = told("GATEWRIGHT_PROJECT");
export const examplePage = join(repository, "examples/web");

const tools = createRequire(join(told("NODE_TOOLS", join(repository, "target/xtask/node-tools")), "package.json"));

/** A development tool, as it is pinned. */
export async function tool(name) {
  return import(pathToFileURL(tools.resolve(name)).href);
}

/** The installed package's folder. */
export const packageFolder = join(project, "node_modules/gatewright-web");
const { exports } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8"));

/** The file, below the package's folder, that a browser's `import` of an entry means: what a bundler or an import map would find. */
export function entry(name) {
  let found = exports[name];
  while (typeof found === "object" && found !== null) {
    const condition = Object.keys(found).find((key) => ["browser", "import", "default"].includes(key));
    found = found[condition];
  }
  if (typeof found !== "string") {
    throw new Error(`the exports map of gatewright-web has nothing for browsers at ${name}`);
  }
  return found.replace(/^\.\//, "");
}
