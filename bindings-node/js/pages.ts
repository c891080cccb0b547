/** The pages of a list, and its items: each page is a call of its own, made when it is asked for. */

import type { Page } from "../types/shared.js";
import { nextNumber, PAGE, port, stopWaiting, wait } from "./calls.ts";
import type { Response } from "./response.ts";
import type { Watch } from "./signals.ts";

/** A list that nobody walks to its end is dropped with its iterator. */
const abandoned = new FinalizationRegistry((list: number) => port().dropPages(list));

/** What begins a list: its number, or the error for what cannot be. */
export type Begin = () => { list: number; items: string; keep: object | undefined; signal: AbortSignal | undefined };

export class Pages<T> implements AsyncIterableIterator<Page<T>> {
  readonly #begin: Begin;
  #list: ReturnType<Begin> | undefined;
  #watchOf: (signal: AbortSignal) => Watch;
  #last: Promise<unknown> | undefined;
  /** The call that brings the page that is awaited. */
  #call = 0;
  #over = false;

  constructor(begin: Begin, watchOf: (signal: AbortSignal) => Watch) {
    this.#begin = begin;
    this.#watchOf = watchOf;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Page<T>, undefined>> {
    const next = this.#last === undefined ? this.#next() : this.#last.then(this.#following, this.#following);
    this.#last = next;
    return next;
  }

  async return(): Promise<IteratorResult<Page<T>, undefined>> {
    this.#end();
    return { done: true, value: undefined };
  }

  readonly #following = (): Promise<IteratorResult<Page<T>, undefined>> => this.#next();

  async #next(): Promise<IteratorResult<Page<T>, undefined>> {
    if (this.#over) {
      return { done: true, value: undefined };
    }
    try {
      if (this.#list === undefined) {
        this.#list = this.#begin();
        abandoned.register(this, this.#list.list, this);
      }
      const { list, items, keep, signal } = this.#list;
      if (signal?.aborted) {
        throw signal.reason;
      }
      const call = nextNumber();
      this.#call = call;
      const page = wait<Response | undefined>(
        call,
        PAGE,
        keep,
        signal === undefined ? undefined : this.#watchOf(signal),
      );
      port().nextPage(call, list);
      const response = await page;
      if (response === undefined) {
        this.#end();
        return { done: true, value: undefined };
      }
      return { done: false, value: { items: itemsOf<T>(await response.json(), items), response } };
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  #end(): void {
    this.#over = true;
    stopWaiting(this.#call);
    if (this.#list !== undefined) {
      abandoned.unregister(this);
      port().dropPages(this.#list.list);
    }
  }
}

/** The items of a page. The native half has checked that they are a list. */
function itemsOf<T>(body: unknown, path: string): T[] {
  let found = body;
  if (!Array.isArray(found)) {
    for (const name of path.split(".")) {
      found = (found as { [name: string]: unknown } | null | undefined)?.[name];
    }
  }
  return Array.isArray(found) ? found : [];
}

/** The items of all pages. */
export async function* itemsOfAll<T>(pages: Pages<T>): AsyncGenerator<T, undefined, undefined> {
  for await (const page of pages) {
    yield* page.items;
  }
}
