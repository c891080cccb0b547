/** Hands verified events to the handler of their type. */

import type { EventHandler, EventTypeOf, Verified, WebhookEventsOptions } from "../types/webhooks.js";
import { kindOf } from "./text.ts";
import { known } from "./webhook_settings.ts";

/** The schemes whose events have their type in a header. */
const HEADERS: { readonly [scheme: string]: string } = { github: "x-github-event", shopify: "x-shopify-topic" };

export class WebhookEvents<Events extends object = { [type: string]: unknown }> {
  readonly #handlers = new Map<string, EventHandler<unknown>>();
  readonly #typeOf: EventTypeOf | undefined;
  readonly #typeHeader: string | undefined;
  #other: EventHandler<unknown> | undefined;

  constructor(options: WebhookEventsOptions = {}) {
    const { typeOf, typeHeader } = known(options, ["typeOf", "typeHeader"]);
    this.#typeOf = typeOf;
    this.#typeHeader = typeHeader;
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

  async dispatch(verified: Verified, request?: unknown): Promise<boolean> {
    const event = verified.json();
    const header = this.#typeHeader ?? HEADERS[verified.scheme];
    const type =
      this.#typeOf !== undefined
        ? this.#typeOf(event, verified, request)
        : header !== undefined
          ? headerOf(request, header)
          : typeInBody(event);
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

/** A request's header: Fetch's, Node's, or that of a framework's context. */
function headerOf(request: unknown, name: string): string | null {
  const given = request as { headers?: unknown; req?: { raw?: { headers?: unknown } } } | null | undefined;
  const headers = given?.req?.raw?.headers ?? given?.headers ?? given;
  if (typeof headers !== "object" || headers === null) {
    throw new TypeError(`the type of these events is in the header \`${name}\`: give the request to \`dispatch\``);
  }
  const { get } = headers as { get?: unknown };
  const value =
    typeof get === "function"
      ? (headers as { get(name: string): unknown }).get(name)
      : (headers as { [name: string]: unknown })[name.toLowerCase()];
  return typeof value === "string" ? value : null;
}
