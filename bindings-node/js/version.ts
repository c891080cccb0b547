/** The version, the same in all packages. `build.mjs` puts that of `package.json` here. */

declare const GATEWRIGHT_VERSION: string;

/** The version of this package. */
export const version: string = GATEWRIGHT_VERSION;
