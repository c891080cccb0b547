// @ts-check
/** Verifies and signs webhooks as a scenario says. */

import { bytesOf } from "./host.mjs";

/** @typedef {import("./host.mjs").Json} Json */

/**
 * @param {Json} request
 * @param {import("./host.mjs").Host} host
 * @returns {Json}
 */
export function webhook(request, host) {
  const { Webhook, WebhookError } = host.webhooks;
  const body = request.base64 === undefined ? request.text : bytesOf(request.base64);
  try {
    if (request.op === "webhook.sign") {
      const timestamp = new Date(request.timestamp * 1000);
      const headers = new Webhook(request.secrets).sign(body, { messageId: request.message_id, timestamp });
      return { ok: true, headers };
    }
    const tolerance = request.tolerance_s === undefined ? undefined : request.tolerance_s * 1000;
    const webhook = new Webhook(request.secrets, { tolerance, maxBody: request.max_body });
    const verified = webhook.verify(body, request.headers, { now: new Date(request.now * 1000) });
    return {
      ok: true,
      verified: {
        scheme: verified.scheme,
        algorithm: verified.algorithm,
        key_index: verified.keyIndex,
        timestamp: verified.timestamp === null ? null : verified.timestamp.getTime() / 1000,
        message_id: verified.messageId,
        body_bound: verified.bodyBound,
        timestamp_signed: verified.timestampSigned,
        id_signed: verified.idSigned,
        url_bound: verified.urlBound,
      },
    };
  } catch (error) {
    if (error instanceof WebhookError) {
      return { ok: false, error: { code: error.code, message: error.message } };
    }
    throw error;
  }
}
