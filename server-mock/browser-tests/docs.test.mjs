/** Swagger UI at `/docs`: it shows every operation of the document, sends requests, and keeps to its policy. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { launch, startGateway, visit } from "./chromium.mjs";

let browser;
let gateway;
let page;

before(async () => {
  gateway = await startGateway();
  browser = await launch();
  page = await visit(browser, `${gateway.url}/docs`);
  await page.locator("html[data-ready=true]").waitFor({ state: "attached" });
});

after(async () => {
  await browser?.close();
  await gateway?.stop();
});

/** The block of an operation, opened. */
async function opened(method, path) {
  const block = page.locator(".opblock").filter({
    has: page
      .locator(`.opblock-summary-method:text-is("${method}")`)
      .locator(`xpath=..`)
      .locator(`[data-path="${path}"]`),
  });
  await block.locator("button.opblock-summary-control").click();
  await block.locator(".opblock-body").waitFor();
  return block;
}

test("every operation and webhook of the document is shown", async () => {
  const { paths, webhooks } = await (await fetch(`${gateway.url}/openapi.json`)).json();
  const documented = Object.entries({ ...paths, ...webhooks }).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const shown = await page.locator(".opblock-summary").evaluateAll((blocks) =>
    blocks.map((block) => {
      const method = block.querySelector(".opblock-summary-method").textContent;
      return `${method} ${block.querySelector("[data-path]").dataset.path}`;
    }),
  );
  assert.ok(documented.length > 100, `${documented.length} operations`);
  assert.deepEqual(shown.sort(), documented.sort());
});

test("a request is tried out, and its answer shown", async () => {
  const block = await opened("GET", "/healthz");
  await block.getByRole("button", { name: "Try it out" }).click();
  await block.getByRole("button", { name: "Execute" }).click();
  const answer = block.locator(".live-responses-table");
  await answer.locator(".response-col_status").filter({ hasText: "200" }).first().waitFor();
  assert.match(await answer.innerText(), /"status":\s+"ok"/);
});

test("descriptions are shown as Markdown, and schemas as what they are", async () => {
  const block = await opened("POST", "/v1/contacts");
  await block.getByText("Idempotency-Key", { exact: true }).waitFor();
  assert.ok(await page.locator(".info .renderedMarkdown code").count());
});

test("nothing breaks the policy, and what would is stopped", async () => {
  // All that Swagger UI has loaded, drawn and sent until now.
  assert.deepEqual(page.complaints, []);
  const stopped = await page.evaluate(async () => {
    const kept = [];
    addEventListener("securitypolicyviolation", ({ effectiveDirective }) => kept.push(effectiveDirective));
    const script = document.createElement("script");
    script.textContent = "globalThis.ran = true";
    document.head.append(script);
    await fetch("https://example.com/").catch(() => {});
    // What was stopped is told a moment later.
    for (const begun = performance.now(); kept.length < 2 && performance.now() - begun < 20_000; ) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return { kept, ran: globalThis.ran ?? false };
  });
  assert.deepEqual(stopped, { kept: ["script-src-elem", "connect-src"], ran: false });
});
