/** The package where modules come by URL: browsers and their workers, with a bundler or without. The import ends when all is ready. */

import { provide } from "../../bindings-node/js/native.ts";
import { instanceOf } from "./instance.ts";
import { moduleAt } from "./module.ts";

const module = await moduleAt(new URL("./gatewright.wasm", import.meta.url), () => import("./gatewright.wasm.js"));
provide(() => instanceOf(module));

export * from "../../bindings-node/js/api.ts";
