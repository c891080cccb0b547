// @ts-check
/** Serves the page, the adapter's modules and the installed package, as files. */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, sep } from "node:path";

import { HERE } from "../javascript/package.mjs";

const ADAPTERS = join(HERE, "..");
/** @type {Record<string, string>} */
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
};
/** The pages, and what runs in each. */
const SCRIPTS = new Map([
  ["/", "page.mjs"],
  ["/worker", "worker-page.mjs"],
]);

export class Site {
  #package;

  /** @param {import("../javascript/package.mjs").Package} installed */
  constructor(installed) {
    this.#package = installed;
    this.url = "";
  }

  /** @param {import("../javascript/package.mjs").Package} installed */
  static async open(installed) {
    const site = new Site(installed);
    const server = createServer(async (request, response) => {
      const path = new URL(request.url ?? "/", "http://site").pathname;
      if (path === "/callback") {
        // Where a login comes back to, by way of another origin.
        response.writeHead(200, { "access-control-allow-origin": "*" }).end();
        return;
      }
      try {
        const content = await site.#content(path);
        response.writeHead(200, { "content-type": TYPES[extname(path) || ".html"] ?? "application/octet-stream" });
        response.end(content);
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(undefined)));
    const address = /** @type {import("node:net").AddressInfo} */ (server.address());
    site.url = `http://127.0.0.1:${address.port}`;
    return site;
  }

  /** @param {string} path */
  async #content(path) {
    const script = SCRIPTS.get(path);
    if (script !== undefined) {
      const page = await readFile(join(ADAPTERS, "web", "page.html"), "utf8");
      const entry = (/** @type {string} */ name) => this.#package.entry(name, ["browser", "import"]).replace("./", "");
      return page.replace("{script}", script).replace("{main}", entry(".")).replace("{webhooks}", entry("./webhooks"));
    }
    const [, root, ...rest] = normalize(path).split(sep);
    const folders = new Map([
      ["adapters", ADAPTERS],
      ["package", this.#package.folder],
    ]);
    const folder = folders.get(root);
    if (folder === undefined) {
      throw new Error(`there is nothing at ${path}`);
    }
    return readFile(join(folder, ...rest));
  }
}
