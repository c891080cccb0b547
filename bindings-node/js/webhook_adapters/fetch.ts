/** Receives webhooks in any Fetch handler: Cloudflare Workers, Deno, Bun, Next.js, Hono. */

import type { FetchRequest, FetchResponse, ReceiverOptions, WebhookHandler } from "../../types/webhook_receiver.js";
import type { Webhook } from "../../types/webhooks.js";
import { type Answer, Receiver } from "./receiver.ts";

export function fetchWebhooks<Request extends FetchRequest>(
  webhook: Webhook,
  handler: WebhookHandler<Request>,
  options?: ReceiverOptions,
): (request: Request) => Promise<FetchResponse> {
  const receiver = new Receiver(webhook, handler, options);
  return (request) => answerTo(receiver, request, request);
}

/** Receives a request of the Fetch API's in a framework that calls it otherwise. */
export async function answerTo<Context>(
  receiver: Receiver<Context>,
  request: FetchRequest,
  context: Context,
): Promise<FetchResponse> {
  if (request.method !== "POST") {
    return new Response("", { status: 405, headers: { allow: "POST" } });
  }
  if (request.bodyUsed) {
    return responseOf(receiver.refuseParsed());
  }
  const body = await read(request, receiver.maxBody);
  return responseOf(
    body === undefined ? receiver.refuseTooLarge() : await receiver.receive({ body, request }, context),
  );
}

function responseOf({ status, contentType, body }: Answer): FetchResponse {
  // A status without a body may not even have an empty one.
  return status === 204
    ? new Response(null, { status })
    : new Response(body, { status, headers: { "content-type": contentType } });
}

/** The whole body; nothing where it is larger than the cap. */
async function read(request: FetchRequest, most: number): Promise<Uint8Array | undefined> {
  const reader = request.body?.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done || value === undefined) {
      break;
    }
    length += value.length;
    if (length > most) {
      await reader.cancel();
      return undefined;
    }
    pieces.push(value);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    body.set(piece, at);
    at += piece.length;
  }
  return body;
}
