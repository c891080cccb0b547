/** The options of webhooks, checked and written as the native half reads them. */

import type { WebhookOptions } from "../types/webhooks.js";
import { kindOf } from "./text.ts";

const OPTIONS = [
  "scheme",
  "tolerance",
  "futureTolerance",
  "maxBody",
  "url",
  "webhookId",
  "topicArn",
  "keyIds",
  "components",
  "template",
  "signingSecrets",
  "fetchCertificate",
];
const TEXTS = ["scheme", "url", "webhookId", "topicArn"] as const;
const LISTS = ["keyIds", "components"] as const;

/** The settings of a webhook as JSON. */
export function webhookSettings(secrets: unknown, options: WebhookOptions): string {
  const settings: { [name: string]: unknown } = { secrets: listOf("the secrets of a webhook", secrets) };
  known(options, OPTIONS);
  for (const name of TEXTS) {
    const value = options[name];
    if (value !== undefined && typeof value !== "string") {
      throw new TypeError(`\`${name}\` must be a string, not ${kindOf(value)}`);
    }
    settings[name] = value;
  }
  for (const name of LISTS) {
    settings[name] = options[name] === undefined ? undefined : listOf(`\`${name}\``, options[name]);
  }
  if (options.signingSecrets !== undefined) {
    settings.signingSecrets = listOf("`signingSecrets`", options.signingSecrets);
  }
  settings.tolerance = amount("tolerance", options.tolerance, "milliseconds");
  settings.futureTolerance = amount("futureTolerance", options.futureTolerance, "milliseconds");
  settings.maxBody = amount("maxBody", options.maxBody, "bytes");
  if (options.template !== undefined) {
    if (typeof options.template !== "object" || options.template === null) {
      throw new TypeError(`\`template\` must be an object, not ${kindOf(options.template)}`);
    }
    settings.template = options.template;
  }
  return JSON.stringify(settings);
}

function listOf(what: string, value: unknown): readonly string[] {
  const list = typeof value === "string" ? [value] : value;
  if (!Array.isArray(list) || !list.every((one) => typeof one === "string")) {
    throw new TypeError(`${what} must be a string or a list of strings, not ${kindOf(value)}`);
  }
  return list;
}

/** A whole number, as JSON has it. */
export function amount(name: string, value: unknown, unit: string): number | string | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (typeof value !== "number" || !(value >= 0)) {
    throw new TypeError(`\`${name}\` must be a number of ${unit} of at least 0, not ${kindOf(value)}`);
  }
  return value > Number.MAX_SAFE_INTEGER ? "Infinity" : Math.floor(value);
}

/** The options, if they have no others than these. */
export function known<T extends object>(options: T, names: readonly string[]): T {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`the options must be an object, not ${kindOf(options)}`);
  }
  for (const name in options) {
    if (!names.includes(name)) {
      throw new TypeError(`there is no option \`${name}\`; there are \`${names.join("` and `")}\``);
    }
  }
  return options;
}

/** A time of the options in seconds; the clock's where there is none. */
export function seconds(name: string, date: unknown): number {
  if (date === undefined) {
    return Math.floor(Date.now() / 1000);
  }
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) {
    throw new TypeError(`\`${name}\` must be a Date, not ${kindOf(date)}`);
  }
  return Math.floor(date.getTime() / 1000);
}
