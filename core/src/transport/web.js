/**
 * The JavaScript half of the web transport (`web.rs`): what `fetch` wants and gives is turned here into numbers, strings and bytes, so
 * that an attempt crosses into WebAssembly a handful of times and leaves no closure behind.
 *
 * An `Exchange` is one attempt:
 *
 *   sending --fetch resolves--> head taken --read resolves--> piece ... --> over
 *      |                            |
 *      +--------- fails ------------+--> failed      abort(), in any state: the request ends on the wire, nothing more is reported
 *
 * Whenever there is something new, `wake(slot)` is called, and Rust asks `event()` what it is. No function here throws.
 */

// What `event()` answers. The same numbers are in `web.rs`.
const NOTHING = 0;
const HEAD = 1;
const PIECE = 2;
const END = 3;
const FAILED = 4;
const BODY_WANTED = 5;

/**
 * Whether requests come from a page or from a worker of one: there the browser forbids some headers and hides redirects. Servers' hosts
 * have no document, and no `importScripts`; programs for tests that put a document into Node are told by `process`, and so is Electron,
 * which has a browser's `fetch` in its windows.
 */
const { process } = globalThis;
const BROWSER =
  (typeof document === "object" || typeof importScripts === "function") &&
  (!process?.versions?.node || process.type === "renderer");
/** The page's origin, also in a worker that was made of a text; `null` as a text for a page that has none, such as a file. */
const ORIGIN = globalThis.origin ?? globalThis.location?.origin;

/** Whether this is a browser. */
export function inBrowser() {
  return BROWSER;
}

/** Monotonic milliseconds. Read anew each time: programs for tests put clocks of their own there. */
export function monotonic() {
  return globalThis.performance ? performance.now() : Date.now();
}

/** Milliseconds since 1970. */
export function wallClock() {
  return Date.now();
}

/** Calls `wake(slot)` after `ms`. The answer is for `clearTimer`. */
export function setTimer(wake, slot, ms) {
  return setTimeout(wake, ms, slot);
}

/** Takes a timer back. */
export function clearTimer(timer) {
  clearTimeout(timer);
}

/** One attempt. */
export class Exchange {
  #wake;
  #slot;
  #state = NOTHING;
  #controller = new AbortController();
  #response;
  #reader;
  #piece;
  /** Bytes of the body still to come, where that is known. */
  #left = NaN;
  #failure;
  #upload;
  #wanted = false;

  constructor(wake, slot) {
    this.#wake = wake;
    this.#slot = slot;
  }

  /**
   * Sends. `headers` are lines, a name and a value in turns; `body` is read before this returns, `streamed` says that it comes by
   * `push` instead. `fresh`: the answer is to come from the server, not from the browser's cache.
   */
  send(method, url, headers, body, streamed, fresh) {
    const init = { method, headers: pairs(headers), signal: this.#controller.signal };
    if (streamed) {
      init.body = this.#uploadStream();
      init.duplex = "half";
    } else if (body.length > 0) {
      init.body = body;
    }
    let sent;
    try {
      sent = fetch(url, BROWSER ? forBrowser(init, url, fresh) : { ...init, redirect: "manual" });
    } catch (error) {
      sent = Promise.reject(error);
    }
    sent.then(
      (response) => this.#onHead(response),
      (error) => this.#fail(error, url),
    );
  }

  /** What is new. */
  event() {
    if (this.#state === NOTHING && this.#wanted) return BODY_WANTED;
    return this.#state;
  }

  /** The status; 0 for a redirect that the browser hides. */
  status() {
    return this.#response.type === "opaqueredirect" ? 0 : this.#response.status;
  }

  /** Takes the answer's headers, as lines. Reading of the body begins. */
  headers() {
    let lines = "";
    for (const [name, value] of this.#response.headers) lines += `${name}\n${value}\n`;
    this.#state = NOTHING;
    this.#begin();
    return lines;
  }

  /** Takes the piece of the body that came. The next is read meanwhile. */
  piece() {
    const piece = this.#piece;
    this.#piece = undefined;
    this.#left -= piece.length;
    // The last byte is here: the host's own word of the end comes later, and is not waited for.
    this.#state = this.#left === 0 ? END : NOTHING;
    this.#read();
    return piece;
  }

  /** What went wrong: a class (see `web.rs`) and words for it, in two lines. */
  failure() {
    return this.#failure;
  }

  /** The next piece of the request's body. */
  push(bytes) {
    this.#wanted = false;
    // A copy: the bytes are in WebAssembly's memory.
    this.#upload?.enqueue(bytes.slice());
  }

  /** The request's body is complete. */
  finish() {
    this.#wanted = false;
    try {
      this.#upload?.close();
    } catch {
      // Cancelled by the server's early answer.
    }
    this.#upload = undefined;
  }

  /** Ends the attempt, wherever it is. */
  abort() {
    this.#wake = undefined;
    // An answer may be complete before the request is.
    if (this.#state !== END || this.#upload) this.#controller.abort();
    this.#upload = undefined;
  }

  #uploadStream() {
    return new ReadableStream(
      {
        start: (controller) => {
          this.#upload = controller;
        },
        pull: () => {
          this.#wanted = true;
          this.#wake?.(this.#slot);
        },
        cancel: () => {
          this.#upload = undefined;
          this.#wanted = false;
        },
      },
      { highWaterMark: 0 },
    );
  }

  #onHead(response) {
    this.#response = response;
    this.#report(HEAD);
  }

  #begin() {
    const { body } = this.#response;
    if (body) {
      this.#left = lengthOf(this.#response);
      this.#reader = body.getReader();
      this.#read();
    } else if (body === undefined && this.#response.arrayBuffer) {
      // A host whose fetch has no streams.
      this.#response.arrayBuffer().then(
        (whole) => {
          this.#reader = { read: async () => ({ done: true }) };
          this.#onPiece({ value: new Uint8Array(whole) });
        },
        (error) => this.#fail(error),
      );
    } else {
      this.#state = END;
    }
  }

  #read() {
    this.#reader.read().then(
      (result) => this.#onPiece(result),
      (error) => this.#fail(error),
    );
  }

  #onPiece({ done, value }) {
    if (this.#state === END) return;
    if (done) return this.#report(END);
    if (value.length === 0) return this.#read();
    this.#piece = value;
    this.#report(PIECE);
  }

  #fail(error, url) {
    if (!this.#wake || this.#state === END) return;
    this.#failure = `${classOf(error, this.#response)}\n${wordsFor(error, url)}`;
    this.#report(FAILED);
  }

  #report(state) {
    this.#state = state;
    this.#wake?.(this.#slot);
  }
}

/** A body's length, where what is read is what was sent. Across origins a browser does not tell whether it was packed. */
function lengthOf({ headers, type }) {
  if (type === "cors" || headers.has("content-encoding")) return NaN;
  return Number(headers.get("content-length") ?? NaN);
}

/** Lines, a name and a value in turns, as what `fetch` takes. */
function pairs(lines) {
  const list = lines.split("\n");
  const headers = [];
  for (let i = 0; i + 1 < list.length; i += 2) headers.push([list[i], list[i + 1]]);
  return headers;
}

/**
 * What is different in browsers.
 *
 * - `User-Agent` is left out: some browsers drop it, in others it would need a CORS preflight of its own.
 * - From the page's own origin, answers come from the server, not from the browser's cache: the limits in the headers of a stored answer
 *   are not true any more. Across origins that costs a preflight for every single call, so there the server's `Cache-Control` holds, unless
 *   the client has a cache of its own.
 * - Redirects: `manual` hides where they lead, `follow` would take secret headers along to other origins. So the browser follows for the
 *   page's own origin, which `same-origin` holds it to; from others a redirect is reported as hidden.
 */
function forBrowser(init, url, fresh) {
  const own = url.startsWith(`${ORIGIN}/`);
  return {
    ...init,
    headers: init.headers.filter(([name]) => name !== "user-agent"),
    cache: own || fresh ? "no-store" : "default",
    redirect: own ? "follow" : "manual",
    mode: own ? "same-origin" : "cors",
  };
}

/** Where a page may call by plain http, wherever it comes from. */
const LOOPBACK = /^http:\/\/(localhost|127\.|\[::1\]|[^/]*\.localhost)/;

// What Node says of a failure that came before anything was sent.
const UNREACHED = /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EACCES|ENOENT)$/;
const UNRESOLVED = /^(ENOTFOUND|EAI_\w+)$/;
const CERTIFICATE = /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;
const HANDSHAKE = /^ERR_SSL_(WRONG_VERSION_NUMBER|\w*ALERT\w*|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS\w*)$/;

/**
 * The class of a failure. What says nothing of itself (in browsers all does) may have come after the request was processed, so it counts
 * as a connection that was lost: such a request is repeated only where that is safe.
 */
function classOf(error, response) {
  let cause = error?.cause ?? error;
  if (cause?.errors?.length > 0) {
    // One for each address that was tried.
    if (!cause.errors.every((each) => each.syscall === "connect")) return "lost";
    cause = cause.errors[0];
  }
  const code = String(cause?.code ?? "");
  if (UNRESOLVED.test(code) || (UNREACHED.test(code) && cause.syscall === "connect")) return "connect";
  if (code === "UND_ERR_CONNECT_TIMEOUT" || (code === "ETIMEDOUT" && cause.syscall === "connect")) return "connectTimeout";
  if (CERTIFICATE.test(code) || HANDSHAKE.test(code)) return "tls";
  if (code === "UND_ERR_HEADERS_TIMEOUT") return "timeout";
  if (code === "UND_ERR_BODY_TIMEOUT") return "readTimeout";
  if (code.startsWith("HPE_") || code === "UND_ERR_HEADERS_OVERFLOW") return "protocol";
  if (response && (code.startsWith("Z_") || code.startsWith("ERR_BROTLI") || code.startsWith("ERR__ERROR"))) return "decode";
  // Deno and Bun.
  if (/client error \(Connect\)/.test(error?.message) || code === "ConnectionRefused") return "connect";
  return "lost";
}

/** The failure in words, on one line, without a URL. */
function wordsFor(error, url) {
  if (BROWSER) return wordsOfBrowser(error, url);
  const cause = error?.cause?.errors?.[0] ?? error?.cause;
  const words = String(cause?.message || cause?.code || error?.message || error);
  return words.replace(/ for url \(\S*\)/, "").replace(/\s+/g, " ");
}

function wordsOfBrowser(error, url) {
  const said = String(error?.message ?? error).replace(/\s+/g, " ");
  if (navigator.onLine === false) return `${said}; the browser is offline`;
  if (!url) return said;
  if (ORIGIN.startsWith("https:") && url.startsWith("http:") && !LOOPBACK.test(url)) {
    return `${said}; a page loaded by https may not call plain http`;
  }
  if (url.startsWith(`${ORIGIN}/`)) {
    return `${said}; the browser does not tell why: the server cannot be reached, or it redirects to another origin`;
  }
  return `${said}; the browser does not tell why: the server cannot be reached, or its CORS headers do not allow ${ORIGIN} or one of the request's headers; the browser's console says which`;
}
