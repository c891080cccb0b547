/** The types of `gatewright/webhooks/fastify`: webhooks in Fastify. */

import type { ReceiverOptions, WebhookHandler } from "./webhook_receiver.js";
import type { Webhook } from "./webhooks.js";

export type { ReceiverOptions, WebhookHandler } from "./webhook_receiver.js";

/** As much of Fastify's request as is needed. */
export interface FastifyRequest {
  readonly headers: object;
  readonly method: string;
  readonly url: string;
  readonly body?: unknown;
  readonly raw: { readonly rawHeaders?: readonly string[] };
}

/** As much of Fastify's reply as is needed. */
export interface FastifyReply {
  code(status: number): FastifyReply;
  header(name: string, value: string): FastifyReply;
  send(body: string): FastifyReply;
}

/** As much of Fastify's instance as is needed. */
export interface FastifyInstance {
  removeAllContentTypeParsers(): void;
  addContentTypeParser(
    type: string,
    options: { readonly parseAs: "buffer" },
    parser: (request: FastifyRequest, body: Uint8Array, done: (error: Error | null, body: Uint8Array) => void) => void,
  ): unknown;
  post(
    path: string,
    options: { readonly bodyLimit: number },
    handler: (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>,
  ): unknown;
}

export interface FastifyWebhooksOptions extends ReceiverOptions {
  /** The route. */
  readonly path: string;
  readonly webhook: Webhook;
  readonly handler: WebhookHandler<FastifyRequest>;
  /** Fastify's own. */
  readonly prefix?: string;
  /** Fastify's own. */
  readonly logLevel?: string;
}

/**
 * A plugin, for `app.register(fastifyWebhooks, { path, webhook, handler })`: its route alone gets the raw body. 200 once the handler is done,
 * 400 for what does not verify (Discord: 401), 413 above the cap, 503 where it should be sent again.
 */
export function fastifyWebhooks(instance: FastifyInstance, options: FastifyWebhooksOptions, done: () => void): void;
