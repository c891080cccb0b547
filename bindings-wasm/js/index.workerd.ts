/** The package on workerd (Cloudflare), where a module is imported already compiled. */

import { provide } from "../../bindings-node/js/native.ts";
import module from "./gatewright.wasm";
import { instanceOf } from "./instance.ts";

provide(() => instanceOf(module));

export * from "../../bindings-node/js/api.ts";
