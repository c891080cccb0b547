/** The package on edge runtimes that take compiled modules by `?module` (Vercel). */

import { provide } from "../../bindings-node/js/native.ts";
import module from "./gatewright.wasm?module";
import { instanceOf } from "./instance.ts";

provide(() => instanceOf(module));

export * from "../../bindings-node/js/api.ts";
