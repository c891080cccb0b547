/** The reference gateway in a user's own tests: a process on free ports, and its sessions. Types: `types/testing.d.ts`. */

import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import type { ClientOptions } from "../../types/index.js";
import type {
  ClockState,
  Effects,
  FaultRule,
  GatewayOptions,
  JournalEntry,
  JournalQuery,
  Tier,
  Token,
  Verdict,
} from "../../types/testing.js";
import { Client } from "./index.ts";

const require = createRequire(__filename);

/** It is ready in well under a second; a machine under load gets more. */
const READY_WITHIN = 20_000;
const ADMIN_TIMEOUT = 60_000;
/** What it complains of is kept so far. */
const MAX_COMPLAINT = 2_000;

export class GatewayError extends Error {
  static {
    Object.defineProperty(GatewayError.prototype, "name", { value: "GatewayError" });
  }
}

export class GatewayNotInstalledError extends GatewayError {
  static {
    Object.defineProperty(GatewayNotInstalledError.prototype, "name", { value: "GatewayNotInstalledError" });
  }
}

type Query = Readonly<Record<string, string | number | undefined>>;

export class Gateway {
  readonly url: string;
  readonly adminUrl: string;
  readonly regions: Readonly<Record<string, string>>;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #stopped = false;
  #sessions = 0;

  private constructor(child: ChildProcess, ended: Promise<void>, ready: Ready) {
    this.#child = child;
    this.#ended = ended;
    this.url = ready.url;
    this.adminUrl = ready.admin_url;
    this.regions = ready.regions ?? {};
  }

  static async start(options: GatewayOptions = {}): Promise<Gateway> {
    const program = find(options.program);
    const words = ["serve", "--port", "0", "--print-json", "--until-stdin-closes"];
    words.push("--workers", String(options.workers ?? 1));
    for (const region of options.regions ?? []) {
      words.push("--region", region);
    }
    const child = spawn(program, [...words, ...(options.arguments ?? [])], { stdio: ["pipe", "pipe", "pipe"] });
    const ended = new Promise<void>((resolve) => {
      child.once("close", () => resolve());
      child.once("error", () => resolve());
    });
    // Writing to one that has ended already is no error of the user's.
    child.stdin.on("error", () => {});
    const ready = await firstLine(child, program);
    // It does not keep this process alive; its input closes with this process, and it ends with that.
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) {
      (stream as unknown as { unref?(): void }).unref?.();
    }
    return new Gateway(child, ended, ready);
  }

  session(name?: string): Session {
    this.#sessions += 1;
    return new Session(this, name ?? `test-${this.#sessions}-${randomUUID().slice(0, 8)}`);
  }

  async setRegion(name: string, up: boolean): Promise<void> {
    await this.admin("POST", "regions", { name, up });
  }

  admin(method: string, path: string, body?: unknown, query: Query = {}): Promise<unknown> {
    const url = new URL(`/admin/${path}`, this.adminUrl);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) {
        url.searchParams.set(name, String(value));
      }
    }
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => {
        const { exitCode } = this.#child;
        const what = this.#stopped
          ? "has been stopped"
          : exitCode === null
            ? `says: ${error.message}`
            : `has ended with ${exitCode}`;
        reject(new GatewayError(`the gateway does not answer: it ${what}`, { cause: error }));
      };
      const asked = request(url, {
        method,
        agent: false,
        timeout: ADMIN_TIMEOUT,
        headers: { "content-type": "application/json" },
      });
      asked.on("timeout", () => asked.destroy(new Error("it took longer than a minute")));
      asked.on("error", failed);
      asked.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", failed);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) {
            resolve(JSON.parse(text));
          } else {
            reject(new GatewayError(`${method} /admin/${path}: ${status} ${detailOf(text)}`));
          }
        });
      });
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#child.stdin?.end();
    this.#child.ref();
    await this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

export class Session {
  readonly gateway: Gateway;
  readonly name: string;

  constructor(gateway: Gateway, name: string) {
    this.gateway = gateway;
    this.name = name;
  }

  get url(): string {
    return this.gateway.url;
  }

  get headers(): Record<string, string> {
    return { "X-Mock-Session": this.name };
  }

  client(options: ClientOptions = {}): Client {
    const headers = new Headers(this.headers);
    for (const [name, value] of new Headers(options.headers as HeadersInit | undefined)) {
      headers.set(name, value);
    }
    return new Client(this.url, { auth: this.key(), ...options, headers });
  }

  async script(op: string, ...faults: string[]): Promise<void> {
    await this.addFaults({ match: { op }, script: faults });
  }

  async outage(fault = "503", { op = "*", name = "outage" }: { op?: string; name?: string } = {}): Promise<void> {
    await this.addFaults({ match: { op }, always: fault, name });
  }

  async setFaults(...rules: FaultRule[]): Promise<void> {
    await this.#ask("PUT", "faults", { rules });
  }

  async addFaults(...rules: FaultRule[]): Promise<void> {
    await this.#ask("POST", "faults", { rules });
  }

  async faults(): Promise<(FaultRule & { readonly played: number })[]> {
    return ((await this.#ask("GET", "faults")) as { rules: (FaultRule & { played: number })[] }).rules;
  }

  async clearFaults(name?: string): Promise<void> {
    await this.#ask("DELETE", "faults", undefined, { name });
  }

  clock(): Promise<ClockState> {
    return this.#ask("GET", "clock") as Promise<ClockState>;
  }

  freeze(): Promise<ClockState> {
    return this.#setClock({ freeze: true });
  }

  advance(milliseconds: number): Promise<ClockState> {
    return this.#setClock({ advance_ms: Math.round(milliseconds) });
  }

  runUntilIdle(): Promise<ClockState> {
    return this.#setClock({ run_until_idle: true });
  }

  resume(): Promise<ClockState> {
    return this.#setClock({ resume: true });
  }

  async journal(query: JournalQuery = {}): Promise<JournalEntry[]> {
    const answer = await this.#ask("GET", "journal", undefined, { since: query.since, op: query.op });
    return (answer as { entries: JournalEntry[] }).entries;
  }

  async clearJournal(): Promise<void> {
    await this.#ask("DELETE", "journal");
  }

  effects(op: string): Promise<Effects> {
    return this.#ask("GET", "effects", undefined, { op }) as Promise<Effects>;
  }

  async limits(): Promise<Readonly<Record<string, unknown>>[]> {
    return ((await this.#ask("GET", "limits")) as { tenants: Record<string, unknown>[] }).tenants;
  }

  verdict(): Promise<Verdict> {
    return this.#ask("GET", "verdict") as Promise<Verdict>;
  }

  key(tier: Tier = "unlimited", tenant = "acme"): string {
    return `sk_test_${tier}_${tenant}`;
  }

  token(
    milliseconds: number,
    { tier = "unlimited", tenant = "acme" }: { tier?: Tier; tenant?: string } = {},
  ): Promise<Token> {
    return this.#ask("POST", "tokens", { tier, tenant, ttl_ms: Math.round(milliseconds) }) as Promise<Token>;
  }

  set(options: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    return this.#ask("POST", "session", options) as Promise<Readonly<Record<string, unknown>>>;
  }

  async reset(): Promise<void> {
    await this.#ask("POST", "reset");
  }

  async close(): Promise<void> {
    await this.#ask("DELETE", "sessions");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #setClock(change: object): Promise<ClockState> {
    return this.#ask("POST", "clock", change) as Promise<ClockState>;
  }

  #ask(method: string, path: string, body?: unknown, query: Query = {}): Promise<unknown> {
    return this.gateway.admin(method, path, body, { session: this.name, ...query });
  }
}

interface Ready {
  readonly url: string;
  readonly admin_url: string;
  readonly regions?: Readonly<Record<string, string>>;
}

/** The program: the one that was named, else the environment's, the installed package's, or the path's. */
function find(named: string | undefined): string {
  const told = named ?? process.env.GATEWRIGHT_GATEWAY;
  if (told) {
    return told;
  }
  let why: unknown;
  try {
    return (require("gatewright-gateway") as { program(): string }).program();
  } catch (error) {
    why = error;
  }
  const file = process.platform === "win32" ? "gatewright-gateway.exe" : "gatewright-gateway";
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, file);
    if (folder !== "" && isProgram(path)) {
      return path;
    }
  }
  throw new GatewayNotInstalledError(
    "gatewright-gateway is not installed: npm install --save-dev gatewright-gateway, or name its path in GATEWRIGHT_GATEWAY",
    { cause: why },
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where it listens, as its first line says. */
function firstLine(child: ChildProcess, program: string): Promise<Ready> {
  return new Promise((resolve, reject) => {
    let line = "";
    let complaint = "";
    const alarm = setTimeout(() => child.kill("SIGKILL"), READY_WITHIN);
    const failed = (why: string): void => {
      clearTimeout(alarm);
      reject(new GatewayError(why));
    };
    child.once("error", (error) => failed(`${program} cannot be started: ${error.message}`));
    child.once("close", () => failed(`the gateway did not start: ${complaint.trim() || "it ended"}`));
    // Both are read to their ends, or it would stop when they are full.
    child.stderr?.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString()).slice(0, MAX_COMPLAINT);
    });
    child.stdout?.on("data", (chunk: Buffer) => {
      if (line.includes("\n")) {
        return;
      }
      line += chunk.toString();
      if (line.includes("\n")) {
        clearTimeout(alarm);
        try {
          resolve(JSON.parse(line) as Ready);
        } catch {
          failed(`the gateway did not start: its first line was ${line.slice(0, 200)}`);
        }
      }
    });
  });
}

function detailOf(text: string): string {
  try {
    return String((JSON.parse(text) as { detail?: unknown }).detail ?? text.slice(0, 200));
  } catch {
    return text.slice(0, 200);
  }
}
