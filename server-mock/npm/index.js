"use strict";

// Finds the gateway's program: npm installs the package of this machine's platform beside this one.

const { chmodSync, accessSync, constants } = require("node:fs");
const { dirname, join } = require("node:path");

/** The packages that hold a program for this platform; at most one of them is installed. */
function platformPackages(platform, arch) {
  switch (platform) {
    case "linux":
      return [`gatewright-gateway-linux-${arch}-gnu`, `gatewright-gateway-linux-${arch}-musl`];
    case "darwin":
      return [`gatewright-gateway-darwin-${arch}`];
    case "win32":
      return [`gatewright-gateway-win32-${arch}-msvc`];
    default:
      return [];
  }
}

/** The path of the program. */
function program() {
  const packages = platformPackages(process.platform, process.arch);
  for (const name of packages) {
    let folder;
    try {
      folder = dirname(require.resolve(`${name}/package.json`));
    } catch {
      continue;
    }
    const path = join(folder, process.platform === "win32" ? "gatewright-gateway.exe" : "gatewright-gateway");
    runnable(path);
    return path;
  }
  const here = `${process.platform} ${process.arch}`;
  throw new Error(
    packages.length === 0
      ? `gatewright-gateway: there is no program for ${here}; \`cargo install gatewright-server-mock\` builds one`
      : `gatewright-gateway: the program for ${here} is not installed (${packages.join(" or ")}); \`npm install --save-dev gatewright-gateway\` brings it, unless optional dependencies are left out`,
  );
}

/** Some package managers forget that a file is a program. */
function runnable(path) {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    chmodSync(path, 0o755);
  }
}

module.exports = { program };
