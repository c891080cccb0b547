// @ts-check
/** What the web package cannot do in each of its hosts, and why. */

/** @type {Readonly<Record<string, string>>} */
export const IN_NODE = {
  connections: "fetch shares its connections among all who call it",
  signatures: "the module has no private keys, to stay small: HMAC alone",
  truncated_encodings: "Node's fetch says nothing of a gzip that ends early",
  webhook_asymmetric: "the module for webhooks has neither certificates nor ECDSA nor RSA, to stay small",
};

/** @type {Readonly<Record<string, string>>} */
export const IN_A_BROWSER = {
  api_key_cookie: "a page may not set the header Cookie",
  connections: "the browser chooses them",
  failure_kinds: "a browser says of each failure only that it failed",
  only_cache: "below a client without a cache the browser's own answers, as the server allows",
  partial_bodies: "a browser drops what the page has not read yet when a body breaks off",
  redirects: "a browser shows a page neither status nor target of a redirect",
  signatures: "the module has no private keys, to stay small: HMAC alone",
  tls: "a browser says of each failure only that it failed",
  webhook_asymmetric: "the module for webhooks has neither certificates nor ECDSA nor RSA, to stay small",
};
