/**
 * The pages as an app would ship them: bundled and minified by esbuild for browsers, with the wasm files beside, and
 * all of it compressed beforehand.
 */

import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

/** Entries whose sizes are compared: all that a package exports. */
export const PACKAGES = {
  "gatewright-web": 'export * from "gatewright-web";',
  "gatewright-web/webhooks": 'export * from "gatewright-web/webhooks";',
  ky: 'export * from "ky"; export { default } from "ky";',
  openai: 'export * from "openai"; export { default } from "openai";',
};

/** The page that loads all of a package: `gatewright-web/webhooks` is `whole-gatewright-web-webhooks`. */
export function pageOf(name) {
  return `whole-${name.replace("/", "-")}`;
}

function html(script) {
  const code = `import "./${script}"; globalThis.readyMs ??= performance.now();`;
  return `<!doctype html><meta charset="utf-8"><title>bench</title><script type="module">${code}</script>\n`;
}

/** Builds the site into a folder of the project and tells which. */
export async function buildSite(project, tools) {
  const { build } = createRequire(join(tools, "package.json"))("esbuild");
  const sources = join(project, "bench-pages");
  const site = join(project, "bench-site");
  for (const folder of [sources, site]) rmSync(folder, { recursive: true, force: true });
  // Inside of the project, so that packages are found as an app's source finds them.
  cpSync(fileURLToPath(new URL("pages", import.meta.url)), sources, { recursive: true });
  for (const [name, code] of Object.entries(PACKAGES)) writeFileSync(join(sources, `${pageOf(name)}.js`), code);
  mkdirSync(site);
  const pages = readdirSync(sources).filter((file) => file !== "clients.js");
  // Each by itself: what two pages share would become a file of its own, and one more request.
  for (const page of pages) {
    await build({
      absWorkingDir: sources,
      entryPoints: [page],
      outdir: site,
      bundle: true,
      // A file of its own for what is imported on demand: it is not loaded at the start.
      splitting: true,
      format: "esm",
      minify: true,
      target: "es2022",
      platform: "browser",
      logLevel: "error",
    });
  }
  const shipped = join(project, "node_modules/gatewright-web/dist");
  for (const file of readdirSync(shipped).filter((name) => name.endsWith(".wasm"))) {
    cpSync(join(shipped, file), join(site, file));
  }
  for (const page of pages) writeFileSync(join(site, page.replace(/js$/, "html")), html(page));
  for (const file of readdirSync(site).filter((name) => /\.(js|wasm)$/.test(name))) {
    const bytes = readFileSync(join(site, file));
    writeFileSync(join(site, `${file}.br`), brotliCompressSync(bytes));
    writeFileSync(join(site, `${file}.gz`), gzipSync(bytes, { level: 9 }));
  }
  return site;
}
