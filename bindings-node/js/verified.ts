/** What was proven about a request, and the body that it was proven of. */

import type { Algorithm, Verified as VerifiedType, WebhookScheme } from "../types/webhooks.js";
import { INSPECT, type Inspect, shown } from "./inspect.ts";
import { decode, kindOf } from "./text.ts";
import { webhookNative } from "./webhook_native.ts";

export class Verified implements VerifiedType {
  readonly scheme: WebhookScheme;
  readonly algorithm: Algorithm;
  readonly keyIndex: number;
  readonly timestamp: Date | null;
  readonly messageId: string | null;
  readonly bodyBound: VerifiedType["bodyBound"];
  readonly timestampSigned: boolean;
  readonly idSigned: boolean;
  readonly urlBound: boolean;
  readonly #body: string | Uint8Array | undefined;
  readonly #lines: string;

  /** Without a body where it came in pieces that nobody kept. */
  constructor(lines: string, body: string | Uint8Array | undefined) {
    // Faster than to split them.
    const scheme = lines.indexOf("\n");
    const algorithm = lines.indexOf("\n", scheme + 1);
    const keyIndex = lines.indexOf("\n", algorithm + 1);
    const timestamp = lines.indexOf("\n", keyIndex + 1);
    const messageId = lines.indexOf("\n", timestamp + 1);
    const bodyBound = lines.indexOf("\n", messageId + 1);
    this.scheme = lines.slice(0, scheme) as WebhookScheme;
    this.algorithm = lines.slice(scheme + 1, algorithm) as Algorithm;
    this.keyIndex = Number(lines.slice(algorithm + 1, keyIndex));
    this.timestamp = timestamp === keyIndex + 1 ? null : new Date(Number(lines.slice(keyIndex + 1, timestamp)) * 1000);
    this.messageId = messageId === timestamp + 1 ? null : lines.slice(timestamp + 1, messageId);
    this.bodyBound = lines.slice(messageId + 1, bodyBound) as VerifiedType["bodyBound"];
    this.timestampSigned = lines[bodyBound + 1] === "1";
    this.idSigned = lines[bodyBound + 2] === "1";
    this.urlBound = lines[bodyBound + 3] === "1";
    this.#body = body;
    this.#lines = lines;
  }

  text(): string {
    const body = this.#body;
    if (body === undefined) {
      throw new Error(
        "the body came in pieces and was not kept: keep it yourself, and read it now that it is verified",
      );
    }
    return typeof body === "string" ? body : decode(body, 0, body.length);
  }

  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }

  replayKey(sender: string, messageId?: string): string {
    if (typeof sender !== "string" || sender.includes("\n")) {
      throw new TypeError(`\`sender\` must be a string of one line, not ${kindOf(sender)}`);
    }
    if (messageId === undefined) {
      return webhookNative().replayKey(sender, this.#lines);
    }
    if (typeof messageId !== "string" || messageId === "" || messageId.includes("\n")) {
      throw new TypeError(`\`messageId\` must be a string of one line, not ${kindOf(messageId)}`);
    }
    // The verdict of a message whose signed id this is.
    return webhookNative().replayKey(sender, `${this.scheme}\n${this.algorithm}\n0\n\n${messageId}\nfull\n010`);
  }

  /** What a verified request's webhook asks for again: the lines and the body. */
  static told(verified: unknown): { lines: string; body: string | Uint8Array | undefined } {
    if (!(verified instanceof Verified)) {
      throw new TypeError(`a challenge is answered to what \`verify\` gave, not to ${kindOf(verified)}`);
    }
    return { lines: verified.#lines, body: verified.#body };
  }

  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    return shown("Verified", { ...this }, depth, options, inspect);
  }
}
