/** The native half itself, for what the package does not show: all codes of errors. */

import { createRequire } from "node:module";

import { HERE, IS_WEB } from "./package.mjs";

const require = createRequire(HERE);

export function nativeHalf() {
  const named = process.env.GATEWRIGHT_NATIVE;
  if (IS_WEB || named === "wasm") {
    return require("gatewright-web/native").native;
  }
  if (named) {
    return require(named);
  }
  const { platform, arch } = process;
  const suffixes = { linux: ["-gnu", "-musl"], win32: ["-msvc"] }[platform] ?? [""];
  for (const suffix of suffixes) {
    try {
      return require(`gatewright-${platform}-${arch}${suffix}`);
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") {
        throw error;
      }
    }
  }
  throw new Error("no addon is installed");
}
