/** Programs in a process of their own. */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { HERE } from "./package.mjs";

/**
 * Runs a program and gives what it wrote and how it ended.
 *
 * @param type `module` or `commonjs`.
 */
export async function run(source, { type = "module", env = {}, args = [], folder = HERE } = {}) {
  const scratch = mkdtempSync(join(folder, "program-"));
  const file = join(scratch, type === "module" ? "program.mjs" : "program.cjs");
  writeFileSync(file, source);
  try {
    const child = spawn(process.execPath, [...args, file], {
      cwd: scratch,
      env: { ...process.env, NODE_OPTIONS: "", FORCE_COLOR: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const begun = performance.now();
    let [out, error] = ["", ""];
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      error += chunk;
    });
    const [code, signal] = await new Promise((resolve) => child.on("close", (...ended) => resolve(ended)));
    return { out, error, code, signal, file, tookMs: performance.now() - begun };
  } finally {
    rmSync(scratch, { recursive: true });
  }
}
