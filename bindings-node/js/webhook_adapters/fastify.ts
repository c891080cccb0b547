/** Receives webhooks in Fastify: a plugin whose routes alone get the raw body. */

import type { FastifyInstance, FastifyRequest, FastifyWebhooksOptions } from "../../types/webhook_fastify.js";
import { Receiver } from "./receiver.ts";

export function fastifyWebhooks(
  instance: FastifyInstance,
  { path, webhook, handler, prefix: _, logLevel: __, ...options }: FastifyWebhooksOptions,
  done: () => void,
): void {
  const receiver = new Receiver<FastifyRequest>(webhook, handler, options);
  // Of this plugin alone: Fastify keeps what a plugin changes from the others.
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, parsed) => parsed(null, body));
  // One more than the cap, so that what is too large is said by the same words.
  instance.post(path, { bodyLimit: receiver.maxBody + 1 }, async (request, reply) => {
    const body = request.body ?? new Uint8Array();
    const answer =
      body instanceof Uint8Array
        ? await receiver.receive({ body, request: requestOf(request) }, request)
        : receiver.refuseParsed();
    return reply.code(answer.status).header("content-type", answer.contentType).send(answer.body);
  });
  done();
}

/** Node's own, with the headers as they came. */
function requestOf(request: FastifyRequest): {
  headers: object;
  rawHeaders?: readonly string[];
  url: string;
  method: string;
} {
  const { headers, raw, url, method } = request;
  return { headers, ...(raw.rawHeaders && { rawHeaders: raw.rawHeaders }), url, method };
}
