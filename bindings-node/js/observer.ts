/**
 * Tells an observer of calls and their attempts. It only looks on: what it throws changes no call, and goes where errors go that nobody waits
 * for (`reportError` in browsers, a process warning in Node).
 *
 * | State of a call | Event | Told |
 * |---|---|---|
 * | none | it begins | `callStarted` |
 * | begun | an attempt is about to be sent | `attemptStarted`; the trace context that it gives goes along |
 * | begun | an attempt is over | `attemptEnded` |
 * | begun | its answer, its head, its error, or its signal | `callEnded`; over |
 */

import type { AttemptResult, ObservedCall, Observer, TraceCarrier } from "../types/shared.js";
import { Answer } from "./answer.ts";
import { GatewrightError } from "./errors.ts";
import type { Head } from "./frames.ts";

const calls = new Map<number, ObservedCall>();

/** Tells of a call that begins, and of what comes of it. */
export function observed<T extends Answer | Head>(
  observer: Observer,
  call: number,
  method: string,
  path: string,
  options: object | undefined,
  begin: () => Promise<T>,
): Promise<T> {
  const { urlTemplate } = (options ?? {}) as { urlTemplate?: unknown };
  const about: ObservedCall = {
    id: call,
    method,
    path,
    urlTemplate: typeof urlTemplate === "string" ? urlTemplate : null,
  };
  calls.set(call, about);
  quietly(() => observer.callStarted?.(about));
  let coming: Promise<T>;
  try {
    coming = begin();
  } catch (error) {
    coming = Promise.reject(error);
  }
  return coming.then(
    (answer) => {
      calls.delete(call);
      const facts = answer instanceof Answer ? Answer.facts(answer) : answer.meta.facts();
      const { attempts, elapsedMs } = facts;
      quietly(() => observer.callEnded?.(about, { status: answer.status, error: null, attempts, elapsedMs }));
      return answer;
    },
    (error) => {
      calls.delete(call);
      const known = error instanceof GatewrightError ? error : undefined;
      quietly(() =>
        observer.callEnded?.(about, {
          status: known?.status ?? null,
          error: known?.code ?? "cancelled",
          attempts: known?.attempts ?? [],
          elapsedMs: known?.elapsedMs ?? 0,
        }),
      );
      throw error;
    },
  );
}

/** Tells of an attempt that is about to be sent; the trace context that goes along. */
export function attemptStarted(
  observer: Observer,
  call: number,
  attempt: { number: number; method: string; url: string },
): TraceCarrier | undefined {
  const { number, method, url } = attempt;
  const about = calls.get(call) ?? null;
  return quietly(() => observer.attemptStarted?.({ call: about, number, method, url })) ?? undefined;
}

/** Tells of an attempt that is over. */
export function attemptEnded(observer: Observer, call: number, attempt: Omit<AttemptResult, "headers">): void {
  const { number, method, url, status, error, tookMs } = attempt;
  const about = calls.get(call) ?? null;
  quietly(() => observer.attemptEnded?.({ call: about, number, method, url, status, error, tookMs }));
}

interface Host {
  readonly reportError?: (error: unknown) => void;
  readonly process?: { readonly emitWarning?: (warning: string, type: string) => void };
}

function quietly<T>(tell: () => T): T | undefined {
  try {
    return tell();
  } catch (error) {
    const { reportError, process } = globalThis as Host;
    if (process?.emitWarning !== undefined) {
      process.emitWarning(`an observer of gatewright threw: ${String(error)}`, "GatewrightWarning");
    } else {
      reportError?.(error);
    }
    return undefined;
  }
}
