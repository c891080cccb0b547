// @ts-check
/** Downloads and uploads as a scenario says. */

import { attempt, bodyOf, head, Received } from "./outcome.mjs";
import { downloadOptions, uploadOptions, uploadSource } from "./request.mjs";

/**
 * @typedef {import("./host.mjs").Json} Json
 * @typedef {import("../../../bindings-node/types/shared.js").Client} Client
 */

/**
 * @param {Client} client
 * @param {Json} request
 * @param {AbortSignal} signal
 * @param {(error: unknown) => Json} failed
 * @returns {Promise<Json>}
 */
export async function download(client, request, signal, failed) {
  const download = await client.download(request.path, downloadOptions(request, signal));
  const received = new Received();
  try {
    for await (const chunk of download) {
      received.take(chunk);
      if (received.length >= (request.stop_after_bytes ?? Number.POSITIVE_INFINITY)) {
        break;
      }
    }
  } catch (error) {
    return { ...failed(error), delivered: await received.shown() };
  }
  const { total, attempts } = download;
  return { ok: true, total, body: await received.shown(), attempts: attempts.map(attempt) };
}

/**
 * @param {Client} client
 * @param {Json} request
 * @param {AbortSignal} signal
 * @returns {Promise<Json>}
 */
export async function upload(client, request, signal) {
  const uploaded = await client.upload(request.path, uploadSource(request), uploadOptions(request, signal));
  const { response, resumable, answerLost } = uploaded;
  const body = await bodyOf(await response.bytes());
  return { ...head(response), body, resumable, answer_lost: answerLost };
}
