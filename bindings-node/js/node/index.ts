/** The package `gatewright`: everything, over the addon. */

import { AsyncResource } from "node:async_hooks";
import { provideContext } from "../context.ts";
import { provide } from "../native.ts";
import { load } from "./load.ts";

provide(load);
provideContext(() => {
  const call = new AsyncResource("GATEWRIGHTCALL");
  return (run) => call.runInAsyncScope(run);
});

export * from "../api.ts";
