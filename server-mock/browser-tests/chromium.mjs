/**
 * The gateway, and pages of its dashboard in Chromium. Told by the environment, which `cargo xtask test gateway` sets:
 *
 *   GATEWRIGHT_GATEWAY   the gateway's program
 *   GATEWRIGHT_CHROMIUM  the browser
 *   NODE_TOOLS           a folder whose node_modules have playwright-core and axe-core
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

function told(name, otherwise) {
  const value = process.env[name] ?? otherwise;
  if (value === undefined) {
    throw new Error(`${name} is not set; run the tests by cargo xtask test gateway`);
  }
  return resolve(value);
}

const repository = resolve(import.meta.dirname, "../..");
const tools = createRequire(join(told("NODE_TOOLS", join(repository, "target/xtask/node-tools")), "package.json"));
const { chromium } = tools("playwright-core");
export const axe = readFileSync(tools.resolve("axe-core/axe.min.js"), "utf8");

/** A gateway on any free ports. */
export async function startGateway(...args) {
  const child = spawn(
    told("GATEWRIGHT_GATEWAY"),
    ["serve", "--port", "0", "--print-json", "--until-stdin-closes", ...args],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const said = await Promise.race([
    once(createInterface(child.stdout), "line"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`the gateway ended with ${code}`))),
  ]);
  const { url, admin_url: adminUrl } = JSON.parse(said[0]);
  const stop = async () => {
    if (child.exitCode === null) {
      const ended = once(child, "exit");
      child.stdin.end();
      await ended;
    }
  };
  return { url, adminUrl, stop };
}

/** A session of a gateway: what a client and the admin port do with it. */
export class Session {
  static #count = 0;

  constructor(gateway) {
    Session.#count += 1;
    this.gateway = gateway;
    this.name = `look-${Session.#count}`;
  }

  /** A request to the data port; the answer, or the error. */
  async call(method, path, { key = "sk_test_pro_acme", headers = {}, json } = {}) {
    const body = json && JSON.stringify(json);
    const type = json && { "content-type": "application/json" };
    const about = { authorization: `Bearer ${key}`, "x-mock-session": this.name, ...type, ...headers };
    try {
      const response = await fetch(this.gateway.url + path, { method, headers: about, body });
      await response.arrayBuffer();
      return response;
    } catch (error) {
      return { error };
    }
  }

  async admin(method, path, json) {
    const url = new URL(`/admin/${path}`, this.gateway.adminUrl);
    url.searchParams.set("session", this.name);
    const response = await fetch(url, { method, body: json && JSON.stringify(json) });
    const answer = await response.json();
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    }
    return answer;
  }

  /** The address of a page of the dashboard. */
  page(name = "", query = {}) {
    const url = new URL(`/dashboard${name && `/${name}`}`, this.gateway.adminUrl);
    url.search = new URLSearchParams({ session: this.name, ...query });
    return url.href;
  }
}

/** A browser. Close it when the tests are over. */
export function launch() {
  return chromium.launch({
    executablePath: told("GATEWRIGHT_CHROMIUM", "/usr/bin/chromium"),
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
  });
}

/** A page of the dashboard that shows what is now. */
export async function openPage(browser, url, options = {}) {
  const page = await visit(browser, url, options);
  if (options.javaScriptEnabled !== false) {
    await page.locator("html[data-ready=true]").waitFor({ state: "attached" });
    // The first content of the stream is there: from now on what changes is shown.
    await page.locator("#app[data-shown]").waitFor();
  }
  return page;
}

/** Any page: `page.complaints` are what its console said and what it asked of other origins. */
export async function visit(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) {
      page.complaints.push(`${message.text()} (${message.location().url})`);
    }
  });
  page.on("dialog", (dialog) => {
    page.complaints.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  const own = new URL(url).origin;
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== own) {
      page.complaints.push(`asked for ${request.url()}`);
    }
  });
  await page.goto(url);
  return page;
}
