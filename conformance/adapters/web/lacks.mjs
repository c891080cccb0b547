// @ts-check
/** What the web package cannot do in each of its hosts, and why. */

/** @type {Readonly<Record<string, string>>} */
export const IN_NODE = {};

/** @type {Readonly<Record<string, string>>} */
export const IN_A_BROWSER = {
  api_key_cookie: "a page may not set the header Cookie",
  connections: "the browser chooses them",
  failure_kinds: "a browser says of each failure only that it failed",
  redirects: "a browser shows a page neither status nor target of a redirect",
  replayable_upload: "a browser streams a request's body over HTTP/2 only",
  stream_upload: "a browser streams a request's body over HTTP/2 only",
  tls: "a browser says of each failure only that it failed",
};
