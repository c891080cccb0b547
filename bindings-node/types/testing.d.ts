/**
 * The types of `gatewright/testing`: the reference gateway in your own tests, a real server on this machine, with faults, a clock and a
 * journal. It is a process of its own, which ends with yours; its program comes with `npm install --save-dev gatewright-gateway`.
 *
 * ```js
 * await using gateway = await Gateway.start();
 * const session = gateway.session();
 * await session.script("contacts.create", "503;ra-ms=20", "lost");
 * await session.client().post("/v1/contacts", { json: { name: "Ada" } });
 * assert.equal((await session.effects("contacts.create")).count, 1);
 * assert.equal((await session.verdict()).grade, "A");
 * ```
 */

import type { Client, ClientOptions } from "./index.js";

/** The gateway could not be started, has ended, or refused what it was asked. */
export class GatewayError extends Error {}

/** There is no program to start; the message says which command installs it. */
export class GatewayNotInstalledError extends GatewayError {}

/** How to start a gateway. */
export interface GatewayOptions {
  /**
   * The path of `gatewright-gateway`. Default: what `GATEWRIGHT_GATEWAY` names, else that of the package `gatewright-gateway`, else the first
   * on the path.
   */
  readonly program?: string;
  /** Threads that serve. Default 1. */
  readonly workers?: number;
  /** Names of more data ports. Default none. */
  readonly regions?: readonly string[];
  /** More arguments of `gatewright-gateway serve`. Default none. */
  readonly arguments?: readonly string[];
}

/** A running gateway. */
export class Gateway {
  private constructor();

  /**
   * Starts one on free ports.
   *
   * @throws {GatewayNotInstalledError} where there is no program.
   * @throws {GatewayError} where it does not start.
   */
  static start(options?: GatewayOptions): Promise<Gateway>;

  /** Where clients call: `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** The admin port, with a page of each session's verdict at `/admin/verdict.html?session=`. */
  readonly adminUrl: string;
  /** The URL of each region. */
  readonly regions: { readonly [name: string]: string };

  /** A world of its own: records, clock, limits, faults and journal. Default name: a new one. */
  session(name?: string): Session;

  /** Closes the port of a region, with its connections, or opens it again. */
  setRegion(name: string, up: boolean): Promise<void>;

  /**
   * Asks the admin port: `admin("GET", "health")`.
   *
   * @throws {GatewayError} with the gateway's words where it refuses.
   */
  admin(
    method: string,
    path: string,
    body?: unknown,
    query?: { readonly [name: string]: string | number | undefined },
  ): Promise<unknown>;

  /** Ends it, and resolves when it has ended. May be called again. */
  stop(): Promise<void>;

  /** `stop`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** One test's own world in a gateway. Any client plays in it that sends `headers`. */
export class Session {
  constructor(gateway: Gateway, name: string);

  /** The gateway it is in. */
  readonly gateway: Gateway;
  /** What requests name it by, in the header `X-Mock-Session`. */
  readonly name: string;
  /** Where clients call. */
  readonly url: string;
  /** What a client has to send with each request so that it plays in this session. */
  readonly headers: { readonly [name: string]: string };

  /** A `Client` that plays in this session, with a key that has no limits unless `auth` is given. */
  client(options?: ClientOptions): Client;

  /**
   * Adds a rule that plays these faults, one for each request of an operation: `"503;ra=2"`, `"reset"`, `"lost"`.
   *
   * @param op An operation such as `contacts.create`; may end in `*`.
   */
  script(op: string, ...faults: string[]): Promise<void>;
  /** Gives every request of an operation this fault, default `503`, until `clearFaults(name)`. */
  outage(fault?: string, options?: { readonly op?: string; readonly name?: string }): Promise<void>;
  /** Replaces the fault rules. */
  setFaults(...rules: FaultRule[]): Promise<void>;
  /** Adds fault rules behind those that are there. */
  addFaults(...rules: FaultRule[]): Promise<void>;
  /** The fault rules, and how far each has got. */
  faults(): Promise<(FaultRule & { readonly played: number })[]>;
  /** Takes all fault rules away, or those of one name. */
  clearFaults(name?: string): Promise<void>;

  /** What its clock shows. */
  clock(): Promise<ClockState>;
  /** Stops its clock: limits, keys, tokens and webhooks stand still. Waits of clients are real time. */
  freeze(): Promise<ClockState>;
  /** Moves its clock forward; webhooks that fall due on the way are sent first. */
  advance(milliseconds: number): Promise<ClockState>;
  /** Moves its clock from webhook to webhook until none is left. */
  runUntilIdle(): Promise<ClockState>;
  /** Lets real time move its clock again. */
  resume(): Promise<ClockState>;

  /** The requests that arrived, oldest first. */
  journal(query?: JournalQuery): Promise<JournalEntry[]>;
  /** Forgets them. */
  clearJournal(): Promise<void>;
  /** The side effects of an operation, such as `contacts.create`. */
  effects(op: string): Promise<Effects>;
  /** What each tenant has used of its limits. */
  limits(): Promise<{ readonly [member: string]: unknown }[]>;
  /** How the client behaved, graded from what arrived. */
  verdict(): Promise<Verdict>;

  /** An API key. Default: `unlimited`, tenant `acme`. */
  key(tier?: Tier, tenant?: string): string;
  /** A bearer token that ends after so much of the session's clock. */
  token(milliseconds: number, options?: { readonly tier?: Tier; readonly tenant?: string }): Promise<Token>;
  /** Changes its options, such as `{ dialect: "github" }`, and answers with all of them. */
  set(options: { readonly [option: string]: unknown }): Promise<{ readonly [option: string]: unknown }>;
  /** Makes it as new. */
  reset(): Promise<void>;
  /** Forgets it. */
  close(): Promise<void>;
  /** `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A plan a tenant is on; it decides the limits. */
export type Tier = "tiny" | "free" | "starter" | "pro" | "enterprise" | "unlimited";

/** Which requests go wrong, and how. */
export interface FaultRule {
  /** The requests it is about; all that is given must hold. `op`, `path` and `region` may end in `*`. Default: all. */
  readonly match?: {
    readonly op?: string;
    readonly method?: string;
    readonly path?: string;
    readonly region?: string;
  };
  /** One fault for each matching request, in order; then it says nothing. */
  readonly script?: readonly string[];
  /** The fault of every matching request, once the script is over. */
  readonly always?: string;
  /** Faults by chance, decided by a seed: a share `p` of the attempts. */
  readonly random?: {
    readonly p: number;
    readonly seed?: number;
    readonly kinds?: readonly string[];
    readonly max_per_call?: number;
  };
  /** How long the rule holds, in milliseconds of the session's clock. Default: for good. */
  readonly for_ms?: number;
  /** A name to take it away by. */
  readonly name?: string;
}

/** Which requests of the journal. */
export interface JournalQuery {
  /** Those after this `seq`. Default 0: all. */
  readonly since?: number;
  /** Those of one operation, such as `contacts.create`. */
  readonly op?: string;
}

/** What an answer's headers said about coming back. */
export interface Told {
  readonly retry_after_ms: number | null;
  readonly by_date: boolean;
  readonly remaining: number | null;
  readonly reset_s: number | null;
  readonly should_retry: boolean | null;
}

/** One request that arrived. */
export interface JournalEntry {
  readonly seq: number;
  readonly at_ms: number;
  readonly received_ns: number;
  readonly took_ns: number | null;
  readonly left_ns: number | null;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body_base64: string;
  readonly body_length: number;
  readonly body_sha256: string;
  readonly body_complete: boolean;
  readonly key_fingerprint: string | null;
  readonly signature: string | null;
  readonly fault: string | null;
  readonly status: number | null;
  readonly outcome: number | null;
  readonly committed: boolean;
  readonly replayed: boolean;
  readonly op: string;
  readonly connection: number;
  readonly region: string | null;
  readonly logical: string;
  readonly attempt: number;
  readonly request_id: string;
  readonly told: Told | null;
}

/** The side effects of one operation. */
export interface Effects {
  readonly op: string;
  readonly count: number;
  readonly by_key: { readonly distinct: number; readonly duplicates: number; readonly without_key: number };
  readonly distinct_external_ids: number;
  readonly doubled: readonly string[];
}

/** What a session's clock shows. */
export interface ClockState {
  readonly now_ms: number;
  readonly now: string;
  readonly frozen: boolean;
}

/** A bearer token that ends. */
export interface Token {
  readonly token: string;
  readonly expires_at_ms: number;
}

/** Best first. */
export type Grade = "A" | "B" | "C" | "D" | "F";

/** How one aspect came out. */
export type Mark = "unseen" | "kept" | "minor" | "major" | "critical";

/** How the client of a session behaved. */
export interface Verdict {
  readonly session: string;
  /** `null` when no request arrived. */
  readonly grade: Grade | null;
  readonly reason: string;
  readonly requests: number;
  readonly logical_calls: number;
  readonly connections: number;
  readonly agents: readonly string[];
  readonly aspects: readonly AspectVerdict[];
  readonly calls: readonly CallVerdict[];
  readonly calls_left_out: number;
}

/** One aspect of a client's behaviour. */
export interface AspectVerdict {
  readonly aspect: string;
  readonly mark: Mark;
  readonly seen: number;
  readonly broken: number;
  readonly reason: string;
  readonly asks: string;
  readonly advice: string | null;
  readonly source: string;
}

/** One call: what a client sent until it had its answer or gave up. */
export interface CallVerdict {
  readonly number: number;
  readonly name: string;
  readonly op: string;
  readonly key: string | null;
  readonly grade: Grade;
  readonly outcome: string;
  readonly effects: number;
  readonly attempts: readonly AttemptVerdict[];
  readonly findings: readonly Finding[];
}

/** One attempt, in milliseconds of real time since the session's first request. */
export interface AttemptVerdict {
  readonly seq: number;
  readonly start_ms: number;
  readonly end_ms: number | null;
  readonly outcome: string;
  readonly fault: string | null;
  readonly waited_ms: number | null;
  readonly asked_ms: number | null;
  readonly remaining: number | null;
  readonly connection: number;
  readonly committed: boolean;
}

/** One thing that was wrong. */
export interface Finding {
  readonly aspect: string;
  readonly mark: Mark;
  readonly seq: number | null;
  readonly text: string;
}
