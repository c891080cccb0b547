/**
 * Builds `dist/` and `types/`: the entries of `js/` with the shared layer, what wasm-bindgen made, and the modules themselves, as files and
 * as texts.
 *
 *     WASM_BINDGEN=FOLDER node build.mjs
 *
 * FOLDER has what wasm-bindgen wrote for the two modules: `gatewright.js`, `gatewright_bg.wasm`, `webhooks_bg.wasm` and
 * `snippets`. Tools come from the folder in `NODE_TOOLS`, by default where `cargo xtask` installs them.
 *
 * Each entry is one file, so that a browser loads one. For Node, `require` and `import` are the same classes: the ES modules only name
 * what the CommonJS files export.
 */

import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const tools = process.env.NODE_TOOLS ?? join(here, "..", "target", "xtask", "node-tools");
const generated = process.env.WASM_BINDGEN;
if (generated === undefined) {
  throw new Error("set WASM_BINDGEN to the folder with what wasm-bindgen made; `cargo xtask package web` does");
}
const { build } = createRequire(join(tools, "package.json"))("esbuild");
const dist = join(here, "dist");
const types = join(here, "types");
const sharedTypes = join(here, "..", "bindings-node", "types");
const { version } = JSON.parse(await readFile(join(here, "package.json"), "utf8"));

/** What entries import that is not beside them. */
const places = {
  name: "places",
  setup(bundle) {
    bundle.onResolve({ filter: /^gatewright:glue$/ }, () => ({ path: join(generated, "gatewright.js") }));
    const suffix = bundle.initialOptions.format === "cjs" ? ".cjs" : ".js";
    bundle.onResolve({ filter: /^\.\/\w+\.wasm(\.js|\?module)?$/ }, ({ path }) => ({
      path: path.replace(/\.js$/, suffix),
      external: true,
    }));
    // Webhooks are a file of their own for both, so that a class is one class. A browser loads the one file that it needs.
    if (bundle.initialOptions.entryPoints[0].includes("index.inline")) {
      bundle.onResolve({ filter: /\/webhooks\.ts$/ }, () => ({ path: `./webhooks.inline${suffix}`, external: true }));
    }
  },
};

async function bundle(entry, format, name = entry) {
  await build({
    absWorkingDir: here,
    entryPoints: [join("js", `${entry}.ts`)],
    outfile: join(dist, `${name}${format === "cjs" ? ".cjs" : ".js"}`),
    bundle: true,
    format,
    // Node's lexer finds the names of a CommonJS file by what esbuild writes for it.
    platform: format === "cjs" ? "node" : "neutral",
    target: format === "cjs" ? "node20" : ["es2022"],
    minify: true,
    // Stacks and consoles show the classes by their names.
    keepNames: true,
    define: { GATEWRIGHT_VERSION: JSON.stringify(version) },
    plugins: [places],
    // The glue names the same file once for each block of imports.
    logOverride: { "duplicate-object-key": "silent" },
    logLevel: "warning",
  });
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist);
for (const name of ["gatewright", "webhooks"]) {
  const module = await readFile(join(generated, `${name}_bg.wasm`));
  const text = JSON.stringify(module.toString("base64"));
  await writeFile(join(dist, `${name}.wasm`), module);
  await writeFile(join(dist, `${name}.wasm.js`), `// ${name}.wasm in base64.\nexport default ${text};\n`);
  await writeFile(join(dist, `${name}.wasm.cjs`), `// ${name}.wasm in base64.\nmodule.exports = ${text};\n`);
}
for (const entry of ["index", "webhooks"]) {
  for (const host of ["", ".workerd", ".edge", ".inline"]) {
    await bundle(entry + host, "esm");
  }
}
for (const entry of ["webhooks", "native", "index"]) {
  await bundle(`${entry}.inline`, "cjs");
  await writeFile(join(dist, `${entry}.node.js`), reexport(entry));
}

/** Adapters of frameworks are given what they use: the same for every host. */
const adapters = ["fetch", "hono", "next"];
for (const name of adapters) {
  for (const format of ["esm", "cjs"]) {
    const entry = join("..", "..", "bindings-node", "js", "webhook_adapters", name);
    await bundle(entry, format, `webhook_${name}`);
  }
}

function reexport(entry) {
  const names = Object.keys(createRequire(import.meta.url)(join(dist, `${entry}.inline.cjs`))).sort();
  return `// The same as for require, so that instanceof holds across both.\nexport {\n  ${names.join(",\n  ")},\n} from "./${entry}.inline.cjs";\n`;
}

await rm(types, { recursive: true, force: true });
await mkdir(types);
await writeFile(
  join(types, "index.d.ts"),
  '/** The public types of `gatewright-web`. */\n\nexport * from "./shared.js";\nexport * from "./webhooks.js";\n',
);
const shared = [
  "shared",
  "webhooks",
  "webhook_receiver",
  "webhook_express",
  ...adapters.map((name) => `webhook_${name}`),
];
for (const name of shared) {
  await copyFile(join(sharedTypes, `${name}.d.ts`), join(types, `${name}.d.ts`));
}
// For require: the same texts.
for (const name of ["index", ...shared]) {
  const text = await readFile(join(types, `${name}.d.ts`), "utf8");
  await writeFile(join(types, `${name}.d.cts`), text.replaceAll(/"\.\/(\w+)\.js"/g, '"./$1.cjs"'));
}
