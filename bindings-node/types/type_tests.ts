/** What TypeScript lets a program write, and what it does not. Checked by `tsc`, never run and never packed. */

import type { IncomingHttpHeaders } from "node:http";
import {
  type Attempt,
  Client,
  type ClientOptions,
  type ClientState,
  Download,
  type Downloaded,
  type ErrorCode,
  type GatewrightError,
  type OAuthTokens,
  type ObservedCall,
  type Page,
  RateLimitedError,
  Response,
  StreamResponse,
  type Token,
  type TraceContext,
  type Uploaded,
  type UploadPosition,
} from "./index.js";
import { type Verified, Webhook, type WebhookError, WebhookVerificationError } from "./webhooks.js";

interface Contact {
  readonly id: string;
  readonly name: string;
}

declare const unknownValue: unknown;
declare const incoming: IncomingHttpHeaders;

/** Two types that are one. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const yes = <_ extends true>(): void => {};

export async function whatIsRight(): Promise<void> {
  const options: ClientOptions = {
    auth: async (): Promise<Token> => ({ token: "t", expiresInMs: 5 }),
    headers: new Headers({ a: "b" }),
    timeout: null,
    retry: { maxAttempts: 5 },
    hooks: {
      beforeAttempt(attempt) {
        attempt.headers.set("x", String(attempt.number));
      },
      async afterAttempt({ status }) {
        yes<Same<typeof status, number | null>>();
      },
    },
    // Of Node's package alone.
    connectTimeout: 5,
    proxy: false,
    caCertificates: Buffer.from(""),
    pins: ["sha256/AAAA"],
    pacing: { maxQueue: 5 },
    minThroughput: { bytesPerSecond: 5, grace: 5 },
    // What a propagator of traces fills in.
    traceContext: () => ({}) as { traceparent?: string },
    observer: {
      callStarted(call) {
        yes<Same<typeof call, ObservedCall>>();
      },
      attemptStarted({ call, number }) {
        return call === null ? undefined : { traceparent: String(number) };
      },
      attemptEnded({ status, tookMs }) {
        yes<Same<typeof status, number | null>>();
        yes<Same<typeof tookMs, number>>();
      },
      callEnded(_call, { attempts }) {
        yes<Same<typeof attempts, readonly Attempt[]>>();
      },
    },
  };
  const looksOn: ClientOptions = { observer: { attemptStarted() {} } };
  void looksOn;
  const client = new Client(new URL("https://api.example.com"), options);
  for (const auth of [
    "key",
    { bearer: "b" },
    { basic: ["u", "p"] },
    { apiKey: "k" },
    { apiKey: "k", query: "q" },
  ] as const) {
    new Client("https://h", { auth });
  }
  for (const headers of [
    { a: "b", c: 5, d: ["e"], f: undefined },
    new Map([["a", "b"]]),
    [["a", "b"] as const],
    incoming,
  ]) {
    await client.get("/", { headers });
  }
  for (const query of [{ a: 1, b: [true, null], c: 5n }, new URLSearchParams(), new Map([["a", "b"]])]) {
    await client.get("/", { query });
  }
  const stream = new ReadableStream<Uint8Array>();
  const form = new FormData();
  for (const body of [
    "text",
    new Uint8Array(),
    Buffer.from(""),
    new ArrayBuffer(1),
    new URLSearchParams(),
    form,
    new Blob(),
    stream,
    () => stream,
    null,
  ]) {
    await client.post("/", { body, signal: AbortSignal.timeout(5) });
  }
  const response = await client.get("/", { timeout: null, throwOnError: false });
  yes<Same<typeof response, Response>>();
  const loose = await response.json();
  yes<Same<typeof loose, unknown>>();
  const contact = await response.json<Contact>();
  yes<Same<typeof contact, Contact>>();
  const blob: Blob = await response.blob();
  const fetched = new globalThis.Response(response.body);
  const attempts: readonly Attempt[] = response.attempts;
  for await (const chunk of response) {
    yes<Same<typeof chunk, Uint8Array>>();
  }
  const streamed = await client.stream("GET", "/");
  yes<Same<typeof streamed, StreamResponse>>();
  for await (const chunk of streamed) {
    const bytes: Uint8Array = chunk;
    void bytes;
  }
  for await (const page of client.pages<Contact>("/", { items: "data" })) {
    yes<Same<typeof page, Page<Contact>>>();
  }
  for await (const item of client.items("/")) {
    yes<Same<typeof item, unknown>>();
  }
  const download = await client.download("/", { minThroughput: null });
  yes<Same<typeof download, Download>>();
  const streamOfBytes: ReadableStream<Uint8Array> = download.body;
  const total: number | null = download.total;
  const downloadedBlob: Blob = await download.blob();
  const downloaded: Downloaded = await client.downloadTo("/", new URL("file:///report.csv"));
  const trace: TraceContext = { traceparent: "" };
  for (const source of ["text", new Uint8Array(), new Blob(), stream, () => stream, { file: "report.csv" }] as const) {
    const uploaded: Uploaded = await client.upload("/", source, {
      method: "PUT",
      chunkSize: 5,
      traceContext: trace,
      onProgress: (position) => yes<Same<typeof position, UploadPosition>>(),
    });
    void uploaded;
  }
  const login = await client.oauth("ada").authorization("https://app.example/callback");
  const tokens: OAuthTokens = await login.finish(new URL(login.url), { signal: AbortSignal.timeout(5) });
  await (await client.oauth().loopback({ timeout: 5 })).wait();
  const device = await client.oauth().device();
  const code: string = device.userCode;
  const stored = new Map<string, string>();
  new Client("https://h", {
    auth: {
      oauth: {
        clientId: "c",
        tokenStore: {
          load: () => stored.get("tokens"),
          save: async (text) => void stored.set("tokens", text),
          clear: () => void stored.delete("tokens"),
        },
      },
    },
  });
  void [streamOfBytes, total, downloadedBlob, downloaded, tokens, code];
  const state: ClientState = client.state();
  const left: number = state.budgetLeft;
  if (unknownValue instanceof RateLimitedError) {
    yes<Same<typeof unknownValue.retryAfterMs, number | null>>();
    yes<Same<typeof unknownValue.code, ErrorCode>>();
    const cause: unknown = unknownValue.cause;
    const error: GatewrightError & Error = unknownValue;
    yes<Same<typeof unknownValue.upload, UploadPosition | null>>();
    void [cause, error];
  }
  if (unknownValue instanceof Response || unknownValue instanceof StreamResponse || unknownValue instanceof Download) {
    yes<Same<typeof unknownValue.status, number>>();
  }
  const webhook = new Webhook(["whsec_a", "whsec_b"], { tolerance: 5 });
  const verified: Verified = webhook.verify(Buffer.from(""), incoming, { now: new Date() });
  const event = verified.json<{ type: string }>();
  yes<Same<typeof event, { type: string }>>();
  const failed: WebhookError = new WebhookVerificationError("");
  void [blob, fetched, attempts, left, failed];
}

export async function whatIsWrong(): Promise<void> {
  // @ts-expect-error there is no such option
  new Client("https://h", { timout: 5 });
  // @ts-expect-error a time is a number
  new Client("https://h", { timeout: "5s" });
  // @ts-expect-error a key goes to one place
  new Client("https://h", { auth: { apiKey: "k", header: "a", query: "b" } } satisfies {
    auth: { apiKey: string; header: string };
  });
  // @ts-expect-error user and password
  new Client("https://h", { auth: { basic: ["user"] } });
  // @ts-expect-error a base URL is needed
  new Client();
  const client = new Client("https://h");
  // @ts-expect-error a path is a string
  await client.get(5);
  // @ts-expect-error GET has no body
  await client.get("/", { json: {} });
  // @ts-expect-error a list has no body either
  client.pages("/", { json: {} });
  // @ts-expect-error nor a key
  client.items("/", { idempotencyKey: "k" });
  // @ts-expect-error an object is no body
  await client.post("/", { body: { a: 1 } });
  // @ts-expect-error an object is no value of a query
  await client.get("/", { query: { a: {} } });
  // @ts-expect-error null is no value of a header
  await client.get("/", { headers: { a: null } });
  // @ts-expect-error a controller is no signal
  await client.get("/", { signal: new AbortController() });
  // @ts-expect-error a download is no answer of the cache's
  await client.download("/", { cache: "reload" });
  // @ts-expect-error an upload has a source
  await client.upload("/");
  // @ts-expect-error an object is no source, unless it names a file
  await client.upload("/", { path: "report.csv" });
  // @ts-expect-error a trace has a parent
  await client.get("/", { traceContext: { tracestate: "a=b" } });
  // @ts-expect-error a store saves
  new Client("https://h", { auth: { oauth: { clientId: "c", tokenStore: { load: () => null } } } });
  const response = await client.get("/");
  // @ts-expect-error it is unknown what it is
  (await response.json()).name;
  // @ts-expect-error an answer does not change
  response.status = 5;
  // @ts-expect-error a whole answer has nothing to cancel
  response.cancel();
  // @ts-expect-error answers come from clients
  new Response();
  const webhook = new Webhook("whsec_a");
  // @ts-expect-error a parsed body is not what was signed
  webhook.verify({ type: "ping" }, incoming);
  // @ts-expect-error a message has an id
  webhook.sign("", { messageID: "msg_1" });
  // @ts-expect-error there is no such code
  const code: ErrorCode = "nonsense";
  void code;
}
