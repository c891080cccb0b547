/**
 * A quota that processes share through Redis, as the option `quota` takes it. What its values mean is checked in the native half, which says so
 * too where it has no sockets.
 */

import type { RedisQuotaOptions } from "../types/shared.js";
import { invalidConfig } from "./errors.ts";
import { decode, kindOf } from "./text.ts";

type Json = { [name: string]: unknown };

/** What `redisQuota` makes. Its URL, which may have a password, is shown nowhere. */
export class RedisQuota {
  readonly quota: string;
  readonly name: string | undefined;
  readonly #json: Json;

  /** @internal */
  constructor(json: Json) {
    this.quota = json.quota as string;
    this.name = json.name as string | undefined;
    this.#json = json;
    Object.freeze(this);
  }

  /** @internal */
  static jsonOf(quota: RedisQuota): Json {
    return quota.#json;
  }
}

const TIMES = ["ahead", "keep", "timeout", "probe"];
const COUNTS = ["assumedProcesses", "maxQueue"];
const TEXTS = ["name", "prefix"];

/** A quota such as `600/min, burst 50`, shared through the Redis at `url`, or through the cluster of which these are nodes. */
export function redisQuota(
  url: string | URL | readonly (string | URL)[],
  quota: string,
  options: RedisQuotaOptions = {},
): RedisQuota {
  const urls = (Array.isArray(url) ? url : [url]).map((one) => (one instanceof URL ? one.href : one));
  if (!urls.every((one) => typeof one === "string")) {
    throw invalidConfig("`url` must be a string or a URL, or a list of these for a cluster");
  }
  if (typeof quota !== "string") {
    throw invalidConfig(`\`quota\` must be a string, not ${kindOf(quota)}`);
  }
  if (typeof options !== "object" || options === null) {
    throw invalidConfig(`the options of a quota must be an object, not ${kindOf(options)}`);
  }
  const json: Json = { urls, cluster: Array.isArray(url), quota };
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) {
      continue;
    }
    if (TIMES.includes(name) || COUNTS.includes(name)) {
      must(typeof value === "number", name, "a number", value);
      json[TIMES.includes(name) ? `${name}Ms` : name] = Number.isFinite(value) ? value : String(value);
    } else if (TEXTS.includes(name)) {
      must(typeof value === "string", name, "a string", value);
      json[name] = value;
    } else if (name === "cluster") {
      must(typeof value === "boolean", name, "true or false", value);
      json.cluster = value;
    } else if (name === "caCertificates") {
      const pem = value instanceof Uint8Array ? decode(value, 0, value.length) : value;
      must(typeof pem === "string", name, "PEM text or its bytes", value);
      json.caCertificates = pem;
    } else {
      throw invalidConfig(`a quota has no option \`${name}\``);
    }
  }
  return new RedisQuota(json);
}

function must(holds: boolean, name: string, what: string, value: unknown): void {
  if (!holds) {
    throw invalidConfig(`\`quota.${name}\` must be ${what}, not ${kindOf(value)}`);
  }
}
