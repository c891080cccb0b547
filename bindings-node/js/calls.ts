/**
 * The calls of this JavaScript thread that somebody waits for.
 *
 * | A call is in the table | until |
 * |---|---|
 * | `WHOLE`: an answer is awaited that is read whole | ANSWER, ERROR |
 * | `HEAD`: the head of a streamed answer | HEAD, ERROR |
 * | `PIECE`: the next piece of one | CHUNK, END, ERROR |
 * | `PAGE`: the next page of a list | ANSWER, END, ERROR |
 * | `EVENTS`: the next events of a stream of them | CHUNK, END, ERROR |
 * | `TOLD`: something that is told as JSON | CHUNK, END, ERROR |
 *
 * or until its signal is aborted: then it is rejected at once, whatever it was doing. A streamed answer on which nobody waits is not in
 * the table, so that it can be collected as garbage.
 */

import { answerQuestion, causeOf, forgetCauses } from "./callbacks.ts";
import { forgetContext, keepContext } from "./context.ts";
import { errorFromJson } from "./errors.ts";
import { readFrames } from "./frames.ts";
import { type Native, native } from "./native.ts";
import { forgetProgress } from "./progress.ts";
import type { Response } from "./response.ts";
import type { Watch } from "./signals.ts";
import { decode } from "./text.ts";
import { closeUpload } from "./uploads.ts";

export const WHOLE = 0;
export const HEAD = 1;
export const PIECE = 2;
export const PAGE = 3;
export const EVENTS = 4;
export const TOLD = 5;

/** What the end of a stream tells, as JSON. */
export class End {
  readonly told: string;

  constructor(told: string) {
    this.told = told;
  }
}

type Settle = (value: unknown) => void;

/** One that waits. */
class Waiting {
  readonly kind: number;
  readonly resolve: Settle;
  readonly reject: Settle;
  /** Who waits keeps alive what is called back, so that it is there when a question comes. */
  readonly keep: object | undefined;
  readonly watch: Watch | undefined;

  constructor(kind: number, resolve: Settle, reject: Settle, keep: object | undefined, watch: Watch | undefined) {
    this.kind = kind;
    this.resolve = resolve;
    this.reject = reject;
    this.keep = keep;
    this.watch = watch;
  }
}

const table = new Map<number, Waiting>();
let last = 0;

/** A number for a call, or for a list. They are small integers, and come again after 2^30. */
export function nextNumber(): number {
  last = last === 0x3fffffff ? 1 : last + 1;
  return last;
}

let connected: Native | undefined;

/** The native half, told where to deliver. */
export function port(): Native {
  const half = native();
  if (connected !== half) {
    half.connect(deliver);
    connected = half;
  }
  return half;
}

function deliver(batch: Uint8Array, large: Uint8Array[]): void {
  readFrames(batch, large, frames);
}

let executorResolve: Settle;
let executorReject: Settle;

/** One executor for all promises: no closure for each. */
function executor(resolve: Settle, reject: Settle): void {
  executorResolve = resolve;
  executorReject = reject;
}

/** Puts a call into the table. What begins it comes after. */
export function wait<T>(call: number, kind: number, keep: object | undefined, watch: Watch | undefined): Promise<T> {
  const promise = new Promise(executor as never);
  table.set(call, new Waiting(kind, executorResolve, executorReject, keep, watch));
  if (watch !== undefined) {
    watch.add(call);
  }
  if (keep !== undefined && kind !== PIECE) {
    keepContext(call);
  }
  return promise as Promise<T>;
}

/** Whether somebody waits for this call. */
export function isWaiting(call: number): boolean {
  return table.has(call);
}

/** Takes a call from the table: what it waited for has come. */
function take(call: number): Waiting | undefined {
  const waiting = table.get(call);
  if (waiting !== undefined) {
    table.delete(call);
  }
  return waiting;
}

/** A call is over: nothing more is done for it. */
export function finish(call: number, watch: Watch | undefined): void {
  if (watch !== undefined) {
    watch.drop(call);
  }
  closeUpload(call);
  forgetProgress(call);
  forgetCauses(call);
  forgetContext(call);
}

/** Waits for what a call tells as JSON, which `begin` begins. */
export async function told<T>(
  keep: object | undefined,
  watch: Watch | undefined,
  begin: (call: number) => void,
): Promise<T | undefined> {
  if (watch?.signal.aborted) {
    throw watch.signal.reason;
  }
  const call = nextNumber();
  const coming = wait<Uint8Array | undefined>(call, TOLD, keep, watch);
  begin(call);
  const json = await coming;
  return json === undefined ? undefined : (JSON.parse(decode(json, 0, json.length)) as T);
}

/** Rejects a call that this side ends, and gives it up. */
export function giveUp(call: number, reason: unknown): void {
  const waiting = take(call);
  port().cancel(call);
  finish(call, waiting?.watch);
  waiting?.reject(reason);
}

/** Ends the wait for a page, or for events, as if there were no more, and gives the call up. */
export function stopWaiting(call: number): void {
  const waiting = take(call);
  if (waiting !== undefined) {
    port().cancel(call);
    finish(call, waiting.watch);
    waiting.resolve(undefined);
  }
}

/** Rejects a call that was never begun. */
export function refuse(call: number, reason: unknown): void {
  const waiting = take(call);
  if (waiting !== undefined) {
    finish(call, waiting.watch);
    waiting.reject(reason);
  }
}

/**
 * Rejects with the error that the native half tells of. It is made in a reaction on which the caller's own `await` hangs by then, so its
 * stack shows that line; made here it would show nothing of the caller's. Costs successful calls nothing.
 */
function fail(waiting: Waiting, call: number, text: string): void {
  const causes = causeOf(call);
  const throwIt = (): never => {
    throw errorFromJson(text, causes, throwIt);
  };
  waiting.resolve(Promise.resolve().then(nothing).then(throwIt));
}

function nothing(): void {}

/** What each kind of frame does. */
const frames = {
  answer(call: number, response: Response): void {
    const waiting = take(call);
    if (waiting !== undefined) {
      finish(call, waiting.watch);
      waiting.resolve(response);
    }
  },
  head(call: number, start: unknown): void {
    // The call goes on: its signal and its upload stay.
    take(call)?.resolve(start);
  },
  chunk(call: number, piece: Uint8Array): void {
    const waiting = take(call);
    if (waiting?.kind === TOLD) {
      finish(call, waiting.watch);
    }
    waiting?.resolve(piece);
  },
  end(call: number, told: string | undefined): void {
    const waiting = take(call);
    if (waiting !== undefined) {
      finish(call, waiting.watch);
      waiting.resolve(told === undefined ? undefined : new End(told));
    }
  },
  error(call: number, text: string): void {
    const waiting = take(call);
    if (waiting !== undefined) {
      fail(waiting, call, text);
      finish(call, waiting.watch);
    }
  },
  ask: answerQuestion,
};

export type Frames = typeof frames;
