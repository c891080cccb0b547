/** A download: a streamed answer that goes on where it breaks. */

import type { Attempt } from "../types/shared.js";
import { headersOf, type Pairs } from "./headers.ts";
import type { Incoming } from "./incoming.ts";
import type { Meta } from "./meta.ts";
import { native } from "./native.ts";
import { StreamResponse } from "./stream_response.ts";

/** What the end of a download tells. */
interface Ended {
  readonly elapsedMs: number;
  readonly attempts: readonly Attempt[];
}

export class Download extends StreamResponse {
  readonly #incoming: Incoming;
  #ended: Ended | undefined;

  /** @internal */
  constructor(status: number, meta: Meta, incoming: Incoming) {
    super(status, meta, incoming);
    this.#incoming = incoming;
  }

  override get [Symbol.toStringTag](): string {
    return "Download";
  }

  get total(): number | null {
    return this.meta().facts().total ?? null;
  }

  /** Of all connections, once it is complete; until then, of the first. */
  override get attempts(): readonly Attempt[] {
    return this.#end()?.attempts ?? super.attempts;
  }

  override get elapsedMs(): number {
    return this.#end()?.elapsedMs ?? super.elapsedMs;
  }

  override timeline(): string {
    return native().timeline(JSON.stringify(this.attempts));
  }

  async blob(): Promise<Blob> {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for await (const piece of this) {
      pieces.push(piece);
    }
    return new Blob(pieces, { type: this.headers.get("content-type") ?? "" });
  }

  #end(): Ended | undefined {
    const { told } = this.#incoming;
    if (told !== undefined) {
      this.#ended ??= JSON.parse(told) as Ended;
    }
    return this.#ended;
  }
}

/** What came of a download into a file. */
export interface DownloadedJson extends Ended {
  readonly length: number;
  readonly resumedFrom: number;
  readonly headers: Pairs;
}

export function downloaded(json: DownloadedJson): Omit<DownloadedJson, "headers"> & { readonly headers: Headers } {
  return { ...json, headers: headersOf(json.headers) };
}
