// @ts-check
/**
 * The conformance adapter of the web package in Node.
 *
 *     node adapter.mjs --project DIR      with the package `gatewright-web` that is installed in DIR
 *
 * The protocol is in conformance/PROTOCOL.md; what is done is in conformance/adapters/javascript.
 */

import { runInNode } from "../javascript/in-node.mjs";
import { IN_NODE } from "./lacks.mjs";

await runInNode("gatewright-web", { lacks: IN_NODE, settings: {} });
