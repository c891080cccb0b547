/** An answer that was read whole: places in a batch of bytes, decoded when they are looked at. */

import { Answer } from "./answer.ts";
import { errorFromJson } from "./errors.ts";
import { Meta } from "./meta.ts";
import { native } from "./native.ts";
import { decode } from "./text.ts";

export class Response extends Answer {
  readonly #head: Uint8Array;
  readonly #headStart: number;
  readonly #headEnd: number;
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  #meta: Meta | undefined;
  #taken: boolean;

  /** @internal */
  constructor(
    status: number,
    head: Uint8Array,
    headStart: number,
    headEnd: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ) {
    super(status);
    this.#head = head;
    this.#headStart = headStart;
    this.#headEnd = headEnd;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#meta = undefined;
    this.#taken = false;
  }

  get [Symbol.toStringTag](): string {
    return "Response";
  }

  protected meta(): Meta {
    this.#meta ??= new Meta(this.#head, this.#headStart, this.#headEnd);
    return this.#meta;
  }

  json<T = unknown>(): Promise<T> {
    try {
      return Promise.resolve(JSON.parse(decode(this.#bytes, this.#start, this.#end)) as T);
    } catch (error) {
      return Promise.reject(undecodable(this.meta(), error));
    }
  }

  text(): Promise<string> {
    return Promise.resolve(decode(this.#bytes, this.#start, this.#end));
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return Promise.resolve(this.#take());
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return Promise.resolve(this.#take().buffer);
  }

  blob(): Promise<Blob> {
    // A Blob copies what it is made of.
    const part = this.#bytes.subarray(this.#start, this.#end) as Uint8Array<ArrayBuffer>;
    return Promise.resolve(new Blob([part], { type: this.headers.get("content-type") ?? "" }));
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const copy = () => this.#copy();
    return new ReadableStream({
      pull(controller) {
        const bytes = copy();
        if (bytes.length > 0) {
          controller.enqueue(bytes);
        }
        controller.close();
      },
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, undefined, undefined> {
    if (this.#end > this.#start) {
      yield this.#copy();
    }
  }

  /**
   * The body's bytes. The first time, where the body has memory of its own (it is large), that memory: a copy of many megabytes costs more
   * than to receive them. Else a copy, since a batch has other answers too, and what was given away is the caller's.
   */
  #take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes as Uint8Array<ArrayBuffer>;
    if (!this.#taken && bytes !== this.#head && bytes.length === bytes.buffer.byteLength) {
      this.#taken = true;
      return bytes;
    }
    return this.#copy();
  }

  #copy(): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(this.#end - this.#start);
    copy.set(this.#bytes.subarray(this.#start, this.#end));
    return copy;
  }
}

/** The error of an answer whose body is no JSON. */
export function undecodable(meta: Meta, error: unknown): Error {
  const why = error instanceof Error ? error.message : String(error);
  return errorFromJson(native().answerError(meta.text(), "decode", `with a body that is no JSON: ${why}`), () => ({
    thrown: error,
  }));
}
