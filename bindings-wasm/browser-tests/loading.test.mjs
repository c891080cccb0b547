/** The package loads wherever a browser loads modules: plain scripts, workers, under a strict CSP, from a bundle, from Vite. */

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { complaintsOf, launch, openPage } from "./chromium.mjs";
import { Gateway } from "./gateway.mjs";
import { project, tool } from "./settings.mjs";
import { packageUrl, site } from "./site.mjs";

let browser;
let gateway;

before(async () => {
  gateway = await Gateway.start();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
});

const WEBHOOK_BODY = '{"type":"contact.created"}';

/** What a module imports from the package's entries. */
const imports = (main, webhooks) => `
import { Client, GatewrightError, NotFoundError } from ${JSON.stringify(main)};
import { Webhook, generateSecret } from ${JSON.stringify(webhooks)};
`;

/** Signs and verifies a webhook, makes two calls, and tells in `seen` what came of it. */
const steps = ({ url, headers }) => `
const webhook = new Webhook(generateSecret());
const body = ${JSON.stringify(WEBHOOK_BODY)};
const { messageId } = webhook.verify(body, webhook.sign(body, { messageId: "msg_1" }));

const client = new Client(${JSON.stringify(url)}, { auth: "sk_test_pro_acme", headers: ${JSON.stringify(headers)} });
const { tier } = await (await client.get("/v1/whoami")).json();
const error = await client.get("/v1/contacts/nobody").catch((error) => error);
const typed = error instanceof NotFoundError && error instanceof GatewrightError;
const seen = [tier, messageId, typed, error.status].join(" ");
`;

const program = (main, webhooks, target) => imports(main, webhooks) + steps(target);
const SEEN = "pro msg_1 true 404";
const IN_PAGE = 'document.title = seen; document.documentElement.dataset.ready = "true";';

const html = (script) => `<!doctype html><html lang="en"><link rel="icon" href="data:,">${script}</html>`;

/** Answers with these files, by path. */
const files = (known) => (request, response) => {
  const found = known[request.url];
  if (found !== undefined) {
    response
      .writeHead(200, { "content-type": request.url.endsWith("js") ? "text/javascript" : "text/html" })
      .end(found);
  }
  return found !== undefined;
};

async function check(url) {
  const page = await openPage(browser, url);
  assert.equal(await page.title(), SEEN);
  assert.deepEqual(complaintsOf(page), []);
}

test("from a plain module script", async () => {
  const script = program(packageUrl("."), packageUrl("./webhooks"), gateway.session().target) + IN_PAGE;
  const own = await site({
    answer: files({ "/": html('<script type="module" src="/page.js"></script>'), "/page.js": script }),
  });
  await check(own.url);
  await own.close();
});

test("under a CSP that allows WebAssembly and no eval", async () => {
  const script = program(packageUrl("."), packageUrl("./webhooks"), gateway.session().target) + IN_PAGE;
  const policy = `default-src 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ${gateway.url}`;
  const own = await site({
    headers: { "content-security-policy": policy },
    answer: files({ "/": html('<script type="module" src="/page.js"></script>'), "/page.js": script }),
  });
  await check(own.url);
  await own.close();
});

test("with the WebAssembly inside of the script, where files cannot be fetched", async () => {
  const script = program(packageUrl("./inline"), packageUrl("./webhooks/inline"), gateway.session().target) + IN_PAGE;
  const own = await site({
    answer: files({ "/": html('<script type="module" src="/page.js"></script>'), "/page.js": script }),
  });
  await check(own.url);
  await own.close();
});

test("in a web worker", async () => {
  const worker = `${program(packageUrl("."), packageUrl("./webhooks"), gateway.session().target)} postMessage(seen);`;
  const script = `
    const worker = new Worker("/worker.js", { type: "module" });
    worker.onerror = (event) => console.error(event.message);
    worker.onmessage = ({ data: seen }) => { ${IN_PAGE} };`;
  const own = await site({
    answer: files({
      "/": html('<script type="module" src="/page.js"></script>'),
      "/page.js": script,
      "/worker.js": worker,
    }),
  });
  await check(own.url);
  await own.close();
});

test("in a service worker, where imports may not wait", async () => {
  // What waits in a service worker is an event, never the module itself.
  const worker = `${imports(packageUrl("./inline"), packageUrl("./webhooks/inline"))}
    const run = async () => { ${steps(gateway.session().target)} return seen; };
    addEventListener("message", (event) => event.waitUntil(run().then((seen) => event.source.postMessage(seen))));`;
  const script = `
    navigator.serviceWorker.onmessage = ({ data: seen }) => { ${IN_PAGE} };
    const { installing, waiting, active } = await navigator.serviceWorker.register("/worker.js", { type: "module" });
    // It may be done with its installation by now.
    (installing ?? waiting ?? active).postMessage("run");`;
  const own = await site({
    answer: files({
      "/": html('<script type="module" src="/page.js"></script>'),
      "/page.js": script,
      "/worker.js": worker,
    }),
  });
  await check(own.url);
  await own.close();
});

/** A project for Vite with no plugins and no settings: a page, a module, and the installed package. */
async function viteProject() {
  const root = await mkdtemp(join(project, "vite-"));
  await mkdir(join(root, "src"));
  await writeFile(join(root, "index.html"), html('<script type="module" src="/src/main.js"></script>'));
  const script = program("gatewright-web", "gatewright-web/webhooks", gateway.session().target) + IN_PAGE;
  await writeFile(join(root, "src/main.js"), script);
  return root;
}

test("from a production build by Vite", async () => {
  const vite = await tool("vite");
  const root = await viteProject();
  try {
    await vite.build({ root, configFile: false, logLevel: "error" });
    const assets = await readdir(join(root, "dist/assets"));
    assert.ok(
      assets.some((name) => name.endsWith(".wasm")),
      `no WebAssembly among ${assets}`,
    );
    const own = await site({ folders: { "/": join(root, "dist") } });
    await check(own.url);
    await own.close();
  } finally {
    await rm(root, { recursive: true });
  }
});

test("from Vite's development server", async () => {
  const vite = await tool("vite");
  const root = await viteProject();
  const server = await vite.createServer({
    root,
    configFile: false,
    logLevel: "error",
    server: { host: "127.0.0.1", port: 0, strictPort: false },
  });
  try {
    await server.listen();
    await check(`http://127.0.0.1:${server.httpServer.address().port}`);
  } finally {
    await server.close();
    await rm(root, { recursive: true });
  }
});
