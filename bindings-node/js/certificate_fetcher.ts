/** Fetches the certificates that a scheme's signatures are by (SNS, PayPal). The core has checked each URL before it comes here. */

import type { FetchCertificate } from "../types/webhooks.js";
import { kindOf } from "./text.ts";

/** No certificate chain of theirs is longer, in bytes. */
const MAX_BYTES = 64 * 1024;
const TIMEOUT_MS = 10_000;

export class CertificateFetcher {
  readonly #fetch: FetchCertificate;
  /** By URL, so that many messages at once ask once. */
  readonly #underWay = new Map<string, Promise<string | Uint8Array>>();

  constructor(fetch: FetchCertificate | undefined) {
    if (fetch !== undefined && typeof fetch !== "function") {
      throw new TypeError(`\`fetchCertificate\` must be a function, not ${kindOf(fetch)}`);
    }
    this.#fetch = fetch ?? fetchPem;
  }

  fetch(url: string): Promise<string | Uint8Array> {
    let fetched = this.#underWay.get(url);
    if (fetched === undefined) {
      fetched = (async () => this.#fetch(url))().finally(() => this.#underWay.delete(url));
      this.#underWay.set(url, fetched);
    }
    return fetched;
  }
}

/** By the host's fetch: status 200, no redirect, and no more than any certificate needs. */
async function fetchPem(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
  const reader = response.body?.getReader();
  if (response.status !== 200 || reader === undefined) {
    await reader?.cancel();
    throw new Error(`the certificate at ${url} was not there: status ${response.status}`);
  }
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      break;
    }
    length += value.length;
    if (length > MAX_BYTES) {
      await reader.cancel();
      throw new Error(`the certificate at ${url} is longer than ${MAX_BYTES} bytes`);
    }
    pieces.push(value);
  }
  const pem = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    pem.set(piece, at);
    at += piece.length;
  }
  return pem;
}
