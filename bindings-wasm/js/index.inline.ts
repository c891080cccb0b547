/** The package with its module as a text: for Node and Deno, service workers, and bundlers that leave files behind. Nothing is loaded, all is at once. */

import { provide } from "../../bindings-node/js/native.ts";
import base64 from "./gatewright.wasm.js";
import { instanceOf } from "./instance.ts";
import { moduleIn } from "./module.ts";

provide(() => instanceOf(moduleIn(base64)));

export * from "../../bindings-node/js/api.ts";
