/** The native half of this package: one instance of the WebAssembly module for each JavaScript thread. */

import * as glue from "gatewright:glue";
import type { Native, NativeClient } from "../../bindings-node/js/native.ts";
import { asciiHost, asciiOrigins } from "./ascii_host.ts";

/** Makes an instance of the module. */
export function instanceOf(module: WebAssembly.Module): Native {
  glue.initSync({ module });
  return {
    version: glue.version,
    errorCodes: glue.errorCodes,
    connect,
    openClient,
    cancel: glue.cancel,
    pull: glue.pull,
    nextPage: glue.nextPage,
    nextEvents: glue.nextEvents,
    dropPages: glue.dropPages,
    answer: glue.answer,
    fail: glue.fail,
    answerError: glue.answerError,
    timeline: glue.timeline,
    openReplayGuard: glue.openReplayGuard,
    openWebhook: glue.openWebhook,
    replayKey: glue.replayKey,
    generateSecret: glue.generateSecret,
  };
}

/** What is thrown while a batch is read must not go back into the module. */
function connect(deliver: Parameters<Native["connect"]>[0]): void {
  glue.connect((batch, large) => {
    try {
      deliver(batch, large);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  });
}

function openClient(baseUrl: string, settings: string): NativeClient | string {
  const client = glue.openClient(asciiHost(baseUrl), asciiOrigins(settings));
  return typeof client === "string" ? client : new AsciiClient(client);
}

/** A client that takes URLs with any letters. */
class AsciiClient implements NativeClient {
  readonly #client: NativeClient;

  constructor(client: NativeClient) {
    this.#client = client;
  }

  start(
    call: number,
    method: string,
    path: string,
    mode: number,
    options: string | undefined,
    body: string | Uint8Array | undefined,
  ): void {
    this.#client.start(call, method, asciiHost(path), mode, options, body);
  }

  pages(list: number, path: string, options: string | undefined, style: string): void {
    this.#client.pages(list, asciiHost(path), options, style);
  }

  events(
    list: number,
    method: string,
    path: string,
    options: string | undefined,
    body: string | Uint8Array | undefined,
    style: string,
  ): void {
    this.#client.events(list, method, asciiHost(path), options, body, style);
  }

  jsonLines(
    list: number,
    method: string,
    path: string,
    options: string | undefined,
    body: string | Uint8Array | undefined,
    style: string,
  ): void {
    this.#client.jsonLines(list, method, asciiHost(path), options, body, style);
  }

  upload(
    call: number,
    method: string,
    path: string,
    options: string | undefined,
    body: string | Uint8Array | undefined,
    style: string,
  ): void {
    this.#client.upload(call, method, asciiHost(path), options, body, style);
  }

  beginLogin(call: number, login: number, options: string): void {
    this.#client.beginLogin(call, login, options);
  }

  endLogin(call: number, login: number, redirect: string | undefined): void {
    this.#client.endLogin(call, login, redirect);
  }

  dropLogin(login: number): void {
    this.#client.dropLogin(login);
  }

  logOut(call: number, credential: string | undefined): void {
    this.#client.logOut(call, credential);
  }

  baseUrl(): string {
    return this.#client.baseUrl();
  }

  state(): string {
    return this.#client.state();
  }

  explain(supposed: string): string {
    return this.#client.explain(supposed);
  }

  clearCache(): void {
    this.#client.clearCache();
  }

  close(): void {
    this.#client.close();
  }
}
