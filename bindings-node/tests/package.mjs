/** The package under test: `gatewright`, or the one that `GATEWRIGHT_PACKAGE` names (`gatewright-web` has the same names). */

import { fileURLToPath } from "node:url";

export const NAME = process.env.GATEWRIGHT_PACKAGE ?? "gatewright";
export const IS_WEB = NAME === "gatewright-web";
/** Whether `gatewright` runs on WebAssembly: what a fetch cannot do, it cannot either. */
export const ON_FETCH = IS_WEB || process.env.GATEWRIGHT_NATIVE === "wasm";

export const sdk = await import(NAME);
export const webhooks = await import(`${NAME}/webhooks`);

/** For `test(name, …)`: skipped with the web package, and why. */
export const nodeOnly = (why) => (IS_WEB ? { skip: `gatewright-web: ${why}` } : {});
/** For `test(name, …)`: skipped where the host's fetch sends the requests, and why. */
export const notOnFetch = (why) => (ON_FETCH ? { skip: `over fetch: ${why}` } : {});

/** Where this file is. */
export const HERE = fileURLToPath(new URL(".", import.meta.url));
