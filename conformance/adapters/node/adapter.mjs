// @ts-check
/**
 * The conformance adapter of the Node SDK: reads requests line by line, carries them out, answers line by line.
 *
 *     node adapter.mjs --project DIR      with the package `gatewright` that is installed in DIR
 *
 * The protocol is in conformance/PROTOCOL.md; what is done is in conformance/adapters/javascript.
 */

import { runInNode } from "../javascript/in-node.mjs";

await runInNode("gatewright", { lacks: {}, settings: { proxy: false } });
