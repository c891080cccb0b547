// @ts-check
/** Verifies and signs webhooks as a scenario says. */

import { bytesOf } from "./host.mjs";

/** @typedef {import("./host.mjs").Json} Json */
/** @typedef {import("../../../bindings-node/types/webhooks.js").Webhook} Webhook */
/** @typedef {import("../../../bindings-node/types/webhooks.js").Verified} Verified */

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
    const now = new Date(request.now * 1000);
    const webhook = new Webhook(request.secrets, optionsOf(request));
    const verified = verify(webhook, body, request, now);
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

/** The members of a template, as the protocol has them, and their names here. */
const TEMPLATE = {
  signature_header: "signatureHeader",
  signed: "signed",
  timestamp_header: "timestampHeader",
  timestamp_item: "timestampItem",
  id_header: "idHeader",
  algorithm: "algorithm",
  encoding: "encoding",
  prefix: "prefix",
  separator: "separator",
  secret_encoding: "secretEncoding",
};

/**
 * @param {Json} request
 * @returns {Json}
 */
function optionsOf(request) {
  const settings = request.settings ?? {};
  const tolerance = request.tolerance_s ?? settings.tolerance;
  const template =
    settings.template &&
    Object.fromEntries(Object.entries(TEMPLATE).map(([name, here]) => [here, settings.template[name]]));
  return {
    scheme: request.scheme,
    tolerance: tolerance === undefined ? undefined : tolerance * 1000,
    maxBody: request.max_body ?? settings.max_body,
    url: settings.url,
    webhookId: settings.webhook_id,
    topicArn: settings.topic_arn,
    keyIds: settings.key_ids,
    components: settings.components,
    template,
  };
}

/**
 * Verifies the whole body, and in pieces of 7 bytes: the verdict must be the same.
 *
 * @param {Webhook} webhook
 * @param {string | Uint8Array} body
 * @param {Json} request
 * @param {Date} now
 * @returns {Verified}
 */
function verify(webhook, body, request, now) {
  const { url, method, settings } = request;
  const headers = headersOf(request.headers);
  const options = { now, url, method };
  const whole = verdictOf(() =>
    withCertificate(webhook, settings?.certificate, now, () => webhook.verify(body, headers, options)),
  );
  const streamed = verdictOf(() => inPieces(webhook, body, headers, options));
  if (JSON.stringify(whole.shown) !== JSON.stringify(streamed.shown)) {
    // A certificate that cannot be kept leaves a stream without one.
    if (whole.shown !== "bad_certificate" || streamed.shown !== "missing_certificate") {
      throw new Error(`whole: ${JSON.stringify(whole.shown)}, in pieces: ${JSON.stringify(streamed.shown)}`);
    }
  }
  return whole.verified();
}

/**
 * Hands the certificate in where it is asked for, as `receive` does with a fetched one.
 *
 * @param {Webhook} webhook
 * @param {string | undefined} certificate
 * @param {Date} now
 * @param {() => Verified} verify
 * @returns {Verified}
 */
function withCertificate(webhook, certificate, now, verify) {
  try {
    return verify();
  } catch (error) {
    const { certificateUrl } = /** @type {Json} */ (error);
    if (certificate === undefined || !certificateUrl) {
      throw error;
    }
    webhook.addCertificate(certificateUrl, certificate, { now });
    return verify();
  }
}

/**
 * @param {Webhook} webhook
 * @param {string | Uint8Array} body
 * @param {Json} headers
 * @param {Json} options
 * @returns {Verified}
 */
function inPieces(webhook, body, headers, options) {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const verifier = webhook.verifier(headers, options);
  for (let at = 0; at < bytes.length; at += 7) {
    verifier.update(bytes.subarray(at, at + 7));
  }
  return verifier.finish();
}

/**
 * @param {() => Verified} verify
 * @returns {{ shown: unknown, verified: () => Verified }}
 */
function verdictOf(verify) {
  try {
    const verified = verify();
    return { shown: { ...verified }, verified: () => verified };
  } catch (error) {
    return {
      shown: /** @type {Json} */ (error).code ?? String(error),
      verified: () => {
        throw error;
      },
    };
  }
}

/**
 * Header values that are no text come as bytes, which are characters here, as Node and fetch have them.
 *
 * @param {Json} headers
 * @returns {Json}
 */
function headersOf(headers) {
  if (!Array.isArray(headers)) {
    return headers;
  }
  return headers.map(([name, value]) => [
    name,
    typeof value === "string" ? value : String.fromCharCode(...bytesOf(value.base64)),
  ]);
}
