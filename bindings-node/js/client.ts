/** The client: begins calls, and says what came of them. */

import type {
  BodyOptions,
  ClientOptions,
  ClientState,
  EventOptions,
  Explanation,
  LineOptions,
  Page,
  PageOptions,
  RequestOptions,
  Supposed,
} from "../types/shared.js";
import type { Begun } from "./batches.ts";
import type { Callbacks } from "./callbacks.ts";
import { HEAD, isWaiting, nextNumber, port, refuse, WHOLE, wait } from "./calls.ts";
import { errorFromJson, invalidConfig, invalidRequest } from "./errors.ts";
import type { Head } from "./frames.ts";
import { Incoming } from "./incoming.ts";
import { INSPECT, type Inspect, shown } from "./inspect.ts";
import { JsonLines } from "./json_lines.ts";
import type { NativeClient } from "./native.ts";
import {
  eventsJson,
  linesJson,
  listJson,
  type OptionKind,
  optionsJson,
  settingsJson,
  supposedJson,
} from "./options.ts";
import { itemsOfAll, Pages } from "./pages.ts";
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
    const call = nextNumber();
    const signal = signalIn(options);
    const { status, meta } = await this.#begin<Head>(call, HEAD, method, path, options, "body", signal);
    return new StreamResponse(
      status,
      meta,
      new Incoming(call, this.#callbacks, signal === undefined ? undefined : watchOf(signal)),
    );
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

  #call(method: string, path: string, options: BodyOptions | undefined, kind: OptionKind): Promise<Response> {
    if (options === undefined && typeof path === "string" && typeof method === "string") {
      const call = nextNumber();
      const response = wait<Response>(call, WHOLE, this.#callbacks, undefined);
      this.#native.start(call, method, path, 0, undefined, undefined);
      return response;
    }
    try {
      return this.#begin(nextNumber(), WHOLE, method, path, options, kind, signalIn(options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Begins a call with options. Throws, or is rejected with, what is wrong about them; then nothing is sent. */
  #begin<T>(
    call: number,
    kind: typeof WHOLE | typeof HEAD,
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
      return this.#start(call, kind, method, path, json, body, watch);
    }
    // Wrong options are told before the body is read.
    optionsJson(options, optionKind, undefined);
    const answer = wait<T>(call, kind, this.#callbacks, watch);
    body.then(
      (ready) => {
        if (isWaiting(call)) {
          this.#send(call, kind, method, path, optionsJson(options, optionKind, ready), ready);
        }
      },
      (error) => refuse(call, invalidRequest(`\`body\` could not be read: ${String(error)}`, { cause: error })),
    );
    return answer;
  }

  #start<T>(
    call: number,
    kind: typeof WHOLE | typeof HEAD,
    method: string,
    path: string,
    json: string | undefined,
    body: RequestBody | undefined,
    watch: Watch | undefined,
  ): Promise<T> {
    const answer = wait<T>(call, kind, this.#callbacks, watch);
    this.#send(call, kind, method, path, json, body);
    return answer;
  }

  #send(
    call: number,
    kind: number,
    method: string,
    path: string,
    json: string | undefined,
    body: RequestBody | undefined,
  ): void {
    if (body?.source !== undefined) {
      keepUpload(call, body.source);
    }
    this.#native.start(call, method, path, kind === HEAD ? 1 : 0, json, body?.content);
  }

  #beginEvents(path: string, options: EventOptions | undefined): Begun | Promise<Begun> {
    return this.#beginStream(path, options, (list, method, body) => {
      const { json, style } = eventsJson(options, body);
      this.#native.events(list, method, path, json, body?.content, style);
    });
  }

  #beginLines(path: string, options: LineOptions | undefined): Begun | Promise<Begun> {
    return this.#beginStream(path, options, (list, method, body) => {
      const { json, style } = linesJson(options, body);
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
      const { json, style, items } = listJson(options);
      const signal = signalIn(options);
      const list = nextNumber();
      this.#native.pages(list, path, json, style);
      return { list, items, keep: this.#callbacks, signal };
    }, watchOf);
  }
}

function noCause(): undefined {}

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
