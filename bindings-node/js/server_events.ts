/**
 * Server-sent events, asked for as they come: each call of the native half brings those that are there, as JSON.
 *
 * | State | on | next |
 * |---|---|---|
 * | open | events | open: they are handed over one by one |
 * | open | an error | open: where the stream can be resumed, the next call connects anew; else it ends |
 * | open | the end, `return`, abort | over |
 * | open | collected as garbage | the request is ended |
 */

import { EVENTS, finish, nextNumber, port, stopWaiting, wait } from "./calls.ts";
import { DecodeError } from "./errors.ts";
import { INSPECT, type Inspect, shown } from "./inspect.ts";
import type { Watch } from "./signals.ts";
import { decode } from "./text.ts";

/** A stream that nobody reads to its end is dropped with its iterator. */
const abandoned = new FinalizationRegistry((list: number) => port().dropPages(list));

export class ServerEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string;

  constructor(event: string, data: string, id: string) {
    this.event = event;
    this.data = data;
    this.id = id;
  }

  json<T = unknown>(): T {
    try {
      return JSON.parse(this.data) as T;
    } catch (cause) {
      const advice = "look at `data`, which is the text as it came";
      throw new DecodeError(`decode: the data of the event is no JSON: ${(cause as Error).message}; ${advice}`, {
        advice,
        cause,
      });
    }
  }
}

/** What begins a stream: its number, and what belongs to it. */
export interface Begun {
  readonly list: number;
  readonly keep: object | undefined;
  readonly watch: Watch | undefined;
}

export class ServerEvents implements AsyncIterableIterator<ServerEvent> {
  readonly #begin: () => Begun | Promise<Begun>;
  #begun: Begun | undefined;
  #came: ServerEvent[] = [];
  #lastEventId: string;
  #last: Promise<unknown> | undefined;
  /** The call that brings the events that are awaited. */
  #call = 0;
  #over = false;

  constructor(begin: () => Begun | Promise<Begun>, lastEventId: string) {
    this.#begin = begin;
    this.#lastEventId = lastEventId;
  }

  get lastEventId(): string {
    return this.#lastEventId;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<ServerEvent, undefined>> {
    const next = this.#last === undefined ? this.#next() : this.#last.then(this.#following, this.#following);
    this.#last = next;
    return next;
  }

  async return(): Promise<IteratorResult<ServerEvent, undefined>> {
    this.#end();
    return { done: true, value: undefined };
  }

  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    return shown("ServerEvents", { lastEventId: this.#lastEventId }, depth, options, inspect);
  }

  readonly #following = (): Promise<IteratorResult<ServerEvent, undefined>> => this.#next();

  async #next(): Promise<IteratorResult<ServerEvent, undefined>> {
    if (!this.#over && this.#came.length === 0) {
      await this.#fill();
    }
    const value = this.#came.shift();
    if (value === undefined) {
      return { done: true, value: undefined };
    }
    this.#lastEventId = value.id;
    return { done: false, value };
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
    for (const { event, data, id } of JSON.parse(decode(batch, 0, batch.length)) as ServerEvent[]) {
      this.#came.push(new ServerEvent(event, data, id));
    }
  }

  #end(): void {
    this.#over = true;
    this.#came = [];
    stopWaiting(this.#call);
    if (this.#begun !== undefined) {
      abandoned.unregister(this);
      port().dropPages(this.#begun.list);
    }
  }
}
