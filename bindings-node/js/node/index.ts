/** The package `gatewright`: everything, over the addon. */

import { provide } from "../native.ts";
import { load } from "./load.ts";

provide(load);

export * from "../api.ts";
