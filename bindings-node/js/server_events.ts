/** Server-sent events. */

import { Batches, type Begun } from "./batches.ts";
import { DecodeError } from "./errors.ts";
import { INSPECT, type Inspect, shown } from "./inspect.ts";

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

export class ServerEvents extends Batches<ServerEvent, ServerEvent> {
  #lastEventId: string;

  constructor(begin: () => Begun | Promise<Begun>, lastEventId: string) {
    super(begin);
    this.#lastEventId = lastEventId;
  }

  get lastEventId(): string {
    return this.#lastEventId;
  }

  protected take({ event, data, id }: ServerEvent): ServerEvent {
    this.#lastEventId = id;
    return new ServerEvent(event, data, id);
  }

  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    return shown("ServerEvents", { lastEventId: this.#lastEventId }, depth, options, inspect);
  }
}
