"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// js/node/load.ts
var load_exports = {};
__export(load_exports, {
  load: () => load,
  platformPackages: () => platformPackages
});
module.exports = __toCommonJS(load_exports);
var import_node_fs = require("node:fs");
var import_node_module = require("node:module");
var import_node_path = require("node:path");

// js/version.ts
var version = "0.1.0";

// js/node/load.ts
var require2 = (0, import_node_module.createRequire)(__filename);
function platformPackages(platform, arch) {
  if (arch !== "x64" && arch !== "arm64") {
    return [];
  }
  switch (platform) {
    case "linux":
      return [`gatewright-linux-${arch}-gnu`, `gatewright-linux-${arch}-musl`];
    case "darwin":
      return [`gatewright-darwin-${arch}`];
    case "win32":
      return [`gatewright-win32-${arch}-msvc`];
    default:
      return [];
  }
}
var loaded;
function load() {
  loaded ??= find();
  return loaded;
}
function find() {
  const named = process.env.GATEWRIGHT_NATIVE;
  if (named === "wasm") {
    return wasm("`GATEWRIGHT_NATIVE` is `wasm`", void 0);
  }
  if (named !== void 0 && named !== "") {
    return addon((0, import_node_path.resolve)(named), `the addon ${named}, which \`GATEWRIGHT_NATIVE\` names, cannot be loaded`);
  }
  const packages = platformPackages(process.platform, process.arch);
  for (const name of packages) {
    const local = (0, import_node_path.join)(__dirname, "..", `${name.replace("gatewright-", "gatewright.")}.node`);
    if ((0, import_node_fs.existsSync)(local)) {
      return addon(local, `the addon ${local} cannot be loaded`);
    }
  }
  let broken;
  for (const name of packages) {
    try {
      return checked(require2(name), name);
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
var WrongVersion = class extends Error {
};
function addon(path, what) {
  try {
    return require2(path);
  } catch (error) {
    throw new Error(`gatewright: ${what}: ${textOf(error)}`, { cause: error });
  }
}
function checked(native, name) {
  const found = native.version();
  if (found !== version) {
    throw new WrongVersion(
      `gatewright ${version} found ${name} ${found}, and they must be of one version: install gatewright anew, so that npm updates both`
    );
  }
  return native;
}
function isMissing(error, name) {
  const { code, message } = error;
  return code === "MODULE_NOT_FOUND" && String(message).includes(name);
}
function whyNone(packages, broken) {
  const here = `${process.platform} ${process.arch}`;
  if (packages.length === 0) {
    return `there is no addon for ${here}`;
  }
  if (broken !== void 0) {
    return `${broken.name} cannot be loaded (${textOf(broken.error)})`;
  }
  return `the addon for ${here} is not installed (${packages.join(" or ")}); it comes with \`npm install gatewright\`, unless optional dependencies are left out (\`--omit=optional\`, \`--no-optional\`) or node_modules was copied from another platform`;
}
function wasm(why, cause) {
  let native;
  try {
    native = require2("gatewright-web/native").native;
  } catch (error) {
    throw new Error(
      `gatewright cannot start: ${why}; and gatewright-web, which could run in its place, cannot be loaded either (${textOf(error)})`,
      { cause: cause ?? error }
    );
  }
  if (process.env.GATEWRIGHT_NATIVE !== "wasm") {
    process.emitWarning(
      `gatewright runs on WebAssembly and this Node's fetch, which is slower, and knows neither \`proxy\`, \`caCertificates\` nor \`connectTimeout\`: ${why}`,
      { type: "GatewrightWarning", code: "GATEWRIGHT_WASM_FALLBACK" }
    );
  }
  return native;
}
function textOf(error) {
  return String(error instanceof Error ? error.message : error).split("\n", 1)[0];
}
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  load,
  platformPackages
});
