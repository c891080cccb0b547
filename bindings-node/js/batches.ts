/**
 * What comes in batches, events or values of JSON lines, asked for as it comes: each call of the native half brings those that are there, as
 * a list in JSON, and they are handed over one by one.
 *
 * | State | on | next |
 * |---|---|---|
 * | open | a batch | open: its members are handed over one by one |
 * | open | an error | open: the next call goes on where the stream can; else it ends |
 * | open | the end, `return`, abort | over |
 * | open | collected as garbage | the request is ended |
 */

import { EVENTS, finish, nextNumber, port, stopWaiting, wait } from "./calls.ts";
import type { Watch } from "./signals.ts";
import { decode } from "./text.ts";

/** A stream that nobody reads to its end is dropped with its iterator. */
const abandoned = new FinalizationRegistry((list: number) => port().dropPages(list));

/** What begins a stream: its number, and what belongs to it. */
export interface Begun {
  readonly list: number;
  readonly keep: object | undefined;
  readonly watch: Watch | undefined;
}

/** A stream of `T`, which come as `Json`. */
export abstract class Batches<Json, T> implements AsyncIterableIterator<T> {
  readonly #begin: () => Begun | Promise<Begun>;
  #begun: Begun | undefined;
  #came: Json[] = [];
  /** How many of them were handed over. */
  #taken = 0;
  #last: Promise<unknown> | undefined;
  /** The call that brings what is awaited. */
  #call = 0;
  #over = false;

  constructor(begin: () => Begun | Promise<Begun>) {
    this.#begin = begin;
  }

  /** One of them, as it is handed over. */
  protected abstract take(came: Json): T;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const next = this.#last === undefined ? this.#next() : this.#last.then(this.#following, this.#following);
    this.#last = next;
    return next;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#end();
    return { done: true, value: undefined };
  }

  readonly #following = (): Promise<IteratorResult<T, undefined>> => this.#next();

  async #next(): Promise<IteratorResult<T, undefined>> {
    if (!this.#over && this.#taken === this.#came.length) {
      await this.#fill();
    }
    if (this.#taken === this.#came.length) {
      return { done: true, value: undefined };
    }
    const came = this.#came[this.#taken] as Json;
    this.#taken += 1;
    return { done: false, value: this.take(came) };
  }

  async #fill(): Promise<void> {
    if (this.#begun === undefined) {
      let begun: Begun;
      try {
        begun = await this.#begin();
      } catch (wrong) {
        this.#over = true;
        throw wrong;
      }
      abandoned.register(this, begun.list, this);
      this.#begun = begun;
      if (this.#over) {
        // It was returned meanwhile.
        this.#end();
        return;
      }
    }
    const { list, keep, watch } = this.#begun;
    if (watch?.signal.aborted) {
      this.#end();
      throw watch.signal.reason;
    }
    const call = nextNumber();
    this.#call = call;
    const coming = wait<Uint8Array | undefined>(call, EVENTS, keep, watch);
    port().nextEvents(call, list);
    let batch: Uint8Array | undefined;
    try {
      batch = await coming;
    } catch (reason) {
      if (watch?.signal.aborted) {
        this.#end();
      }
      throw reason;
    }
    finish(call, watch);
    if (batch === undefined || this.#over) {
      this.#end();
      return;
    }
    this.#came = JSON.parse(decode(batch, 0, batch.length)) as Json[];
    this.#taken = 0;
  }

  #end(): void {
    this.#over = true;
    this.#came = [];
    this.#taken = 0;
    stopWaiting(this.#call);
    if (this.#begun !== undefined) {
      abandoned.unregister(this);
      port().dropPages(this.#begun.list);
    }
  }
}
