/** The reference gateway as a process, and what a test asks of its admin port. One gateway for each test file, a session for each test. */

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { after } from "node:test";

import { sdk } from "./package.mjs";

export const KEY = "sk_test_unlimited_acme";
/** Retries that do not make a test wait. */
export const SOON = { backoffBase: 1, backoffCap: 2 };

async function start() {
  const program = process.env.GATEWRIGHT_GATEWAY;
  if (!program) {
    throw new Error("GATEWRIGHT_GATEWAY must name the program gatewright-gateway");
  }
  const options = ["serve", "--port", "0", "--print-json", "--until-stdin-closes"];
  const gateway = spawn(program, options, { stdio: ["pipe", "pipe", "inherit"] });
  let line = "";
  for await (const chunk of gateway.stdout) {
    line += chunk;
    if (line.includes("\n")) {
      break;
    }
  }
  const { url, admin_url: adminUrl } = JSON.parse(line);
  // Its standard input closes with this process, and it ends with that.
  gateway.unref();
  gateway.stdin.unref();
  after(() => gateway.stdin.destroy());
  return { url, adminUrl };
}

export const gateway = await start();

/** One test's own world in the gateway. */
export class Session {
  id = `js-${randomUUID()}`;
  url = gateway.url;

  /** A client of this session; retries do not wait unless told to. */
  client(options = {}) {
    return new sdk.Client(this.url, this.options(options));
  }

  options({ headers = {}, ...options } = {}) {
    return { auth: KEY, retry: SOON, headers: { "x-mock-session": this.id, ...headers }, ...options };
  }

  async admin(method, path, body, query = {}) {
    const url = `${gateway.adminUrl}/admin/${path}?${new URLSearchParams({ session: this.id, ...query })}`;
    const answer = await fetch(url, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`${method} ${url}: ${answer.status} ${text}`);
    }
    return text === "" ? undefined : JSON.parse(text);
  }

  faults(...rules) {
    return this.admin("PUT", "faults", { rules });
  }

  /** Plays these faults, one for each request of an operation. */
  script(op, ...faults) {
    return this.faults({ match: { op }, script: faults });
  }

  /** What came in, in order. Preflights and the like are none of ours. */
  async journal() {
    return (await this.admin("GET", "journal")).entries;
  }

  async last() {
    return (await this.journal()).at(-1);
  }

  /** A header's value in each request that came in. */
  async headerOf(name) {
    return (await this.journal()).map((entry) => Object.fromEntries(entry.headers)[name]);
  }

  effects(op = "contacts.create") {
    return this.admin("GET", "effects", undefined, { op });
  }

  /** Of how many calls the gateway has not sent the last byte. It counts those of tiers with limits. */
  async inProgress() {
    const { tenants } = await this.admin("GET", "limits");
    return tenants.reduce((sum, tenant) => sum + tenant.in_progress, 0);
  }

  set(options) {
    return this.admin("POST", "session", options);
  }
}

/** The body of a request in the journal. */
export function bodyOf(entry) {
  return Buffer.from(entry.body_base64, "base64");
}

/** Waits until something is so. What never is makes the test time out. */
export async function until(condition) {
  while (!(await condition())) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Waits until no call has a place any more; what leaks is never idle. */
export function idle(client) {
  return until(() => client.state().limits.every(({ inFlight, queued }) => inFlight === 0 && queued === 0));
}

/** The error that a promise is rejected with. */
export function rejection(promise) {
  return promise.then(
    (value) => {
      throw new Error(`it was not rejected, but gave ${String(value)}`);
    },
    (error) => error,
  );
}
