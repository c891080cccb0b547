/**
 * What a browser has to load before a package can be used: the files that Chromium really fetched, compressed as a
 * web server would.
 */

import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { versionOf } from "../node/rounds.mjs";
import { withPage } from "./chromium.mjs";
import { PACKAGES, pageOf } from "./site.mjs";

const kilobytes = (files, extension) => {
  const bytes = files.reduce((sum, file) => sum + statSync(file + extension).size, 0);
  return (bytes / 1e3).toFixed(1);
};

/** Prints the table. */
export async function sizeTable({ browser, url, site, project }) {
  console.log("| All of the package | files | raw, kB | gzip, kB | brotli, kB |");
  console.log("|---|---|---:|---:|---:|");
  for (const name of Object.keys(PACKAGES)) {
    const files = [];
    const onResponse = (response) => {
      const file = basename(new URL(response.url()).pathname);
      if (/\.(js|wasm)$/.test(file)) files.push(join(site, file));
    };
    await withPage(browser, `${url}/site/${pageOf(name)}.html`, { onResponse }, () => {});
    const hasWasm = files.some((file) => file.endsWith(".wasm"));
    if (name.startsWith("gatewright") !== hasWasm) throw new Error(`${name} loaded ${files.map((f) => basename(f))}`);
    const kinds = hasWasm ? "JavaScript, WASM" : "JavaScript";
    const columns = ["", ".gz", ".br"].map((extension) => kilobytes(files, extension)).join(" | ");
    console.log(`| ${name}${versionOf(name.split("/")[0], project)} | ${kinds} | ${columns} |`);
  }
  console.log(
    "\nBundled and minified by esbuild for browsers, everything that is exported; gzip -9, brotli 11. What Chromium",
  );
  console.log("fetched when it imported it: what is loaded on demand is not in it.");
}
