/**
 * Finds the native half for Node: the addon of this platform's package, else the WASM module of `gatewright-web`.
 *
 * In this order: what `GATEWRIGHT_NATIVE` names (the path of an addon, or `wasm`); an addon beside `dist`, which a build of this
 * repository puts there; the platform package; `gatewright-web`, with a warning that says why.
 */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import type { Native } from "../native.ts";
import { version } from "../version.ts";

const require = createRequire(__filename);

/** The packages that hold an addon for this platform; at most one of them is installed. */
export function platformPackages(platform: string, arch: string): string[] {
  if (arch !== "x64" && arch !== "arm64") {
    return [];
  }
  switch (platform) {
    case "linux":
      // npm installs the one of this machine's C library. Asking which that is takes longer than trying.
      return [`gatewright-linux-${arch}-gnu`, `gatewright-linux-${arch}-musl`];
    case "darwin":
      return [`gatewright-darwin-${arch}`];
    case "win32":
      return [`gatewright-win32-${arch}-msvc`];
    default:
      return [];
  }
}

let loaded: Native | undefined;

/** The native half, the same for both entries. */
export function load(): Native {
  loaded ??= find();
  return loaded;
}

function find(): Native {
  const named = process.env.GATEWRIGHT_NATIVE;
  if (named === "wasm") {
    return wasm("`GATEWRIGHT_NATIVE` is `wasm`", undefined);
  }
  if (named !== undefined && named !== "") {
    return addon(resolve(named), `the addon ${named}, which \`GATEWRIGHT_NATIVE\` names, cannot be loaded`);
  }
  const packages = platformPackages(process.platform, process.arch);
  for (const name of packages) {
    const local = join(__dirname, "..", `${name.replace("gatewright-", "gatewright.")}.node`);
    if (existsSync(local)) {
      return addon(local, `the addon ${local} cannot be loaded`);
    }
  }
  let broken: { name: string; error: unknown } | undefined;
  for (const name of packages) {
    try {
      return checked(require(name) as Native, name);
    } catch (error) {
      if (error instanceof WrongVersion) {
        throw error;
      }
      if (!isMissing(error, name)) {
        broken ??= { name, error };
      }
    }
  }
  return wasm(whyNone(packages, broken), broken?.error);
}

class WrongVersion extends Error {}

function addon(path: string, what: string): Native {
  try {
    return require(path) as Native;
  } catch (error) {
    throw new Error(`gatewright: ${what}: ${textOf(error)}`, { cause: error });
  }
}

function checked(native: Native, name: string): Native {
  const found = native.version();
  if (found !== version) {
    throw new WrongVersion(
      `gatewright ${version} found ${name} ${found}, and they must be of one version: install gatewright anew, so that npm updates both`,
    );
  }
  return native;
}

function isMissing(error: unknown, name: string): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return code === "MODULE_NOT_FOUND" && String(message).includes(name);
}

function whyNone(packages: readonly string[], broken: { name: string; error: unknown } | undefined): string {
  const here = `${process.platform} ${process.arch}`;
  if (packages.length === 0) {
    return `there is no addon for ${here}`;
  }
  if (broken !== undefined) {
    return `${broken.name} cannot be loaded (${textOf(broken.error)})`;
  }
  return (
    `the addon for ${here} is not installed (${packages.join(" or ")}); it comes with \`npm install gatewright\`, unless optional ` +
    "dependencies are left out (`--omit=optional`, `--no-optional`) or node_modules was copied from another platform"
  );
}

/** The WASM module: the same engine over the host's `fetch`. */
function wasm(why: string, cause: unknown): Native {
  let native: Native;
  try {
    native = (require("gatewright-web/native") as { native: Native }).native;
  } catch (error) {
    throw new Error(
      `gatewright cannot start: ${why}; and gatewright-web, which could run in its place, cannot be loaded either (${textOf(error)})`,
      { cause: cause ?? error },
    );
  }
  if (process.env.GATEWRIGHT_NATIVE !== "wasm") {
    process.emitWarning(
      `gatewright runs on WebAssembly and this Node's fetch, which is slower, and knows neither \`proxy\`, \`caCertificates\`, \`pins\`, \`connectTimeout\` nor files: ${why}`,
      { type: "GatewrightWarning", code: "GATEWRIGHT_WASM_FALLBACK" },
    );
  }
  return native;
}

/** The first line: what comes after it is where Node looked. */
function textOf(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split("\n", 1)[0] as string;
}
