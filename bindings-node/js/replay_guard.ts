/** The replay guard in memory: each message is handled once, in one process. */

import type { MemoryReplayGuardOptions, ReplayGuard, Reserve } from "../types/webhooks.js";
import { isError, keyError } from "./webhook_errors.ts";
import { type NativeReplayGuard, webhookNative } from "./webhook_native.ts";
import { amount, known, seconds } from "./webhook_settings.ts";

const OPTIONS = ["entries", "retention", "lease", "replayWindow"] as const;

export class MemoryReplayGuard implements ReplayGuard {
  readonly #native: NativeReplayGuard;

  constructor(options: MemoryReplayGuardOptions = {}) {
    known(options, OPTIONS);
    const settings: { [name: string]: unknown } = {};
    for (const name of OPTIONS) {
      settings[name] = amount(name, options[name], name === "entries" ? "messages" : "milliseconds");
    }
    const native = webhookNative().openReplayGuard(JSON.stringify(settings));
    if (typeof native === "string") {
      throw keyError(native);
    }
    this.#native = native;
  }

  reserve(key: string, now?: Date): Reserve {
    const [state, more] = settled(this.#native.reserve(key, seconds("now", now))).split("\n") as [string, string];
    switch (state) {
      case "new":
        return { state, token: more };
      case "in_progress":
        return { state, until: new Date(Number(more) * 1000) };
      default:
        return { state: state as "already_done" | "full" };
    }
  }

  commit(key: string, token: string, now?: Date): boolean {
    return settled(this.#native.commit(key, token, seconds("now", now))) === "settled";
  }

  release(key: string, token: string, now?: Date): boolean {
    return settled(this.#native.release(key, token, seconds("now", now))) === "settled";
  }
}

function settled(told: string): string {
  if (isError(told)) {
    throw keyError(told);
  }
  return told;
}
