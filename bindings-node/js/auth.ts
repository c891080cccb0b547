/**
 * How requests prove who they are, as the native half wants it:
 * `{kind: "bearer", token}`, `{kind: "basic", user, password}`, `{kind: "apiKey", key, header | query | cookie}`, `{kind: "callback"}`,
 * `{kind: "oauth", …}`, `{kind: "hmac", …}`, `{kind: "httpSignature", …}` or `{kind: "dpop", token, key}`. What the members of the last four
 * mean is checked there.
 */

import type { Token, TokenCallback, TokenStore } from "../types/shared.js";
import { invalidConfig } from "./errors.ts";
import { kindOf } from "./text.ts";

const FORMS =
  "a string, a function, { bearer }, { basic: [user, password] }, { apiKey }, { oauth }, { hmac }, { httpSignature } or { dpop }";

type Members = { readonly [name: string]: unknown };

/** The kinds whose members go to the native half as they are. */
const KINDS = ["oauth", "hmac", "httpSignature", "dpop"] as const;

/** Members that are objects of names and values here, and pairs there. */
const PAIRS = ["headers", "parameters"];

/** Members that are times in milliseconds, by their names there. */
const TIMES: { readonly [name: string]: string } = { timeout: "timeoutMs", expires: "expiresMs" };

/** The named credentials of a client's options. */
export function credentialsJson(credentials: unknown): Members {
  if (typeof credentials !== "object" || credentials === null || Array.isArray(credentials)) {
    throw invalidConfig(`\`credentials\` must be an object of names and credentials, not ${kindOf(credentials)}`);
  }
  return Object.fromEntries(
    Object.entries(credentials).map(([name, auth]) => {
      if (typeof auth === "function") {
        throw invalidConfig(`\`credentials.${name}\` cannot be a function; only \`auth\` can`);
      }
      return [name, authJson(auth)];
    }),
  );
}

function kindJson(kind: string, given: unknown): Members {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw invalidConfig(`\`auth.${kind}\` must be an object, not ${kindOf(given)}`);
  }
  const json: { [name: string]: unknown } = { kind };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || name === "kind") {
      continue;
    }
    if (name === "tokenStore") {
      if (typeof value !== "object" || value === null) {
        throw invalidConfig(`\`auth.${kind}.tokenStore\` must be an object, not ${kindOf(value)}`);
      }
      for (const method of ["load", "save", "clear"]) {
        if (typeof (value as Members)[method] !== "function") {
          throw invalidConfig(`\`auth.${kind}.tokenStore\` must have a function \`${method}\``);
        }
      }
      json.store = true;
    } else if (PAIRS.includes(name) && typeof value === "object" && value !== null && !Array.isArray(value)) {
      json[name] = Object.entries(value);
    } else {
      json[TIMES[name] ?? name] = value instanceof URL ? value.href : value;
    }
  }
  return json;
}

/** The token stores of a client's credentials, by name; `null` is its own. */
export function storesOf(auth: unknown, credentials: unknown): Map<string | null, TokenStore> {
  const stores = new Map<string | null, TokenStore>();
  const own: [null, unknown] = [null, auth];
  for (const [name, of] of [own, ...Object.entries(credentials ?? {})]) {
    const { tokenStore } = ((of as { oauth?: Members } | undefined)?.oauth ?? {}) as { tokenStore?: TokenStore };
    if (tokenStore !== undefined) {
      stores.set(name, tokenStore);
    }
  }
  return stores;
}

/** The credential of a client's options. A callback is left for the caller to keep. */
export function authJson(auth: unknown): Members {
  if (typeof auth === "object" && auth !== null && "sign" in auth && auth.sign !== undefined) {
    const { sign, ...rest } = auth as Members;
    const signer = authJson(sign);
    if (signer.kind !== "hmac" && signer.kind !== "httpSignature") {
      throw invalidConfig("`auth.sign` must be { hmac } or { httpSignature }");
    }
    return { ...alone(rest), sign: signer };
  }
  return alone(auth);
}

function alone(auth: unknown): Members {
  if (typeof auth === "string") {
    return { kind: "bearer", token: auth };
  }
  if (typeof auth === "function") {
    return { kind: "callback" };
  }
  if (typeof auth !== "object" || auth === null || Array.isArray(auth)) {
    throw invalidConfig(`\`auth\` must be ${FORMS}, not ${kindOf(auth)}`);
  }
  const given = auth as Members;
  const only = (...names: string[]): void => {
    const other = Object.keys(given).find((name) => !names.includes(name) && given[name] !== undefined);
    if (other !== undefined) {
      throw invalidConfig(`\`auth\` has \`${other}\` beside \`${names[0]}\`, which do not go together`);
    }
  };
  for (const kind of KINDS) {
    if (given[kind] !== undefined) {
      only(kind);
      return kindJson(kind, given[kind]);
    }
  }
  if (given.bearer !== undefined) {
    only("bearer");
    return { kind: "bearer", token: text(given.bearer, "auth.bearer") };
  }
  if (given.basic !== undefined) {
    only("basic");
    if (!Array.isArray(given.basic) || given.basic.length !== 2) {
      throw invalidConfig("`auth.basic` must be a list of user and password");
    }
    return {
      kind: "basic",
      user: text(given.basic[0], "auth.basic[0]"),
      password: text(given.basic[1], "auth.basic[1]"),
    };
  }
  if (given.apiKey !== undefined) {
    const key = text(given.apiKey, "auth.apiKey");
    for (const place of ["header", "query", "cookie"]) {
      if (given[place] !== undefined) {
        only("apiKey", place);
        return { kind: "apiKey", key, [place]: text(given[place], `auth.${place}`) };
      }
    }
    only("apiKey");
    return { kind: "apiKey", key, header: "X-API-Key" };
  }
  throw invalidConfig(`\`auth\` must be ${FORMS}`);
}

function text(value: unknown, name: string): string {
  if (typeof value !== "string") {
    throw invalidConfig(`\`${name}\` must be a string, not ${kindOf(value)}`);
  }
  return value;
}

/** Asks a token callback, and says the answer as JSON. */
export async function tokenJson(callback: TokenCallback): Promise<string> {
  const given: unknown = await callback();
  if (typeof given === "string") {
    return JSON.stringify({ token: given, expiresInMs: null });
  }
  const token = given as Token | null | undefined;
  if (typeof token !== "object" || token === null || typeof token.token !== "string") {
    throw new TypeError(`the token callback must give a string or { token, expiresInMs }, not ${kindOf(given)}`);
  }
  const expires: unknown = token.expiresInMs ?? null;
  if (expires !== null && !(typeof expires === "number" && expires >= 0)) {
    throw new TypeError(`\`expiresInMs\` of the token must be a number of at least 0, not ${kindOf(expires)}`);
  }
  // A token that never expires may say so with Infinity, which JSON cannot.
  return JSON.stringify({ token: token.token, expiresInMs: expires === Number.POSITIVE_INFINITY ? null : expires });
}
