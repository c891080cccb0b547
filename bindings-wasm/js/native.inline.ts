/** The native half without the JavaScript layer: what `gatewright` falls back to where it has no addon. */

import base64 from "./gatewright.wasm.js";
import { instanceOf } from "./instance.ts";
import { moduleIn } from "./module.ts";

export const native = instanceOf(moduleIn(base64));
