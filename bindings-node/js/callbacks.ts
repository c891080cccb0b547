/**
 * Questions of the native half, and the answers of what the program gave: token callbacks, hooks, streams as bodies.
 *
 * Question JSON: `{question, client, call, what, …}`, where `what` is
 *
 * | what | with | answer |
 * |---|---|---|
 * | `token` | | text `{token, expiresInMs}` |
 * | `before` | `attempt` | text with the headers, where they changed |
 * | `after` | `attempt` | nothing |
 * | `bodyOpen` | `stream` | nothing |
 * | `bodyNext` | `stream` | bytes, or nothing at the end |
 * | `bodyClose` | `stream` | not answered |
 * | `progress` | `location`, `offset`, `length` | not answered |
 * | `storeLoad` | `credential` | text with what is stored, or nothing |
 * | `storeSave` | `credential`, `tokens` | nothing |
 * | `storeClear` | `credential` | nothing |
 * | `storeLock` | `credential` | text `true`: it is ours now; `false`: somebody else has it |
 * | `storeUnlock` | `credential` | not answered |
 * | `abandon` | | not answered: nobody waits for that question any more |
 *
 * What is thrown stays here under a number, and becomes the `cause` of the error that comes of it.
 */

import type {
  AttemptRequest,
  AttemptResult,
  Hooks,
  Observer,
  TokenCallback,
  TokenStore,
  UploadPosition,
} from "../types/shared.js";
import { tokenJson } from "./auth.ts";
import { inContext } from "./context.ts";
import type { CauseOf } from "./errors.ts";
import type { Pairs } from "./headers.ts";
import { runAfter, runBefore } from "./hooks.ts";
import { native } from "./native.ts";
import { tellProgress } from "./progress.ts";
import { askStore, unlock } from "./token_store.ts";
import { closeStream, nextPiece, openStream } from "./uploads.ts";

/** What a client calls back. The client keeps it, and each of its calls does. */
export class Callbacks {
  readonly token: TokenCallback | undefined;
  readonly hooks: Hooks | undefined;
  readonly observer: Observer | undefined;
  /** Token stores by the names of their credentials; `null` is the client's own. */
  readonly stores: ReadonlyMap<string | null, TokenStore>;

  constructor(
    token: TokenCallback | undefined,
    hooks: Hooks | undefined,
    observer: Observer | undefined,
    stores: ReadonlyMap<string | null, TokenStore>,
  ) {
    this.token = token;
    this.hooks = hooks;
    this.observer = observer;
    this.stores = stores;
  }
}

const clients = new Map<number, WeakRef<Callbacks>>();
const forgotten = new FinalizationRegistry((client: number) => clients.delete(client));
let lastClient = 0;

/** Gives a client's callbacks a number, under which questions name them. */
export function register(callbacks: Callbacks): number {
  lastClient += 1;
  clients.set(lastClient, new WeakRef(callbacks));
  forgotten.register(callbacks, lastClient);
  return lastClient;
}

interface Question {
  readonly question: number;
  readonly client: number;
  readonly call: number;
  readonly what: string;
  readonly stream: number;
  readonly attempt: unknown;
  readonly credential: string | null;
  readonly tokens: string;
}

type Answer = string | Uint8Array | undefined;

export function answerQuestion(text: string): void {
  const question = JSON.parse(text) as Question;
  if (question.what === "abandon") {
    return;
  }
  if (question.what === "bodyClose") {
    closeStream(question.call, question.stream);
    return;
  }
  if (question.what === "progress") {
    tellProgress(question.call, question as unknown as UploadPosition);
    return;
  }
  if (question.what === "storeUnlock") {
    unlock(clients.get(question.client)?.deref()?.stores.get(question.credential));
    return;
  }
  inContext(question.call, () => answerTo(question)).then(
    (answer) => {
      if (typeof answer === "string" || answer === undefined) {
        native().answer(question.question, answer, undefined);
      } else {
        native().answer(question.question, undefined, answer);
      }
    },
    (thrown) => native().fail(question.question, keepCause(question, thrown), textOf(thrown)),
  );
}

async function answerTo(question: Question): Promise<Answer> {
  switch (question.what) {
    case "bodyOpen":
      return openStream(question.call, question.stream);
    case "bodyNext":
      return nextPiece(question.call, question.stream);
    default:
  }
  const callbacks = clients.get(question.client)?.deref();
  if (callbacks === undefined) {
    throw new Error("the client is gone");
  }
  if (question.what === "token" && callbacks.token !== undefined) {
    return tokenJson(callbacks.token);
  }
  if (question.what === "before") {
    return runBefore(
      callbacks,
      question.call,
      question.attempt as Omit<AttemptRequest, "headers"> & { headers: Pairs },
    );
  }
  if (question.what === "after") {
    return runAfter(
      callbacks,
      question.call,
      question.attempt as Omit<AttemptResult, "headers"> & { headers: Pairs | null },
    );
  }
  const store = callbacks.stores.get(question.credential);
  if (store !== undefined) {
    return askStore(store, question.what, question.tokens);
  }
  throw new Error(`nothing answers ${question.what}`);
}

/** What was thrown, in one line. */
function textOf(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return "a value that has no text";
  }
}

interface Cause {
  readonly number: number;
  readonly thrown: unknown;
}

/** What was thrown for a call; under 0 what was thrown by token callbacks, on which several calls may wait. */
const causes = new Map<number, Cause[]>();
const SHARED = 0;
const SHARED_KEPT = 256;
let lastCause = 0;

function keepCause(question: Question, thrown: unknown): number {
  lastCause = lastCause === 0x3fffffff ? 1 : lastCause + 1;
  const key = question.what === "token" ? SHARED : question.call;
  const list = causes.get(key) ?? [];
  list.push({ number: lastCause, thrown });
  if (list.length > SHARED_KEPT) {
    list.shift();
  }
  causes.set(key, list);
  return lastCause;
}

/** Finds what was thrown, among what is known for the call now. */
export function causeOf(call: number): CauseOf {
  const own = causes.get(call);
  return (number) =>
    own?.find((cause) => cause.number === number) ?? causes.get(SHARED)?.find((cause) => cause.number === number);
}

/** The call is over. */
export function forgetCauses(call: number): void {
  if (causes.size > 0) {
    causes.delete(call);
  }
}
