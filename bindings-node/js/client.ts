/** The client: begins calls, and says what came of them. */

import type {
  BodyOptions,
  ClientOptions,
  ClientState,
  Downloaded,
  DownloadOptions,
  EventOptions,
  Explanation,
  LineOptions,
  Page,
  PageOptions,
  RequestOptions,
  Supposed,
  Uploaded,
  UploadInput,
  UploadOptions,
} from "../types/shared.js";
import { Answer } from "./answer.ts";
import type { Begun } from "./batches.ts";
import type { Callbacks } from "./callbacks.ts";
import { HEAD, isWaiting, nextNumber, port, refuse, told, WHOLE, wait } from "./calls.ts";
import { Download, type DownloadedJson, downloaded } from "./download.ts";
import { errorFromJson, invalidConfig, invalidRequest } from "./errors.ts";
import type { Head } from "./frames.ts";
import { Incoming } from "./incoming.ts";
import { INSPECT, type Inspect, shown } from "./inspect.ts";
import { JsonLines } from "./json_lines.ts";
import type { NativeClient } from "./native.ts";
import { OAuthFlow } from "./oauth.ts";
import { observed } from "./observer.ts";
import {
  eventsJson,
  linesJson,
  listJson,
  type OptionKind,
  optionsJson,
  settingsJson,
  supposedJson,
  type TraceSource,
  uploadJson,
  withTrace,
} from "./options.ts";
import { itemsOfAll, Pages } from "./pages.ts";
import { keepProgress } from "./progress.ts";
import { jsonBody, type RequestBody, requestBody } from "./request_body.ts";
import type { Response } from "./response.ts";
import { ServerEvents } from "./server_events.ts";
import { signalOf, type Watch, watchOf } from "./signals.ts";
import { StreamResponse } from "./stream_response.ts";
import { kindOf } from "./text.ts";
import { keepUpload } from "./uploads.ts";

export class Client {
  readonly #native: NativeClient;
  readonly #callbacks: Callbacks | undefined;
  readonly #trace: TraceSource | undefined;

  constructor(baseUrl: string | URL, options?: ClientOptions) {
    if (typeof baseUrl !== "string" && !(baseUrl instanceof URL)) {
      throw invalidConfig(`the base URL must be a string or a URL, not ${kindOf(baseUrl)}`);
    }
    const { json, callbacks } = settingsJson(options);
    const client = port().openClient(String(baseUrl), json);
    if (typeof client === "string") {
      throw errorFromJson(client, noCause);
    }
    this.#native = client;
    this.#callbacks = callbacks;
    this.#trace = (options as { traceContext?: TraceSource } | undefined)?.traceContext;
  }

  get(path: string, options?: RequestOptions): Promise<Response> {
    return this.#call("GET", path, options, "request");
  }

  head(path: string, options?: RequestOptions): Promise<Response> {
    return this.#call("HEAD", path, options, "request");
  }

  options(path: string, options?: RequestOptions): Promise<Response> {
    return this.#call("OPTIONS", path, options, "request");
  }

  post(path: string, options?: BodyOptions): Promise<Response> {
    return this.#call("POST", path, options, "body");
  }

  put(path: string, options?: BodyOptions): Promise<Response> {
    return this.#call("PUT", path, options, "body");
  }

  patch(path: string, options?: BodyOptions): Promise<Response> {
    return this.#call("PATCH", path, options, "body");
  }

  delete(path: string, options?: BodyOptions): Promise<Response> {
    return this.#call("DELETE", path, options, "body");
  }

  request(method: string, path: string, options?: BodyOptions): Promise<Response> {
    return this.#call(method, path, options, "body");
  }

  async stream(method: string, path: string, options?: BodyOptions): Promise<StreamResponse> {
    const { head, incoming } = await this.#head(STREAM, method, path, options, "body");
    return new StreamResponse(head.status, head.meta, incoming);
  }

  async download(path: string, options?: DownloadOptions): Promise<Download> {
    const { head, incoming } = await this.#head(DOWNLOAD, "GET", path, options, "download");
    return new Download(head.status, head.meta, incoming);
  }

  async downloadTo(path: string, file: string | URL, options?: DownloadOptions): Promise<Downloaded> {
    checkStart("GET", path, options);
    const native = this.#native;
    if (native.downloadTo === undefined) {
      throw invalidRequest("`downloadTo` needs files, which there are not here; `download` gives the bytes");
    }
    const json = optionsJson(withTrace(options, this.#trace), "download", undefined);
    const signal = signalIn(options);
    const watch = signal === undefined ? undefined : watchOf(signal);
    const name = fileName(file);
    const done = await told<DownloadedJson>(this.#callbacks, watch, (call) =>
      native.downloadTo?.(call, path, name, json),
    );
    return downloaded(done as DownloadedJson);
  }

  async upload(
    path: string,
    source: UploadInput | { readonly file: string | URL },
    options?: UploadOptions,
  ): Promise<Uploaded> {
    const call = nextNumber();
    const begin = () => this.#upload(call, path, source, options);
    const observer = this.#callbacks?.observer;
    const response = await (observer === undefined
      ? begin()
      : observed(observer, call, options?.method ?? "POST", path, options, begin));
    const { resumable, answerLost } = Answer.facts(response);
    return { response, resumable: resumable === true, answerLost: answerLost === true };
  }

  pages<T = unknown>(path: string, options?: PageOptions): AsyncIterableIterator<Page<T>> {
    return this.#pages<T>(path, options);
  }

  items<T = unknown>(path: string, options?: PageOptions): AsyncIterableIterator<T> {
    return itemsOfAll(this.#pages<T>(path, options));
  }

  events(path: string, options?: EventOptions): ServerEvents {
    const { lastEventId } = options ?? {};
    return new ServerEvents(() => this.#beginEvents(path, options), typeof lastEventId === "string" ? lastEventId : "");
  }

  jsonLines<T = unknown>(path: string, options?: LineOptions): JsonLines<T> {
    return new JsonLines<T>(() => this.#beginLines(path, options));
  }

  oauth(credential?: string): OAuthFlow {
    return new OAuthFlow(this.#native, this.#callbacks, credential);
  }

  get baseUrl(): string {
    return this.#native.baseUrl();
  }

  state(): ClientState {
    return JSON.parse(this.#native.state()) as ClientState;
  }

  explain(supposed: Supposed): Explanation {
    const told = this.#native.explain(supposedJson(supposed));
    const explained = JSON.parse(told) as Explanation;
    if (explained.decision === undefined) {
      throw errorFromJson(told, noCause);
    }
    return explained;
  }

  clearCache(): void {
    this.#native.clearCache();
  }

  close(): void {
    this.#native.close();
  }

  /** Nothing but the URL: settings have secrets. */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    return shown("Client", { baseUrl: this.baseUrl }, depth, options, inspect);
  }

  /** Whether calls without options need nothing of this layer. */
  get #plain(): boolean {
    return this.#trace === undefined && this.#callbacks?.observer === undefined;
  }

  #call(method: string, path: string, options: BodyOptions | undefined, kind: OptionKind): Promise<Response> {
    if (options === undefined && this.#plain && typeof path === "string" && typeof method === "string") {
      const call = nextNumber();
      const response = wait<Response>(call, WHOLE, this.#callbacks, undefined);
      this.#native.start(call, method, path, 0, undefined, undefined);
      return response;
    }
    try {
      return this.#begin(nextNumber(), WHOLE, 0, method, path, options, kind, signalIn(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A call whose answer's body comes in as it is read. */
  async #head(
    mode: number,
    method: string,
    path: string,
    options: BodyOptions | undefined,
    optionKind: OptionKind,
  ): Promise<{ head: Head; incoming: Incoming }> {
    const call = nextNumber();
    const signal = signalIn(options);
    const head = await this.#begin<Head>(call, HEAD, mode, method, path, options, optionKind, signal);
    const incoming = new Incoming(call, this.#callbacks, signal === undefined ? undefined : watchOf(signal));
    return { head, incoming };
  }

  async #upload(call: number, path: string, source: unknown, options: UploadOptions | undefined): Promise<Response> {
    const method = options?.method ?? "POST";
    checkStart(method, path, options);
    const signal = signalIn(options);
    if (signal?.aborted) {
      throw signal.reason;
    }
    const file = (source as { file?: string | URL } | null)?.file;
    const own = withTrace(options, this.#trace);
    // Wrong options are told before the source is read.
    uploadJson(own, undefined, undefined);
    const body = file === undefined ? await requestBody(source) : undefined;
    if (signal?.aborted) {
      throw signal.reason;
    }
    const { json, style } = uploadJson(own, body, file === undefined ? undefined : fileName(file));
    const answer = wait<Response>(call, WHOLE, this.#callbacks, signal === undefined ? undefined : watchOf(signal));
    if (body?.source !== undefined) {
      keepUpload(call, body.source);
    }
    if (options?.onProgress !== undefined) {
      keepProgress(call, options.onProgress);
    }
    this.#native.upload(call, method, path, json, body?.content, style);
    return answer;
  }

  /** Begins a call with options, and tells the observer of it, where there is one. */
  #begin<T extends Answer | Head>(
    call: number,
    kind: typeof WHOLE | typeof HEAD,
    mode: number,
    method: string,
    path: string,
    options: BodyOptions | undefined,
    optionKind: OptionKind,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const observer = this.#callbacks?.observer;
    const begin = () => {
      const own = withTrace(options, this.#trace);
      return this.#beginCall<T>(call, kind, mode, method, path, own, optionKind, signal);
    };
    return observer === undefined ? begin() : observed(observer, call, method, path, options, begin);
  }

  /** Begins a call with options. Throws, or is rejected with, what is wrong about them; then nothing is sent. */
  #beginCall<T>(
    call: number,
    kind: typeof WHOLE | typeof HEAD,
    mode: number,
    method: string,
    path: string,
    options: BodyOptions | undefined,
    optionKind: OptionKind,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    checkStart(method, path, options);
    if (signal?.aborted) {
      // Before anything is read or made: an upload that is not to be is left alone.
      return Promise.reject(signal.reason);
    }
    const watch = signal === undefined ? undefined : watchOf(signal);
    const body = optionKind === "body" ? bodyIn(options) : undefined;
    if (!(body instanceof Promise)) {
      const json = optionsJson(options, optionKind, body);
      return this.#start(call, kind, mode, method, path, json, body, watch);
    }
    // Wrong options are told before the body is read.
    optionsJson(options, optionKind, undefined);
    const answer = wait<T>(call, kind, this.#callbacks, watch);
    body.then(
      (ready) => {
        if (isWaiting(call)) {
          this.#send(call, mode, method, path, optionsJson(options, optionKind, ready), ready);
        }
      },
      (error) => refuse(call, invalidRequest(`\`body\` could not be read: ${String(error)}`, { cause: error })),
    );
    return answer;
  }

  #start<T>(
    call: number,
    kind: typeof WHOLE | typeof HEAD,
    mode: number,
    method: string,
    path: string,
    json: string | undefined,
    body: RequestBody | undefined,
    watch: Watch | undefined,
  ): Promise<T> {
    const answer = wait<T>(call, kind, this.#callbacks, watch);
    this.#send(call, mode, method, path, json, body);
    return answer;
  }

  #send(
    call: number,
    mode: number,
    method: string,
    path: string,
    json: string | undefined,
    body: RequestBody | undefined,
  ): void {
    if (body?.source !== undefined) {
      keepUpload(call, body.source);
    }
    this.#native.start(call, method, path, mode, json, body?.content);
  }

  #beginEvents(path: string, options: EventOptions | undefined): Begun | Promise<Begun> {
    return this.#beginStream(path, options, (list, method, body) => {
      const { json, style } = eventsJson(withTrace(options, this.#trace), body);
      this.#native.events(list, method, path, json, body?.content, style);
    });
  }

  #beginLines(path: string, options: LineOptions | undefined): Begun | Promise<Begun> {
    return this.#beginStream(path, options, (list, method, body) => {
      const { json, style } = linesJson(withTrace(options, this.#trace), body);
      this.#native.jsonLines(list, method, path, json, body?.content, style);
    });
  }

  #beginStream(
    path: string,
    options: EventOptions | LineOptions | undefined,
    send: (list: number, method: string, body: RequestBody | undefined) => void,
  ): Begun | Promise<Begun> {
    const method = options?.method ?? "GET";
    checkStart(method, path, options);
    const signal = signalIn(options);
    const begin = (body: RequestBody | undefined): Begun => {
      if (body?.source !== undefined) {
        throw invalidRequest("`body` is a stream, which this cannot send; give text, bytes or `json`");
      }
      const list = nextNumber();
      send(list, method, body);
      return { list, keep: this.#callbacks, watch: signal === undefined ? undefined : watchOf(signal) };
    };
    const body = bodyIn(options);
    return body instanceof Promise ? body.then(begin) : begin(body);
  }

  #pages<T>(path: string, options: PageOptions | undefined): Pages<T> {
    return new Pages<T>(() => {
      checkStart("GET", path, options);
      const { json, style, items } = listJson(withTrace(options, this.#trace));
      const signal = signalIn(options);
      const list = nextNumber();
      this.#native.pages(list, path, json, style);
      return { list, items, keep: this.#callbacks, signal };
    }, watchOf);
  }
}

/** Modes of `start`, beside 0 for answers that are read whole. */
const STREAM = 1;
const DOWNLOAD = 2;

function noCause(): undefined {}

/** The path of a file. A URL's is decoded; only files are on this machine. */
function fileName(file: unknown): string {
  if (typeof file === "string") {
    return file;
  }
  if (file instanceof URL && file.protocol === "file:") {
    const path = decodeURIComponent(file.pathname);
    return /^\/[a-z]:\//i.test(path) ? path.slice(1) : path;
  }
  throw invalidRequest(`a file must be a path or a file: URL, not ${kindOf(file)}`);
}

function checkStart(method: unknown, path: unknown, options: unknown): void {
  if (typeof method !== "string") {
    throw invalidRequest(`the method must be a string, not ${kindOf(method)}`);
  }
  if (typeof path !== "string") {
    throw invalidRequest(`the path must be a string, not ${kindOf(path)}`);
  }
  if (options !== undefined && (typeof options !== "object" || options === null)) {
    throw invalidRequest(`the options must be an object, not ${kindOf(options)}`);
  }
}

function signalIn(options: { readonly signal?: AbortSignal | null } | null | undefined): AbortSignal | undefined {
  const signal = options?.signal;
  return signal === undefined || signal === null ? undefined : signalOf(signal);
}

function bodyIn(options: BodyOptions | undefined): RequestBody | Promise<RequestBody> | undefined {
  if (options === undefined) {
    return undefined;
  }
  const { json, body } = options;
  const hasBody = body !== undefined && body !== null;
  if (json !== undefined) {
    if (hasBody) {
      throw invalidRequest("`json` and `body` are both given; a request has one body");
    }
    return jsonBody(json);
  }
  return hasBody ? requestBody(body) : undefined;
}
