// @ts-check
/** Logins of OAuth, with the adapter as the user and the user's browser. */

import { Unsupported } from "./host.mjs";

/**
 * @typedef {import("./host.mjs").Json} Json
 * @typedef {import("../../../bindings-node/types/shared.js").Client} Client
 */

/**
 * @param {Client} client
 * @param {Json} request
 * @param {AbortSignal} signal
 * @returns {Promise<Json>}
 */
export async function login(client, request, signal) {
  const flow = client.oauth();
  switch (request.login) {
    case "authorization": {
      const login = await flow.authorization(redirectUri(), { signal });
      return tokens(await login.finish(request.redirect ?? (await browse(login.url)), { signal }));
    }
    case "device": {
      const login = await flow.device({ signal });
      await decide(login.verificationUri, login.userCode, request.decision ?? "approve");
      return tokens(await login.wait({ signal }));
    }
    case "revoke":
      await flow.revoke({ signal });
      return { ok: true };
    default:
      throw new Unsupported(`the login ${request.login}`);
  }
}

/** Whether this is a page, or a worker of one. */
function inPage() {
  return "document" in globalThis || "importScripts" in globalThis;
}

/** A page follows redirects alone and sees where they led: to a page of its own site. */
function redirectUri() {
  return inPage() ? `${location.origin}/callback` : "https://app.example/callback";
}

/**
 * Where the server sends the browser that goes to `url`.
 *
 * @param {string} url
 * @returns {Promise<string>}
 */
async function browse(url) {
  if (inPage()) {
    return (await fetch(url, { cache: "no-store" })).url;
  }
  const answer = await fetch(url, { redirect: "manual" });
  await answer.arrayBuffer();
  const location = answer.headers.get("location");
  if (location === null) {
    throw new Unsupported("an authorization endpoint that sends nobody back");
  }
  return location;
}

/**
 * The user's decision on the page of a device login.
 *
 * @param {string} page
 * @param {string} code
 * @param {string} decision
 */
async function decide(page, code, decision) {
  const form = new URLSearchParams({ user_code: code, decision });
  const answer = await fetch(page, { method: "POST", body: form });
  await answer.arrayBuffer();
}

/**
 * @param {import("../../../bindings-node/types/shared.js").OAuthTokens} told
 * @returns {Json}
 */
function tokens({ tokenType, scope, hasRefreshToken }) {
  return { ok: true, login: { token_type: tokenType, scope, refresh_token: hasRefreshToken } };
}
