/** Finding the native half: the addon of the platform, or the WASM module with a warning, or an error that says what to do. */

import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";

import { run } from "./child.mjs";
import { HERE, NAME, nodeOnly, sdk } from "./package.mjs";

const here = nodeOnly("it has one native half");
const root = dirname(createRequire(HERE).resolve(`${NAME}/package.json`));
const scratch = realpathSync(mkdtempSync(join(tmpdir(), "gatewright-loading-")));
after(() => rmSync(scratch, { recursive: true }));

/** A project in which `gatewright` is installed without its platform packages. `others` are packages beside it. */
function project(name, others = {}) {
  const folder = join(scratch, name);
  const modules = join(folder, "node_modules");
  mkdirSync(modules, { recursive: true });
  for (const part of ["package.json", "dist"]) {
    cpSync(join(root, part), join(modules, "gatewright", part), { recursive: true });
  }
  for (const [other, main] of Object.entries(others)) {
    const [packageName, ...path] = other.split("/");
    const file = join(modules, packageName, ...path, "index.js");
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, main);
    if (path.length === 0) {
      writeFileSync(
        join(modules, packageName, "package.json"),
        JSON.stringify({ name: packageName, main: "index.js" }),
      );
    }
  }
  return folder;
}

const OPEN = `const { Client, version } = require("gatewright"); console.log(new Client("https://h").baseUrl, version);`;
/** A native half that can be opened, and no more. */
const NATIVE = (version) =>
  `{ version: () => ${JSON.stringify(version)}, connect() {}, openClient: () => ({ baseUrl: () => "opened" }) }`;
const platformPackage = () => {
  const { platform, arch } = process;
  const suffix = { linux: "-gnu", win32: "-msvc" }[platform] ?? "";
  return `gatewright-${platform}-${arch}${suffix}`;
};
const open = (folder, env = {}) => run(OPEN, { type: "commonjs", folder, env: { GATEWRIGHT_NATIVE: "", ...env } });

test("the platform's package is taken, without a word", here, async () => {
  const folder = project("platform", { [platformPackage()]: `module.exports = ${NATIVE(sdk.version)};` });
  const { out, error, code } = await open(folder);
  assert.deepEqual([out, error, code], [`opened ${sdk.version}\n`, "", 0]);
});

test("a platform package of another version is refused", here, async () => {
  const folder = project("version", { [platformPackage()]: `module.exports = ${NATIVE("0.0.9")};` });
  const { error, code } = await open(folder);
  assert.equal(code, 1);
  assert.ok(
    error.includes(
      `gatewright ${sdk.version} found ${platformPackage()} 0.0.9, and they must be of one version: install gatewright anew`,
    ),
    error,
  );
});

test("without a platform package gatewright-web is taken, with one warning that says why", here, async () => {
  const folder = project("fallback", {
    "gatewright-web/native": `module.exports = { native: ${NATIVE(sdk.version)} };`,
  });
  const { out, error, code } = await run(`${OPEN} new Client("https://h");`, {
    type: "commonjs",
    folder,
    env: { GATEWRIGHT_NATIVE: "" },
  });
  assert.deepEqual([out, code], [`opened ${sdk.version}\n`, 0]);
  assert.match(error, /\[GATEWRIGHT_WASM_FALLBACK\] GatewrightWarning: gatewright runs on WebAssembly/);
  assert.equal(error.split("GATEWRIGHT_WASM_FALLBACK").length, 2, error);
  assert.ok(error.includes(platformPackage()), error);
  assert.ok(error.includes("--omit=optional"), error);
});

test("an addon that cannot be loaded is named in the warning", here, async () => {
  const folder = project("broken", {
    [platformPackage()]: `throw new Error("libc.so.7: cannot open shared object file");`,
    "gatewright-web/native": `module.exports = { native: ${NATIVE(sdk.version)} };`,
  });
  const { out, error } = await open(folder);
  assert.equal(out, `opened ${sdk.version}\n`);
  assert.ok(error.includes(`${platformPackage()} cannot be loaded (libc.so.7: cannot open shared object file)`), error);
});

test("with neither, an error says what to do", here, async () => {
  const { error, code, out } = await open(project("nothing"));
  assert.deepEqual([code, out], [1, ""]);
  assert.match(error, /Error: gatewright cannot start: the addon for \S+ \S+ is not installed \(gatewright-/);
  assert.ok(error.includes("it comes with `npm install gatewright`"), error);
  assert.ok(error.includes("gatewright-web, which could run in its place, cannot be loaded either"), error);
});

test("GATEWRIGHT_NATIVE names an addon, or the WASM module", here, async () => {
  const web = { "gatewright-web/native": `module.exports = { native: ${NATIVE(sdk.version)} };` };
  const folder = project("named", { ...web, other: `module.exports = ${NATIVE("any")};` });
  const named = await open(folder, { GATEWRIGHT_NATIVE: join(folder, "node_modules", "other", "index.js") });
  assert.deepEqual([named.out, named.error], [`opened ${sdk.version}\n`, ""]);
  const wasm = await open(folder, { GATEWRIGHT_NATIVE: "wasm" });
  assert.deepEqual([wasm.out, wasm.error], [`opened ${sdk.version}\n`, ""]);
  const missing = await open(folder, { GATEWRIGHT_NATIVE: "/nowhere/x.node" });
  assert.equal(missing.code, 1);
  assert.match(
    missing.error,
    /gatewright: the addon \/nowhere\/x\.node, which `GATEWRIGHT_NATIVE` names, cannot be loaded: /,
  );
});

test("requiring loads nothing: even without any native half it succeeds", here, async () => {
  const folder = project("lazy");
  const { out, code } = await run(
    `console.log(typeof require("gatewright").Client, typeof require("gatewright/webhooks").Webhook);`,
    {
      type: "commonjs",
      folder,
      env: { GATEWRIGHT_NATIVE: "" },
    },
  );
  assert.deepEqual([out, code], ["function function\n", 0]);
});

test("all platforms have a package in the manifest, and each of one version", here, () => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  assert.ok(existsSync(join(root, manifest.main)));
  const versions = new Set([...Object.values(manifest.optionalDependencies), manifest.dependencies["gatewright-web"]]);
  assert.deepEqual([...versions], [manifest.version]);
  assert.equal(Object.keys(manifest.optionalDependencies).length, 8);
});
