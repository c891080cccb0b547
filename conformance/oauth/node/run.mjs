// Starts a gateway with HTTPS and runs the tests beside it, in a Node that trusts its CA.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const folder = mkdtempSync(join(tmpdir(), "gatewright-oauth-"));
const ca = join(folder, "ca.pem");
const ready = join(folder, "ready.json");
const gateway = spawn(
  process.env.GATEWRIGHT_GATEWAY,
  ["serve", "--port", "0", "--https", "--ca-file", ca, "--print-json", "--until-stdin-closes"],
  { stdio: ["pipe", "pipe", "inherit"] },
);
const [line] = await new Promise((resolve, reject) => {
  gateway.once("error", reject);
  createInterface({ input: gateway.stdout }).once("line", (text) => resolve([text]));
});
writeFileSync(ready, line);
const tests = ["flows.test.mjs", "refusals.test.mjs"].map((name) => join(import.meta.dirname, name));
const ran = spawnSync(process.execPath, ["--test", "--test-reporter=spec", ...tests], {
  stdio: "inherit",
  env: { ...process.env, NODE_EXTRA_CA_CERTS: ca, GATEWRIGHT_READY: ready },
});
gateway.stdin.end();
rmSync(folder, { recursive: true });
process.exitCode = ran.status ?? 1;
