/**
 * What came with an answer beside its body, read when it is asked for.
 *
 * Meta JSON: `{method, url, shownUrl, requestId, elapsedMs, headers: [[name, value]], attempts, cache}`; of a download `total` too, of an
 * upload `resumable` and `answerLost`.
 */

import type { Attempt, CacheStatus } from "../types/shared.js";
import { headersOf, type Pairs } from "./headers.ts";
import { native } from "./native.ts";
import { decode } from "./text.ts";

export interface MetaJson {
  readonly method: string;
  readonly url: string;
  readonly requestId: string | null;
  readonly elapsedMs: number;
  readonly headers: Pairs;
  readonly attempts: readonly Attempt[];
  /** Left out where the cache had no part in it. */
  readonly cache?: CacheStatus;
  readonly total?: number | null;
  readonly resumable?: boolean;
  readonly answerLost?: boolean;
}

export class Meta {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  #facts: MetaJson | undefined;
  #headers: Headers | undefined;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  /** As it came. */
  text(): string {
    return decode(this.#bytes, this.#start, this.#end);
  }

  facts(): MetaJson {
    this.#facts ??= JSON.parse(this.text()) as MetaJson;
    return this.#facts;
  }

  headers(): Headers {
    this.#headers ??= headersOf(this.facts().headers);
    return this.#headers;
  }

  timeline(): string {
    return native().timeline(JSON.stringify(this.facts().attempts));
  }
}
