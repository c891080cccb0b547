/** Hands verified events to the handler of their type. */

import type { EventHandler, EventTypeOf, Verified, WebhookEventsOptions } from "../types/webhooks.js";
import { kindOf } from "./text.ts";
import { known } from "./webhook_settings.ts";

export class WebhookEvents<Events extends object = { [type: string]: unknown }> {
  readonly #handlers = new Map<string, EventHandler<unknown>>();
  readonly #typeOf: EventTypeOf;
  #other: EventHandler<unknown> | undefined;

  constructor(options: WebhookEventsOptions = {}) {
    this.#typeOf = known(options, ["typeOf"]).typeOf ?? typeInBody;
  }

  on<Type extends keyof Events & string>(type: Type, handler: EventHandler<Events[Type]>): this {
    if (typeof handler !== "function") {
      throw new TypeError(`a handler must be a function, not ${kindOf(handler)}`);
    }
    if (this.#handlers.has(type)) {
      throw new TypeError(`\`${type}\` has a handler already`);
    }
    this.#handlers.set(type, handler as EventHandler<unknown>);
    return this;
  }

  onOther(handler: EventHandler<unknown>): this {
    this.#other = handler;
    return this;
  }

  async dispatch(verified: Verified): Promise<boolean> {
    const event = verified.json();
    const type = this.#typeOf(event, verified);
    const handler = (type === null || type === undefined ? undefined : this.#handlers.get(type)) ?? this.#other;
    if (handler === undefined) {
      return false;
    }
    await handler(event, verified);
    return true;
  }
}

/** Where providers have it: `type`, or one of its other names. */
function typeInBody(event: unknown): string | null {
  if (typeof event !== "object" || event === null) {
    return null;
  }
  const { type, event_type, event: name, Type } = event as { [name: string]: unknown };
  for (const found of [type, event_type, name, Type]) {
    if (typeof found === "string") {
      return found;
    }
  }
  return null;
}
