/** Hooks around each attempt. */

import type { AttemptRequest, AttemptResult, Hooks } from "../types/shared.js";
import { headersOf, type Pairs } from "./headers.ts";

/** An attempt as the native half tells it. */
type Told<T> = Omit<T, "headers"> & { headers: Pairs | null };

/** Runs the hook before an attempt. Gives the headers as JSON, or nothing where they are as they were. */
export async function runBefore(hooks: Hooks, told: Told<AttemptRequest>): Promise<string | undefined> {
  const headers = headersOf(told.headers ?? []);
  const before = JSON.stringify([...headers]);
  await hooks.beforeAttempt?.({ number: told.number, method: told.method, url: told.url, headers });
  const after = JSON.stringify([...headers]);
  return after === before ? undefined : after;
}

/** Runs the hook after an attempt. */
export async function runAfter(hooks: Hooks, told: Told<AttemptResult>): Promise<undefined> {
  await hooks.afterAttempt?.({
    number: told.number,
    method: told.method,
    url: told.url,
    status: told.status,
    headers: told.headers === null ? null : headersOf(told.headers),
    error: told.error,
    tookMs: told.tookMs,
  });
}
