/**
 * Builds `dist/` from `js/`: four CommonJS files, which share what they have in common by requiring each other, one for each adapter of a framework, and for `import` a
 * re-export of each, so that a class is the same class however it was loaded.
 *
 *     node build.mjs
 *
 * Tools come from the folder in `NODE_TOOLS`, by default where `cargo xtask` installs them.
 */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const tools = process.env.NODE_TOOLS ?? join(here, "..", "target", "xtask", "node-tools");
const { build } = createRequire(join(tools, "package.json"))("esbuild");
const dist = join(here, "dist");
const { version } = JSON.parse(await readFile(join(here, "package.json"), "utf8"));

/** What is a file of its own in `dist`. Another file that imports it requires that. */
const files = {
  load: "js/node/load.ts",
  webhooks: "js/node/webhooks.ts",
  index: "js/node/index.ts",
  testing: "js/node/testing.ts",
};
/** Adapters of frameworks are given what they use, and so are each whole in itself. */
for (const name of ["express", "fastify", "fetch", "hono", "next"]) {
  files[`webhook_${name}`] = `js/webhook_adapters/${name}.ts`;
}
const apart = {
  name: "apart",
  setup(bundle) {
    bundle.onResolve({ filter: /\/load\.ts$/ }, ({ kind }) =>
      kind === "entry-point" ? undefined : { path: "./load.cjs", external: true },
    );
    bundle.onResolve({ filter: /\/index\.ts$/ }, ({ importer }) =>
      importer.endsWith("testing.ts") ? { path: "./index.cjs", external: true } : undefined,
    );
    bundle.onResolve({ filter: /\/webhooks\.ts$/ }, ({ importer }) =>
      importer.endsWith("api.ts") ? { path: "./webhooks.cjs", external: true } : undefined,
    );
  },
};

await rm(dist, { recursive: true, force: true });
await mkdir(dist);
for (const [name, entry] of Object.entries(files)) {
  await build({
    absWorkingDir: here,
    entryPoints: [entry],
    outfile: join(dist, `${name}.cjs`),
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    define: { GATEWRIGHT_VERSION: JSON.stringify(version) },
    plugins: [apart],
    logLevel: "warning",
  });
  if (name !== "load") {
    await writeFile(join(dist, `${name}.mjs`), reexport(name, namesOf(name)));
  }
}

/** The names that a file exports. Asking it does not load the addon. */
function namesOf(name) {
  return Object.keys(createRequire(import.meta.url)(join(dist, `${name}.cjs`))).sort();
}

function reexport(name, names) {
  return `// The same as for require, so that instanceof holds across both.\nexport {\n  ${names.join(",\n  ")},\n} from "./${name}.cjs";\n`;
}
