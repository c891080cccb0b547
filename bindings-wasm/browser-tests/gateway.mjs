/** A gateway of one's own, and its sessions: faults are programmed there, and what arrived is read from its journal. */

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { gatewayProgram } from "./settings.mjs";

/** A running gateway. */
export class Gateway {
  #process;

  /** Starts one on any free ports, or with these arguments besides. */
  static async start(...args) {
    const gateway = new Gateway();
    const child = spawn(gatewayProgram, ["serve", "--port", "0", "--print-json", "--until-stdin-closes", ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    gateway.#process = child;
    const said = await Promise.race([
      once(createInterface(child.stdout), "line"),
      once(child, "exit").then(([code]) => Promise.reject(new Error(`the gateway ended with ${code}`))),
    ]);
    // A test that fails does not stop it, and should end all the same; it stops with its standard input.
    child.unref();
    child.stdin.unref();
    child.stdout.unref();
    const { url, admin_url: adminUrl } = JSON.parse(said[0]);
    return Object.assign(gateway, { url, adminUrl });
  }

  /** Ends it as a crash would. */
  async kill() {
    this.#process.ref();
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }

  async stop() {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.ref();
      const ended = once(this.#process, "exit");
      this.#process.stdin.end();
      await ended;
    }
  }

  /** A world of its own in the gateway. */
  session(name = `test-${randomUUID()}`) {
    return new Session(this, name);
  }
}

/** A session of a gateway. */
class Session {
  #gateway;

  constructor(gateway, name) {
    this.#gateway = gateway;
    this.name = name;
  }

  /** What a client in a page needs: its address, and the headers that select the session. */
  get target() {
    return { url: this.#gateway.url, headers: { "x-mock-session": this.name } };
  }

  async admin(method, path, { query = {}, json } = {}) {
    const url = new URL(`/admin/${path}`, this.#gateway.adminUrl);
    url.search = new URLSearchParams({ session: this.name, ...query });
    const response = await fetch(url, { method, body: json && JSON.stringify(json) });
    const answer = await response.json();
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    }
    return answer;
  }

  faults(...rules) {
    return this.admin("PUT", "faults", { json: { rules } });
  }

  async journal(op) {
    return (await this.admin("GET", "journal", { query: op ? { op } : {} })).entries;
  }

  effects(op) {
    return this.admin("GET", "effects", { query: { op } });
  }

  /** The journal once it has so many entries of an operation. Asks again and again: a request under way cannot be waited for. */
  async arrived(op, count) {
    const begun = performance.now();
    for (;;) {
      const entries = await this.journal(op);
      if (entries.length >= count) {
        return entries;
      }
      if (performance.now() - begun > 20_000) {
        throw new Error(`${entries.length} of ${count} requests for ${op} arrived: ${JSON.stringify(entries)}`);
      }
    }
  }
}
