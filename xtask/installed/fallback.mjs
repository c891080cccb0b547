// `gatewright` installed without the addon of this platform: one warning says so, and the WASM module does the work.

import assert from "node:assert/strict";
import { Client } from "gatewright";

const warnings = [];
process.on("warning", (warning) => warnings.push(warning));

const client = new Client(process.env.GATEWRIGHT_URL, { auth: "sk_test_pro_acme" });
const answers = await Promise.all([client.get("/v1/whoami"), client.get("/v1/whoami")]);
assert.deepEqual(
  answers.map((answer) => answer.status),
  [200, 200],
);
assert.deepEqual(
  warnings.map(({ code }) => code),
  ["GATEWRIGHT_WASM_FALLBACK"],
);
assert.match(warnings[0].message, /not installed/);
