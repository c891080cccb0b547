/**
 * The body of a streamed answer as it comes in, a piece each time one is asked for.
 *
 * | State | on | next |
 * |---|---|---|
 * | open | END | ended: reads give nothing |
 * | open | ERROR, abort, `cancel` | failed: reads are rejected |
 * | open | collected as garbage | the request is ended |
 */

import { End, finish, giveUp, PIECE, port, wait } from "./calls.ts";
import { ClosedError } from "./errors.ts";
import type { Watch } from "./signals.ts";

type Piece = Uint8Array<ArrayBuffer> | undefined;

interface Held {
  readonly call: number;
  readonly watch: Watch | undefined;
}

/** Streams that nobody reads to their end must not hold their connection. */
const abandoned = new FinalizationRegistry(({ call, watch }: Held) => {
  port().cancel(call);
  finish(call, watch);
});

export class Incoming {
  readonly #call: number;
  readonly #keep: object | undefined;
  readonly #watch: Watch | undefined;
  #reading: Promise<Piece> | undefined;
  #ended = false;
  #failed: { reason: unknown } | undefined;
  /** What the end told, as JSON. */
  told: string | undefined;

  constructor(call: number, keep: object | undefined, watch: Watch | undefined) {
    this.#call = call;
    this.#keep = keep;
    this.#watch = watch;
    abandoned.register(this, { call, watch }, this);
    if (watch !== undefined) {
      watch.streams.set(call, new WeakRef(this));
      if (watch.signal.aborted) {
        // Since the head came.
        this.#fail(watch.signal.reason);
      }
    }
  }

  /** The next piece; nothing at the end. One after the other, however often it is called meanwhile. */
  next(): Promise<Piece> {
    const before = this.#reading;
    const reading = before === undefined ? this.#read() : before.then(this.#readAfter, this.#readAfter);
    this.#reading = reading;
    return reading;
  }

  /** Ends the request. */
  cancel(): void {
    if (!this.#isOver()) {
      const advice = "make another call for what is left";
      this.#fail(new ClosedError(`closed: the stream was cancelled; ${advice}`, { advice }));
      giveUp(this.#call, this.#failed?.reason);
    }
  }

  /** The signal was aborted. */
  abort(reason: unknown): void {
    if (!this.#isOver()) {
      this.#fail(reason);
    }
  }

  #isOver(): boolean {
    return this.#ended || this.#failed !== undefined;
  }

  #fail(reason: unknown): void {
    this.#failed = { reason };
    abandoned.unregister(this);
  }

  readonly #readAfter = (): Promise<Piece> => this.#read();

  #read(): Promise<Piece> {
    if (this.#failed !== undefined) {
      return Promise.reject(this.#failed.reason);
    }
    if (this.#ended) {
      return Promise.resolve(undefined);
    }
    const piece = wait<Piece | End>(this.#call, PIECE, this.#keep, this.#watch);
    port().pull(this.#call);
    return piece.then(this.#came, this.#broke);
  }

  readonly #came = (came: Piece | End): Piece => {
    this.#reading = undefined;
    if (came !== undefined && !(came instanceof End)) {
      return came;
    }
    this.told = came?.told;
    this.#ended = true;
    abandoned.unregister(this);
    return undefined;
  };

  readonly #broke = (reason: unknown): never => {
    this.#reading = undefined;
    if (this.#failed === undefined) {
      this.#fail(reason);
    }
    throw reason;
  };
}
