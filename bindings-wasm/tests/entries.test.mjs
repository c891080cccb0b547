/** Each host's entry loads, is whole, and makes a call. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import * as imported from "gatewright-web";
import * as webhooks from "gatewright-web/webhooks";

import { serve } from "./server.mjs";

const require = createRequire(import.meta.url);
const here = fileURLToPath(new URL(".", import.meta.url));
const root = dirname(require.resolve("gatewright-web/package.json"));

let server;
before(async () => {
  server = await serve((request, response) => response.end(JSON.stringify({ path: request.url })));
});
after(() => server.close());

/** Modules come compiled where the host has its own way of importing them. */
const LOADER = `
export async function load(url, context, next) {
  if (!/\\.wasm(\\?module)?$/.test(url)) return next(url, context);
  const path = JSON.stringify(url.split("?")[0]);
  return { format: "module", shortCircuit: true, source:
    'import { readFileSync } from "node:fs"; import { fileURLToPath } from "node:url";' +
    'export default new WebAssembly.Module(readFileSync(fileURLToPath(' + path + ')));' };
}`;
const REGISTER = `import { register } from "node:module"; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(LOADER)}`)});`;
const COMPILED = ["--import", `data:text/javascript,${encodeURIComponent(REGISTER)}`];

/** What a program prints that runs under these flags. */
async function printed(source, flags = [], extension = "mjs") {
  const folder = mkdtempSync(join(here, "program-"));
  const file = join(folder, `program.${extension}`);
  writeFileSync(file, source);
  try {
    const child = spawn(process.execPath, [...flags, file], { env: { ...process.env, NODE_OPTIONS: "" } });
    let [out, error] = ["", ""];
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      error += chunk;
    });
    const code = await new Promise((resolve) => child.on("close", resolve));
    assert.deepEqual([code, error], [0, ""]);
    return out.trim();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const call = (from) => `
import * as all from ${JSON.stringify(from)};
const answer = await new all.Client(${JSON.stringify(server.url)}).get("/x");
console.log(JSON.stringify([await answer.json(), Object.keys(all).sort()]));`;

const names = Object.keys(imported).sort();

for (const [what, flags, from] of [
  ["a browser's entry, where its module cannot be fetched", ["--conditions=browser"], "gatewright-web"],
  ["workerd's entry", ["--conditions=workerd", ...COMPILED], "gatewright-web"],
  ["the entry of edge runtimes", ["--conditions=edge-light", ...COMPILED], "gatewright-web"],
  ["Deno's entry", ["--conditions=deno"], "gatewright-web"],
  ["the entry with the module inside", [], "gatewright-web/inline"],
]) {
  test(`${what} makes a call, and has every name`, async () => {
    assert.deepEqual(JSON.parse(await printed(call(from), flags)), [{ path: "/x" }, names]);
  });
}

for (const [what, flags] of [
  ["in a browser's way", ["--conditions=browser"]],
  ["in workerd's way", ["--conditions=workerd", ...COMPILED]],
  ["in the way of edge runtimes", ["--conditions=edge-light", ...COMPILED]],
  ["in Deno's way", ["--conditions=deno"]],
]) {
  test(`webhooks alone, ${what}`, async () => {
    const program = `
import { generateSecret, Webhook } from "gatewright-web/webhooks";
const webhook = new Webhook(generateSecret());
console.log(webhook.verify("{}", webhook.sign("{}", { messageId: "m" })).messageId);`;
    assert.equal(await printed(program, flags), "m");
  });
}

test("import and require give the same classes", () => {
  const required = require("gatewright-web");
  assert.deepEqual(Object.keys(required).sort(), names);
  const byName = new Map(Object.entries(imported));
  for (const name of names) {
    assert.equal(required[name], byName.get(name), name);
  }
  assert.equal(require("gatewright-web/inline").Client, imported.Client);
  assert.equal(webhooks.Webhook, imported.Webhook);
});

test("the native half alone, for the package gatewright", async () => {
  const { native } = require("gatewright-web/native");
  assert.equal(native.version(), imported.version);
  assert.equal((await import("gatewright-web/native")).native, native);
});

test("a plain `new URL` finds the modules, and they are what their names say", () => {
  for (const name of ["gatewright.wasm", "webhooks.wasm"]) {
    const found = require.resolve(`gatewright-web/${name}`);
    assert.equal(dirname(found), join(root, "dist"));
  }
});

test("no entry for a browser imports anything of Node's", async () => {
  const { readFile } = await import("node:fs/promises");
  for (const file of readdirSync(join(root, "dist")).filter(
    (name) => name.endsWith(".js") && !name.includes(".node."),
  )) {
    const text = await readFile(pathToFileURL(join(root, "dist", file)), "utf8");
    assert.doesNotMatch(text, /from\s*"node:|require\(/, file);
  }
});

test("loading begins nothing: a program that only imports ends at once", async () => {
  assert.equal(await printed(`import "gatewright-web"; console.log("over");`), "over");
});
