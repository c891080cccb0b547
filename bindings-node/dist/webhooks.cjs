"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// js/node/webhooks.ts
var webhooks_exports = {};
__export(webhooks_exports, {
  Webhook: () => Webhook,
  WebhookError: () => WebhookError,
  WebhookKeyError: () => WebhookKeyError,
  WebhookVerificationError: () => WebhookVerificationError,
  generateSecret: () => generateSecret
});
module.exports = __toCommonJS(webhooks_exports);

// js/webhook_native.ts
var provider;
function provideWebhooks(load2) {
  provider = load2;
}
function webhookNative() {
  if (provider === void 0) {
    throw new Error(
      "gatewright was loaded without its native half: import the package by its name, not by a file inside of it"
    );
  }
  return provider();
}

// js/node/webhooks.ts
var import_load = require("./load.cjs");

// js/inspect.ts
var INSPECT = /* @__PURE__ */ Symbol.for("nodejs.util.inspect.custom");
function shown(name, members, depth, options, inspect) {
  return depth < 0 ? `[${name}]` : `${name} ${inspect(members, options)}`;
}
function setName(kind, name) {
  Object.defineProperty(kind, "name", { value: name, configurable: true });
  Object.defineProperty(kind.prototype, "name", { value: name, configurable: true, writable: true });
}

// js/text.ts
var decoder = new TextDecoder();
var encoder = new TextEncoder();
var buffer = globalThis.Buffer?.prototype;
var utf8Slice = buffer?.utf8Slice;
var decode = utf8Slice === void 0 ? (bytes, start, end) => decoder.decode(bytes.subarray(start, end)) : (bytes, start, end) => {
  const from = bytes[start] === 239 && bytes[start + 1] === 187 && bytes[start + 2] === 191 && end - start >= 3 ? start + 3 : start;
  return utf8Slice.call(bytes, from, end);
};
function kindOf(value) {
  if (value === null) {
    return "null";
  }
  if (Array.isArray(value)) {
    return "a list";
  }
  switch (typeof value) {
    case "undefined":
      return "undefined";
    case "object": {
      const name = value.constructor?.name;
      return typeof name === "string" && name !== "" && name !== "Object" ? `a ${name}` : "an object";
    }
    case "number":
      return Number.isFinite(value) ? "a number" : String(value);
    default:
      return `a ${typeof value}`;
  }
}

// js/webhooks.ts
var WebhookError = class extends Error {
  code;
  constructor(message, options) {
    super(message, options);
    this.code = options?.code ?? "webhook";
  }
  toJSON() {
    return { name: this.name, code: this.code, message: this.message };
  }
};
var WebhookKeyError = class extends WebhookError {
};
var WebhookVerificationError = class extends WebhookError {
};
setName(WebhookError, "WebhookError");
setName(WebhookKeyError, "WebhookKeyError");
setName(WebhookVerificationError, "WebhookVerificationError");
var VERIFY_OPTIONS = ["now"];
var SIGN_OPTIONS = ["messageId", "timestamp"];
var TOLERANCE_MS = 3e5;
var MAX_BODY = 1024 * 1024;
var Webhook = class {
  #native;
  constructor(secrets, options = {}) {
    const list = typeof secrets === "string" ? [secrets] : secrets;
    if (!Array.isArray(list) || !list.every((secret) => typeof secret === "string")) {
      throw new TypeError(`the secrets of a webhook must be a string or a list of strings, not ${kindOf(secrets)}`);
    }
    const { tolerance = TOLERANCE_MS, maxBody = MAX_BODY } = known(options, ["tolerance", "maxBody"]);
    if (typeof tolerance !== "number" || !(tolerance >= 0)) {
      throw new TypeError(`\`tolerance\` must be a number of milliseconds of at least 0, not ${kindOf(tolerance)}`);
    }
    if (typeof maxBody !== "number" || !(maxBody >= 0)) {
      throw new TypeError(`\`maxBody\` must be a number of bytes of at least 0, not ${kindOf(maxBody)}`);
    }
    const webhook = webhookNative().openWebhook(list, tolerance / 1e3, maxBody);
    if (typeof webhook === "string") {
      throw error(WebhookKeyError, JSON.parse(webhook));
    }
    this.#native = webhook;
  }
  verify(body, headers, options) {
    const raw = rawBody(body);
    const told = this.#native.verify(raw, headerLines(headers, isSigned), seconds(options, "now", VERIFY_OPTIONS));
    if (told.charCodeAt(0) === 123) {
      throw error(WebhookVerificationError, JSON.parse(told));
    }
    return new Verified(told, raw);
  }
  explain(body, headers, options) {
    return this.#native.explain(rawBody(body), headerLines(headers, every), seconds(options, "now", VERIFY_OPTIONS));
  }
  sign(body, options) {
    const { messageId } = known(options, SIGN_OPTIONS);
    if (typeof messageId !== "string") {
      throw new TypeError(`\`messageId\` must be a string, not ${kindOf(messageId)}`);
    }
    const told = JSON.parse(this.#native.sign(rawBody(body), messageId, seconds(options, "timestamp", SIGN_OPTIONS)));
    if (told.code !== void 0) {
      throw error(WebhookKeyError, told);
    }
    return told;
  }
  [INSPECT]() {
    return "Webhook {}";
  }
};
var Verified = class {
  scheme;
  algorithm;
  keyIndex;
  timestamp;
  messageId;
  bodyBound;
  timestampSigned;
  idSigned;
  urlBound;
  #body;
  constructor(lines, body) {
    const scheme = lines.indexOf("\n");
    const algorithm = lines.indexOf("\n", scheme + 1);
    const keyIndex = lines.indexOf("\n", algorithm + 1);
    const timestamp = lines.indexOf("\n", keyIndex + 1);
    const messageId = lines.indexOf("\n", timestamp + 1);
    const bodyBound = lines.indexOf("\n", messageId + 1);
    this.scheme = lines.slice(0, scheme);
    this.algorithm = lines.slice(scheme + 1, algorithm);
    this.keyIndex = Number(lines.slice(algorithm + 1, keyIndex));
    this.timestamp = timestamp === keyIndex + 1 ? null : new Date(Number(lines.slice(keyIndex + 1, timestamp)) * 1e3);
    this.messageId = messageId === timestamp + 1 ? null : lines.slice(timestamp + 1, messageId);
    this.bodyBound = lines.slice(messageId + 1, bodyBound);
    this.timestampSigned = lines[bodyBound + 1] === "1";
    this.idSigned = lines[bodyBound + 2] === "1";
    this.urlBound = lines[bodyBound + 3] === "1";
    this.#body = body;
  }
  json() {
    return JSON.parse(typeof this.#body === "string" ? this.#body : decode(this.#body, 0, this.#body.length));
  }
  [INSPECT](depth, options, inspect) {
    return shown("Verified", { ...this }, depth, options, inspect);
  }
};
function generateSecret() {
  return webhookNative().generateSecret();
}
function error(kind, told) {
  return new kind(told.message, { code: told.code });
}
function known(options, names) {
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
function rawBody(body) {
  if (typeof body === "string" || body instanceof Uint8Array) {
    return body;
  }
  if (body instanceof ArrayBuffer) {
    return new Uint8Array(body);
  }
  if (ArrayBuffer.isView(body)) {
    return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  }
  throw new TypeError(`a webhook's body must be the text or bytes that came, before any parsing, not ${kindOf(body)}`);
}
function isSigned(name) {
  return (name.charCodeAt(0) | 32) === 119 && (name.startsWith("webhook-") || name.toLowerCase().startsWith("webhook-"));
}
var every = () => true;
function headerLines(headers, wanted) {
  if (typeof headers !== "object" || headers === null) {
    throw new TypeError(`a webhook's headers must be an object, pairs or Headers, not ${kindOf(headers)}`);
  }
  let lines = "";
  if (Array.isArray(headers) && typeof headers[0] === "string") {
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = String(headers[at]);
      if (wanted(name)) {
        lines += line(name, headers[at + 1]);
      }
    }
  } else if (Symbol.iterator in headers) {
    for (const pair of headers) {
      if (!Array.isArray(pair) || pair.length !== 2) {
        throw new TypeError("a webhook's headers must be pairs of a name and a value");
      }
      const name = String(pair[0]);
      if (wanted(name)) {
        lines += line(name, pair[1]);
      }
    }
  } else {
    for (const name in headers) {
      if (wanted(name)) {
        lines += lineOrLines(name, headers[name]);
      }
    }
  }
  return lines;
}
function lineOrLines(name, value) {
  if (typeof value === "string") {
    return line(name, value);
  }
  if (Array.isArray(value)) {
    return value.map((one) => line(name, one)).join("");
  }
  return value === void 0 || value === null ? "" : line(name, value);
}
function line(name, value) {
  return `${oneLine(name)}
${oneLine(typeof value === "string" ? value : String(value))}
`;
}
function oneLine(text) {
  return text.includes("\n") ? text.replaceAll("\n", " ") : text;
}
function seconds(options, name, names) {
  const date = options === void 0 ? void 0 : known(options, names)[name];
  if (date === void 0) {
    return Math.floor(Date.now() / 1e3);
  }
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) {
    throw new TypeError(`\`${name}\` must be a Date, not ${kindOf(date)}`);
  }
  return Math.floor(date.getTime() / 1e3);
}

// js/node/webhooks.ts
provideWebhooks(import_load.load);
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  Webhook,
  WebhookError,
  WebhookKeyError,
  WebhookVerificationError,
  generateSecret
});
