/** Abort signals: one listener for each, however many calls it has, and none when it has no calls. */

import { giveUp } from "./calls.ts";
import { invalidRequest } from "./errors.ts";
import { kindOf } from "./text.ts";

/** The calls that a signal ends. */
export class Watch {
  readonly signal: AbortSignal;
  readonly calls = new Set<number>();
  /** Those of them that are streamed answers; the signal does not keep them alive. */
  readonly streams = new Map<number, WeakRef<{ abort(reason: unknown): void }>>();
  #listening = false;

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  add(call: number): void {
    this.calls.add(call);
    if (!this.#listening) {
      this.#listening = true;
      this.signal.addEventListener("abort", this);
    }
  }

  drop(call: number): void {
    this.calls.delete(call);
    this.streams.delete(call);
    if (this.calls.size === 0) {
      this.#stop();
    }
  }

  handleEvent(): void {
    const { reason } = this.signal;
    const calls = [...this.calls];
    for (const call of calls) {
      this.streams.get(call)?.deref()?.abort(reason);
      giveUp(call, reason);
    }
    this.calls.clear();
    this.streams.clear();
    this.#stop();
  }

  #stop(): void {
    if (this.#listening) {
      this.#listening = false;
      this.signal.removeEventListener("abort", this);
    }
  }
}

const watches = new WeakMap<AbortSignal, Watch>();

/** The signal of a call's options. */
export function signalOf(given: unknown): AbortSignal {
  const signal = given as AbortSignal;
  if (
    typeof given !== "object" ||
    given === null ||
    typeof signal.aborted !== "boolean" ||
    typeof signal.addEventListener !== "function"
  ) {
    throw invalidRequest(`\`signal\` must be an AbortSignal, not ${kindOf(given)}`);
  }
  return signal;
}

/** What watches a signal. */
export function watchOf(signal: AbortSignal): Watch {
  let watch = watches.get(signal);
  if (watch === undefined) {
    watch = new Watch(signal);
    watches.set(signal, watch);
  }
  return watch;
}
