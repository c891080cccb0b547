/** Receives webhooks in Express, and in anything else that hands on Node's requests. */

import type {
  NodeHandler,
  NodeRequest,
  NodeResponse,
  ReceiverOptions,
  WebhookHandler,
} from "../../types/webhook_receiver.js";
import type { Webhook } from "../../types/webhooks.js";
import { type Answer, Receiver } from "./receiver.ts";

export function expressWebhooks<Request extends NodeRequest>(
  webhook: Webhook,
  handler: WebhookHandler<Request>,
  options?: ReceiverOptions,
): NodeHandler<Request> {
  const receiver = new Receiver(webhook, handler, options);
  return (request, response, next) => {
    answerTo(receiver, request)
      .then((answer) => send(answer, request, response))
      .catch((error: unknown) => {
        if (next !== undefined) {
          next(error);
          return;
        }
        console.error(error);
        send({ status: 500, contentType: "text/plain; charset=utf-8", body: "" }, request, response);
      });
  };
}

async function answerTo<Request extends NodeRequest>(receiver: Receiver<Request>, request: Request): Promise<Answer> {
  const given = request.body;
  // As `express.raw` leaves it.
  let body = given instanceof Uint8Array ? given : undefined;
  if (body === undefined && request.readableDidRead === true) {
    return receiver.refuseParsed();
  }
  body ??= await read(request, receiver.maxBody);
  return body === undefined ? receiver.refuseTooLarge() : receiver.receive({ body, request }, request);
}

function send({ status, contentType, body }: Answer, request: NodeRequest, response: NodeResponse): void {
  response.statusCode = status;
  response.setHeader("content-type", contentType);
  if (status === 413) {
    // What is left of the body is not read: the connection is of no use any more.
    response.setHeader("connection", "close");
    response.end(body, () => request.destroy());
    return;
  }
  response.end(body);
}

/** The whole body; nothing where it is larger than the cap. */
function read(request: NodeRequest, most: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve, reject) => {
    const pieces: Uint8Array[] = [];
    let length = 0;
    const onData = (piece: Uint8Array) => {
      length += piece.length;
      if (length > most) {
        request.off("data", onData);
        request.pause();
        resolve(undefined);
        return;
      }
      pieces.push(piece);
    };
    request.on("data", onData);
    request.on("error", reject);
    request.on("close", () => reject(new Error("the sender went away before its body was there")));
    request.on("end", () => {
      const body = new Uint8Array(length);
      let at = 0;
      for (const piece of pieces) {
        body.set(piece, at);
        at += piece.length;
      }
      resolve(body);
    });
  });
}
