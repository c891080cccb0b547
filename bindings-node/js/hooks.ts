/** Hooks and observers around each attempt. */

import type { AttemptRequest, AttemptResult, Hooks, Observer } from "../types/shared.js";
import { headersOf, type Pairs } from "./headers.ts";
import { attemptEnded, attemptStarted } from "./observer.ts";

/** Who is called around attempts. */
interface Around {
  readonly hooks: Hooks | undefined;
  readonly observer: Observer | undefined;
}

/** An attempt as the native half tells it. */
type Told<T> = Omit<T, "headers"> & { headers: Pairs | null };

/** Runs what comes before an attempt. Gives the headers as JSON, or nothing where they are as they were. */
export async function runBefore(
  { hooks, observer }: Around,
  call: number,
  told: Told<AttemptRequest>,
): Promise<string | undefined> {
  const headers = headersOf(told.headers ?? []);
  const before = JSON.stringify([...headers]);
  await hooks?.beforeAttempt?.({ number: told.number, method: told.method, url: told.url, headers });
  if (observer !== undefined) {
    const trace = attemptStarted(observer, call, told);
    if (trace?.traceparent && !headers.has("traceparent")) {
      headers.set("traceparent", trace.traceparent);
      if (trace.tracestate) {
        headers.set("tracestate", trace.tracestate);
      }
    }
  }
  const after = JSON.stringify([...headers]);
  return after === before ? undefined : after;
}

/** Runs what comes after an attempt. */
export async function runAfter(
  { hooks, observer }: Around,
  call: number,
  told: Told<AttemptResult>,
): Promise<undefined> {
  if (observer !== undefined) {
    attemptEnded(observer, call, told);
  }
  await hooks?.afterAttempt?.({
    number: told.number,
    method: told.method,
    url: told.url,
    status: told.status,
    headers: told.headers === null ? null : headersOf(told.headers),
    error: told.error,
    tookMs: told.tookMs,
  });
}
