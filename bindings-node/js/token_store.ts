/** A token store of the program's own: one text, kept wherever the program keeps such things. */

import type { TokenStore } from "../types/shared.js";
import { kindOf } from "./text.ts";

/** Asks a store. */
export async function askStore(store: TokenStore, what: string, tokens: string): Promise<string | undefined> {
  switch (what) {
    case "storeLoad": {
      const stored: unknown = await store.load();
      if (stored !== undefined && stored !== null && typeof stored !== "string") {
        throw new TypeError(`\`load\` of the token store must give a string, null or undefined, not ${kindOf(stored)}`);
      }
      return stored ?? undefined;
    }
    case "storeSave":
      await store.save(tokens);
      return undefined;
    case "storeClear":
      await store.clear();
      return undefined;
    case "storeLock":
      return String((await store.lock?.()) ?? true);
    default:
      throw new Error(`no token store answers ${what}`);
  }
}

/** Gives the lock of a store back. Nobody waits for that. */
export function unlock(store: TokenStore | undefined): void {
  new Promise((unlocked) => unlocked(store?.unlock?.())).catch(() => {});
}
