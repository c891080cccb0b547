/**
 * Plays the plan with one client: `client.mjs NAME URL PREFIX`. Each step is a session of its own, named `PREFIX-STEP`.
 *
 * Every client has three attempts in all and a timeout of one second for each; everything else is as it comes, or as its documentation shows it
 * where nothing comes by itself. Packages are those of the project in the working directory.
 */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const here = createRequire(join(process.cwd(), "package.json"));
const load = async (name) => import(pathToFileURL(here.resolve(name)));
const plan = JSON.parse(await readFile(new URL("plan.json", import.meta.url), "utf8"));

const clients = {
  async "gatewright-node"(url, session, key) {
    const { Client } = here("gatewright");
    const client = new Client(url, { auth: key, headers: { "X-Mock-Session": session }, attemptTimeout: 1_000 });
    return (method, path, json) => client.request(method, path, json === undefined ? {} : { json });
  },

  async got(url, session, key) {
    const { default: got } = await load("got");
    const client = got.extend({
      prefixUrl: url,
      headers: { "X-Mock-Session": session, authorization: `Bearer ${key}` },
      retry: { limit: 2 },
      // Not `request`: got gives up where Retry-After is longer than that.
      timeout: { response: 1_000 },
    });
    return (method, path, json) => client(path.slice(1), { method, ...(json === undefined ? {} : { json }) });
  },

  async "axios-retry"(url, session, key) {
    const axios = here("axios");
    const { default: axiosRetry } = here("axios-retry");
    const client = axios.create({
      baseURL: url,
      headers: { "X-Mock-Session": session, authorization: `Bearer ${key}` },
      timeout: 1_000,
      validateStatus: (status) => status < 400,
    });
    axiosRetry(client, { retries: 2, retryDelay: axiosRetry.exponentialDelay, shouldResetTimeout: true });
    return (method, path, data) => client.request({ method, url: path, data });
  },
};

async function play(make, url, prefix, step) {
  const call = await make(url, `${prefix}-${step.name}`, step.key ?? "sk_test_unlimited_acme");
  const calls = Array.from({ length: step.repeat ?? 1 }, () => step.calls).flat();
  const one = (method, path) =>
    call(method, path, method === "POST" ? { name: step.name } : undefined).catch((error) =>
      // Kept beside the journals: what a client says and what arrived must fit.
      console.error(`${step.name}: ${method} ${path}: ${error.name}: ${error.message}`),
    );
  const going = [];
  for (const [method, path] of calls) {
    if (step.every_ms === undefined) {
      await one(method, path);
    } else {
      going.push(one(method, path));
      await sleep(step.every_ms);
    }
  }
  await Promise.all(going);
}

const [name, url, prefix] = process.argv.slice(2);
for (const step of plan) {
  await play(clients[name], url, prefix, step);
}
// What is still open, such as a pool, is nobody's any more.
process.exit(0);
