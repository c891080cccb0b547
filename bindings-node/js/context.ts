/**
 * The async context of a call, where the host has such a thing: hooks and token callbacks run in the context of the call they are
 * about, so that Node's `AsyncLocalStorage` finds there what the program put there. Kept only for clients that call back.
 */

/** Runs a function in a context. */
export type Run = <T>(run: () => T) => T;

let current: (() => Run) | undefined;

/** Says how the context of this moment is kept. An entry module may call it once. */
export function provideContext(keep: () => Run): void {
  current = keep;
}

const contexts = new Map<number, Run>();

/** Keeps the context of this moment for a call. */
export function keepContext(call: number): void {
  if (current !== undefined) {
    contexts.set(call, current());
  }
}

/** Runs a function in the context of a call. */
export function inContext<T>(call: number, run: () => T): T {
  const context = contexts.get(call);
  return context === undefined ? run() : context(run);
}

/** The call is over. */
export function forgetContext(call: number): void {
  if (contexts.size > 0) {
    contexts.delete(call);
  }
}
