/** A web site on a port of its own: a page that has loaded the package, files from folders, and whatever else a test answers with. */

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";

import { entry, packageFolder } from "./settings.mjs";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Where a page imports the package's entries from. */
export const packageUrl = (name) => `/gatewright-web/${entry(name)}`;

/** A page whose script has put the package's exports at `gatewright` and said so by `data-ready`. */
const loadedPage = () => `<!doctype html>
<html lang="en">
<title>test</title>
<link rel="icon" href="data:,">
<script type="module" src="/loaded.js"></script>
</html>`;

const loadedScript = () => `import * as gatewright from ${JSON.stringify(packageUrl("."))};
globalThis.gatewright = gatewright;
document.documentElement.dataset.ready = "true";
`;

/**
 * Starts a site. `headers` go with every answer; `folders` maps prefixes to folders; `answer(request, response)` may answer first, by
 * returning true.
 */
export async function site({ headers = {}, folders = {}, answer } = {}) {
  const mounts = { "/gatewright-web/": packageFolder, ...folders };
  const server = createServer(async (request, response) => {
    for (const [name, value] of Object.entries(headers)) {
      response.setHeader(name, value);
    }
    if (await answer?.(request, response)) {
      return;
    }
    const { pathname } = new URL(request.url, "http://localhost");
    const send = (type, content) => response.writeHead(200, { "content-type": type }).end(content);
    if (pathname === "/loaded.js") {
      return send("text/javascript", loadedScript());
    }
    const mount = Object.keys(mounts).find((prefix) => pathname.startsWith(prefix));
    if (mount !== undefined) {
      const path = join(mounts[mount], pathname.slice(mount.length) || "index.html");
      try {
        return send(TYPES[extname(path)] ?? "application/octet-stream", await readFile(path));
      } catch {
        return response.writeHead(404).end();
      }
    }
    if (pathname === "/elsewhere") {
      return send("text/html", "<!doctype html><title>elsewhere</title>");
    }
    return pathname === "/" ? send("text/html", loadedPage()) : response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // A test that fails does not close it, and should end all the same.
  server.unref();
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
