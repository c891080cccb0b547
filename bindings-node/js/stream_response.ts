/** An answer whose body comes in as it is read, once. */

import { Answer } from "./answer.ts";
import type { Incoming } from "./incoming.ts";
import type { Meta } from "./meta.ts";
import { undecodable } from "./response.ts";
import { decode } from "./text.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export class StreamResponse extends Answer {
  readonly #meta: Meta;
  readonly #incoming: Incoming;
  #used = false;
  #body: ReadableStream<Bytes> | undefined;

  /** @internal */
  constructor(status: number, meta: Meta, incoming: Incoming) {
    super(status);
    this.#meta = meta;
    this.#incoming = incoming;
  }

  get [Symbol.toStringTag](): string {
    return "StreamResponse";
  }

  protected meta(): Meta {
    return this.#meta;
  }

  get bodyUsed(): boolean {
    return this.#used;
  }

  get body(): ReadableStream<Bytes> {
    if (this.#body === undefined) {
      // What is read as a stream lives as long as that stream, and not as long as this.
      const incoming = this.#incoming;
      const begin = this.#used ? undefined : () => this.#use();
      this.#body = streamOf(incoming, begin);
    }
    return this.#body;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Bytes> {
    this.#use();
    return new Pieces(this.#incoming);
  }

  async bytes(): Promise<Bytes> {
    this.#use();
    const pieces: Bytes[] = [];
    let size = 0;
    for (let piece = await this.#incoming.next(); piece !== undefined; piece = await this.#incoming.next()) {
      pieces.push(piece);
      size += piece.length;
    }
    const whole = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  async text(): Promise<string> {
    const bytes = await this.bytes();
    return decode(bytes, 0, bytes.length);
  }

  async json<T = unknown>(): Promise<T> {
    const text = await this.text();
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw undecodable(this.#meta, error);
    }
  }

  async cancel(): Promise<void> {
    this.#incoming.cancel();
  }

  #use(): void {
    if (this.#used) {
      throw new TypeError("the body of a streamed answer is read once, and it was read before");
    }
    this.#used = true;
  }
}

/** The pieces as an iterator: leaving the loop ends the request. */
class Pieces implements AsyncIterableIterator<Bytes> {
  readonly #incoming: Incoming;

  constructor(incoming: Incoming) {
    this.#incoming = incoming;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Bytes, undefined>> {
    const value = await this.#incoming.next();
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  async return(): Promise<IteratorResult<Bytes, undefined>> {
    this.#incoming.cancel();
    return { done: true, value: undefined };
  }
}

/** The pieces as a stream, which reads nothing ahead of its reader. */
function streamOf(incoming: Incoming, begin: (() => void) | undefined): ReadableStream<Bytes> {
  let begun = false;
  return new ReadableStream<Bytes>(
    {
      async pull(controller) {
        if (!begun) {
          begun = true;
          if (begin === undefined) {
            throw new TypeError("the body of a streamed answer is read once, and it was read before");
          }
          begin();
        }
        const piece = await incoming.next();
        if (piece === undefined) {
          controller.close();
        } else {
          controller.enqueue(piece);
        }
      },
      cancel() {
        incoming.cancel();
      },
    },
    { highWaterMark: 0 },
  );
}
