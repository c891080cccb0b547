/**
 * What the JavaScript layer needs of its native half. The addon (`bindings-node/src`) and the WASM module (`bindings-wasm/src`) both have
 * this shape, through the crate `gatewright-boundary`; an entry module says which by `provide`.
 *
 * JSON texts and frames are described where they are made and read: `options.ts`, `frames.ts`, `errors.ts`, `callbacks.ts`.
 */

import { provideWebhooks, type WebhookNative } from "./webhook_native.ts";

/** The native half of the whole package. */
export interface Native extends WebhookNative {
  version(): string;
  /** The codes of all kinds of errors. */
  errorCodes(): string[];
  /** Once for each JavaScript thread, before the first client. Results come in batches of frames; `large` are the bodies beside a batch. */
  connect(deliver: (batch: Uint8Array, large: Uint8Array[]) => void): void;
  /** A client, or the error as JSON. */
  openClient(baseUrl: string, settings: string): NativeClient | string;
  /** Gives up a call, its answer's stream included: its place is given back and nothing more comes for it. Unknown numbers are fine. */
  cancel(call: number): void;
  /** Asks for the next piece of a streamed answer: CHUNK, END or ERROR. */
  pull(call: number): void;
  /** Asks for the next page of a list: ANSWER, END or ERROR. */
  nextPage(call: number, list: number): void;
  /** Asks for the next events of a stream: CHUNK, END or ERROR. */
  nextEvents(call: number, list: number): void;
  /** Forgets a list or a stream of events. */
  dropPages(list: number): void;
  /** Answers a question. */
  answer(question: number, text: string | undefined, bytes: Uint8Array | undefined): void;
  /** What was asked threw: `cause` is this layer's number for the thrown value. */
  fail(question: number, cause: number, text: string): void;
  /** The error, as JSON, of an answer that was delivered and cannot be decoded; `meta` is the answer's own. */
  answerError(meta: string, code: string, what: string): string;
  /** The attempts (JSON) as a picture in text. */
  timeline(attempts: string): string;
}

/** A client's native half. */
export interface NativeClient {
  /**
   * Begins a call; never throws. What comes of it comes as a frame.
   *
   * @param mode 0 for an answer read whole (ANSWER or ERROR), 1 for a streamed one (HEAD or ERROR, then by `pull`), 2 for a download, which
   * is a streamed one that goes on where it breaks.
   */
  start(
    call: number,
    method: string,
    path: string,
    mode: number,
    options: string | undefined,
    body: string | Uint8Array | undefined,
  ): void;
  /** Begins a list; its pages come by `nextPage`. */
  pages(list: number, path: string, options: string | undefined, style: string): void;
  /** Begins a stream of server-sent events, with a style of `{lastEventId, idleTimeoutMs}`; they come by `nextEvents`. */
  events(
    list: number,
    method: string,
    path: string,
    options: string | undefined,
    body: string | Uint8Array | undefined,
    style: string,
  ): void;
  /** Begins a stream of JSON lines, with a style of `{idleTimeoutMs, maxLineBytes}`; their values come by `nextEvents`. */
  jsonLines(
    list: number,
    method: string,
    path: string,
    options: string | undefined,
    body: string | Uint8Array | undefined,
    style: string,
  ): void;
  /** Downloads into a file: CHUNK with `{length, resumedFrom, elapsedMs, headers, attempts}`, or ERROR. Left out where there are no files. */
  downloadTo?(call: number, path: string, file: string, options: string | undefined): void;
  /** Uploads, with a style of `{chunkSize, resume, assumeResumable, progress, file, stream}`: ANSWER or ERROR. */
  upload(
    call: number,
    method: string,
    path: string,
    options: string | undefined,
    body: string | Uint8Array | undefined,
    style: string,
  ): void;
  /** Begins a login with `{kind, credential, redirectUri, timeoutMs}`: CHUNK with what the user is to be shown, or ERROR. */
  beginLogin(call: number, login: number, options: string): void;
  /** Ends a login: CHUNK with what is told of the tokens, or ERROR. */
  endLogin(call: number, login: number, redirect: string | undefined): void;
  /** Forgets a login. */
  dropLogin(login: number): void;
  /** Revokes and forgets the tokens of a credential: END or ERROR. */
  logOut(call: number, credential: string | undefined): void;
  baseUrl(): string;
  /** `ClientState` as JSON. */
  state(): string;
  /** What would be done with what is supposed (`decision` is among its members), or the error as JSON. */
  explain(supposed: string): string;
  clearCache(): void;
  close(): void;
}

let provider: (() => Native) | undefined;
let loaded: Native | undefined;

/** Says where the native half comes from. An entry module calls it once; `load` runs with the first client or webhook. */
export function provide(load: () => Native): void {
  provider = load;
  loaded = undefined;
  provideWebhooks(native);
}

/** The native half, loaded now if it was not yet. */
export function native(): Native {
  if (loaded === undefined) {
    if (provider === undefined) {
      throw new Error(
        "gatewright was loaded without its native half: import the package by its name, not by a file inside of it",
      );
    }
    loaded = provider();
  }
  return loaded;
}
