// @ts-check
/**
 * The conformance adapter of the Node SDK: reads requests line by line, carries them out, answers line by line.
 *
 *     node adapter.mjs --project DIR                            with the package `gatewright` that is installed in DIR
 *     GATEWRIGHT_NATIVE=wasm node adapter.mjs --project DIR     with its fallback, for platforms without an addon
 *
 * The protocol is in conformance/PROTOCOL.md; what is done is in conformance/adapters/javascript.
 */

import { runInNode } from "../javascript/in-node.mjs";
import { IN_NODE } from "../web/lacks.mjs";

const fallback = process.env.GATEWRIGHT_NATIVE === "wasm";

// The gateway is on loopback; a proxy of this machine has no part in it. The fallback's fetch takes none.
await runInNode("gatewright", fallback ? { lacks: IN_NODE, settings: {} } : { lacks: {}, settings: { proxy: false } });
