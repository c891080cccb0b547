// @ts-check
/** A scenario's `auth`, but for token callbacks, as the SDK takes it. */

import { Unsupported } from "./host.mjs";

/**
 * @typedef {import("./host.mjs").Json} Json
 * @typedef {import("../../../bindings-node/types/shared.js").Credential} Credential
 */

/** The protocol's words for what the SDK has in camel case: values of members that are named here. */
const WORDS = ["grant", "client_auth"];

/** Members whose values are keys. */
const KEYS = ["key", "client_key", "dpop_key"];

/**
 * @param {Json} given
 * @returns {Promise<Credential | undefined>}
 */
export async function credential(given) {
  const { kind, ...rest } = given;
  switch (kind) {
    case "none":
      return undefined;
    case "bearer":
      return { bearer: given.token };
    case "basic":
      return { basic: [given.user, given.password] };
    case "api_key": {
      const { key, ...place } = rest;
      return { apiKey: key, ...place };
    }
    case "oauth":
    case "http_signature":
    case "dpop":
      return as(camel(kind), await members(rest));
    case "hmac":
      return as(kind, await members(templates(rest)));
    default:
      throw new Unsupported(`auth of the kind ${kind}`);
  }
}

/**
 * @param {string} kind
 * @param {Json} of
 * @returns {Credential}
 */
function as(kind, of) {
  /** @type {Json} */
  const credential = { [kind]: of };
  return /** @type {Credential} */ (credential);
}

/**
 * @param {Json} given
 * @returns {Promise<Json>}
 */
async function members(given) {
  /** @type {Json} */
  const said = {};
  for (const [name, value] of Object.entries(given)) {
    if (WORDS.includes(name)) {
      said[camel(name)] = camel(value);
    } else if (KEYS.includes(name) && value === "new") {
      said[camel(name)] = await newKey();
    } else {
      said[camel(name.replace(/_ms$/, ""))] = value;
    }
  }
  return said;
}

/** @param {string} snake */
function camel(snake) {
  return snake.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
}

/**
 * Templates have their places in angle brackets: braces are the harness's.
 *
 * @param {Json} given
 * @returns {Json}
 */
function templates({ text, headers, ...rest }) {
  const braces = (/** @type {string} */ template) => template.replaceAll("<", "{").replaceAll(">", "}");
  return {
    ...rest,
    ...(text === undefined ? {} : { text: braces(text) }),
    ...(headers === undefined
      ? {}
      : {
          headers: Object.fromEntries(Object.entries(headers).map(([name, template]) => [name, braces(template)])),
        }),
  };
}

/**
 * A key of P-256 in PEM.
 *
 * @returns {Promise<string>}
 */
async function newKey() {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
  const bytes = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
  const text = btoa(String.fromCharCode(...bytes)).replace(/.{64}/g, "$&\n");
  return `-----BEGIN PRIVATE KEY-----\n${text}\n-----END PRIVATE KEY-----\n`;
}
