/**
 * What the adapters of all frameworks do: verify, answer challenges, handle each message once, and keep reasons to the developer.
 *
 * Webhooks, guards and dispatchers are handed in, so that this needs no native half of its own, and is the same for both packages.
 */

import type { HeadersInput } from "../../types/shared.js";
import type { ReceiverOptions, WebhookHandler } from "../../types/webhook_receiver.js";
import type { RequestInput, Verified, Webhook, WebhookVerificationError } from "../../types/webhooks.js";

/** What every sender is told, whatever the reason. */
const REFUSED = "webhook verification failed";

/** Milliseconds: an explanation may take a tenth of a second, and whoever sends what does not verify must not buy many. */
const BETWEEN_EXPLANATIONS = 1000;

const OPTIONS = ["replayGuard", "sender", "messageIdOf", "explain", "log", "onChallenge", "now", "url"];

const PARSED =
  "the body was parsed before this handler saw it, and what is written again of it are other bytes: mount this handler before any body parser";

/** A request, as the framework has it. */
export interface Incoming {
  readonly body: string | Uint8Array;
  readonly request: HeadersInput | RequestInput;
}

/** What to answer. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Receives the webhooks of one sender. `Context` is what the framework calls a request. */
export class Receiver<Context> {
  readonly maxBody: number;
  readonly #webhook: Webhook;
  readonly #handle: (verified: Verified, context: Context) => unknown;
  readonly #options: ReceiverOptions;
  readonly #sender: string;
  #explainedAt = Number.NEGATIVE_INFINITY;

  constructor(webhook: Webhook, handler: WebhookHandler<Context>, options: ReceiverOptions = {}) {
    for (const name in options) {
      if (!OPTIONS.includes(name)) {
        throw new TypeError(`there is no option \`${name}\`; there are \`${OPTIONS.join("` and `")}\``);
      }
    }
    if (typeof webhook?.receive !== "function") {
      throw new TypeError("the first argument must be a `Webhook`");
    }
    if (typeof handler === "function") {
      this.#handle = handler;
    } else if (typeof handler?.dispatch === "function") {
      this.#handle = (verified, context) => handler.dispatch(verified, context);
    } else {
      throw new TypeError("the handler must be a function or `WebhookEvents`");
    }
    this.#webhook = webhook;
    this.#options = options;
    this.#sender = options.sender ?? webhook.scheme;
    this.maxBody = webhook.maxBody;
  }

  /** Verifies, and calls the handler once for each message. Rejects with what the handler throws. */
  async receive(incoming: Incoming, context: Context): Promise<Answer> {
    let verified: Verified;
    try {
      verified = await this.#webhook.receive(incoming.body, incoming.request, this.#about());
    } catch (error) {
      return this.#refuse(incoming, error);
    }
    const challenge = this.#webhook.challenge(verified);
    if (challenge !== null) {
      if (this.#options.onChallenge !== undefined) {
        await this.#options.onChallenge(challenge);
      } else if (challenge.visit !== null) {
        this.#log("a subscription waits to be confirmed; `onChallenge` gets the URL to visit");
      }
      return challenge;
    }
    return this.#once(verified, context);
  }

  /** The answer to a body above the cap, which nobody read to its end. */
  refuseTooLarge(): Answer {
    this.#log(`refused (body_too_large): the body is larger than \`maxBody\`, ${this.maxBody} bytes`);
    return plain(413, REFUSED);
  }

  /** The answer to a body that somebody parsed before. */
  refuseParsed(): Answer {
    this.#log(`refused (body_parsed): ${PARSED}`);
    return this.#refused();
  }

  #about(): { now?: Date; url?: string } {
    const { now, url } = this.#options;
    return { ...(now && { now: now() }), ...(url !== undefined && { url }) };
  }

  #refuse(incoming: Incoming, error: unknown): Answer {
    if (!isRefusal(error)) {
      // Not the sender's fault: it should try again.
      this.#log(`not verified: ${error instanceof Error ? error.message : String(error)}`);
      return plain(503, REFUSED);
    }
    this.#log(`refused (${error.code}): ${this.#reason(incoming, error)}`);
    return error.code === "body_too_large" ? plain(413, REFUSED) : this.#refused();
  }

  #refused(): Answer {
    // Discord tests that a wrong signature gets this status.
    return plain(this.#webhook.scheme === "discord" ? 401 : 400, REFUSED);
  }

  #reason(incoming: Incoming, error: Error): string {
    const at = performance.now();
    if (this.#options.explain === false || at - this.#explainedAt < BETWEEN_EXPLANATIONS) {
      return error.message;
    }
    this.#explainedAt = at;
    return this.#webhook.explain(incoming.body, incoming.request, this.#about());
  }

  async #once(verified: Verified, context: Context): Promise<Answer> {
    const { replayGuard: guard, now = () => new Date() } = this.#options;
    if (guard === undefined) {
      await this.#handle(verified, context);
      return plain(200, "");
    }
    const key = verified.replayKey(this.#sender, this.#options.messageIdOf?.(verified) ?? undefined);
    const reserved = await guard.reserve(key, now());
    if (reserved.state !== "new") {
      return plain(reserved.state === "already_done" ? 200 : 503, "");
    }
    try {
      await this.#handle(verified, context);
    } catch (error) {
      await guard.release(key, reserved.token, now());
      throw error;
    }
    await guard.commit(key, reserved.token, now());
    return plain(200, "");
  }

  #log(text: string): void {
    const { log = console.warn } = this.#options;
    log(`webhook ${text}`);
  }
}

function plain(status: number, body: string): Answer {
  return { status, contentType: "text/plain; charset=utf-8", body };
}

/** Whoever refused has classes of their own, so by the name. */
function isRefusal(error: unknown): error is WebhookVerificationError {
  return error instanceof Error && error.name === "WebhookVerificationError";
}
