/** One request's settings, the same for each client. */

export const KEY = "sk_test_unlimited_bench";
export const PATH = "/v1/contacts/ct_000001";
export const HEADERS = { authorization: `Bearer ${KEY}` };

/** Every body must be there and decoded. */
export function check(body) {
  if (body.id !== "ct_000001") throw new Error(`not the body that was asked for: ${JSON.stringify(body)}`);
}

/** The first call is answered; the runner waits for this. */
export function ready() {
  globalThis.readyMs = performance.now();
}
