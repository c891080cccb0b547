/**
 * The public types of `gatewright` (Node) and `gatewright-web` (browsers, workers, edge), kept by hand and shared by both:
 * what uses only these compiles against either.
 *
 * Durations are milliseconds. The globals used here (`Headers`, `ReadableStream`, `Blob`, `FormData`, `AbortSignal`) come from
 * TypeScript's `dom` library or from `@types/node`.
 */

/** Any JSON value. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** Headers as anybody may have them: Fetch `Headers`, Node's `IncomingHttpHeaders`, a plain object, pairs. */
export type HeadersInput =
  | Iterable<readonly [string, string]>
  | { readonly [name: string]: string | number | readonly string[] | undefined };

/** Parameters of a query. `undefined` and `null` are left out, lists repeat the name. */
export type QueryInput =
  | Iterable<readonly [string, string]>
  | { readonly [name: string]: QueryValue | readonly QueryValue[] };

/** A parameter's value. */
export type QueryValue = string | number | bigint | boolean | null | undefined;

/** A stream of bytes. */
export type ByteStream = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>;

/**
 * A request's body. Text, bytes, `URLSearchParams`, `FormData` and `Blob` can be sent again by a retry. A stream is sent once: when
 * sending has begun, the request is not retried. A function that makes a stream is called for every attempt.
 */
export type BodyInput =
  | string
  | Uint8Array
  | ArrayBuffer
  | DataView
  | URLSearchParams
  | FormData
  | Blob
  | ByteStream
  | (() => ByteStream);

/** A token and how long it is good. */
export interface Token {
  readonly token: string;
  /** It is renewed before that. Default: it does not expire. */
  readonly expiresInMs?: number;
}

/** Gives tokens: called before the first request, ahead of expiry, and once more after a 401; one call at a time. */
export type TokenCallback = () => string | Token | Promise<string | Token>;

/** Tokens by OAuth 2: fetched before the first request, renewed ahead of their expiry, and once more after a 401. */
export interface OAuthOptions {
  readonly clientId: string;
  /** The server's issuer: its endpoints are read from its metadata (RFC 8414). This or `tokenUrl` is needed. */
  readonly issuer?: string | URL;
  /** The token endpoint. */
  readonly tokenUrl?: string | URL;
  /** Default: `clientCredentials` with a secret or key and neither `refreshToken` nor `tokenFile`, else `login`: tokens come from these. */
  readonly grant?: "clientCredentials" | "login";
  readonly clientSecret?: string;
  /** How the client proves who it is. Default: `basic` with a secret, `privateKeyJwt` with a key, else `none`. */
  readonly clientAuth?: "basic" | "post" | "none" | "privateKeyJwt";
  /** A private key in PEM. */
  readonly clientKey?: string;
  readonly clientKeyId?: string;
  readonly scopes?: readonly string[];
  readonly audience?: string;
  /** Resources for which the token is to be (RFC 8707). */
  readonly resources?: readonly string[];
  /** The page where a user logs in. Default: what the issuer's metadata say. */
  readonly authorizationUrl?: string | URL;
  /** Where a device asks for its code (RFC 8628). Default: what the metadata say. */
  readonly deviceAuthorizationUrl?: string | URL;
  /** Where tokens are revoked (RFC 7009). Default: what the metadata say. */
  readonly revocationUrl?: string | URL;
  readonly refreshToken?: string;
  /** A store of your own, in place of memory. */
  readonly tokenStore?: TokenStore;
  /** A file that keeps the tokens, readable by its owner alone; processes share it. In the package `gatewright` alone. */
  readonly tokenFile?: string;
  /** Further parameters of requests for tokens. */
  readonly parameters?: { readonly [name: string]: string };
  /** Headers of requests for tokens. */
  readonly headers?: { readonly [name: string]: string };
  /** Allows a server that is reached by plain http. Default false: loopback alone. */
  readonly allowHttp?: boolean;
  /** How long getting a token may take, in milliseconds. Default 30000. */
  readonly timeout?: number;
  /** A private key in PEM, to which tokens are bound (DPoP, RFC 9449). */
  readonly dpopKey?: string;
}

/**
 * Keeps the tokens of a credential: a keychain, a database, a browser's storage. What it keeps is one text with secrets in it. What `load` or
 * `lock` throws is told in a `TokenError`; a store that cannot save leaves the tokens in memory.
 */
export interface TokenStore {
  /** What was saved last; nothing where nothing is stored. */
  load(): string | null | undefined | Promise<string | null | undefined>;
  save(tokens: string): void | Promise<void>;
  clear(): void | Promise<void>;
  /** Where several processes or pages share it: whether it is ours now; while it is not, it is asked again. */
  lock?(): boolean | Promise<boolean>;
  /** Gives the lock back. */
  unlock?(): void | Promise<void>;
}

/** A provider's own HMAC scheme. Templates have places such as `{method}`, see docs/auth.md. */
export interface HmacOptions {
  readonly keyId: string;
  readonly secret: string;
  /** Default `sha256`. */
  readonly algorithm?: "sha256" | "sha512";
  /** Default `base64`. */
  readonly encoding?: "base64" | "base64url" | "hex";
  /** The text that is signed. */
  readonly text?: string;
  /** The headers that carry the signature. */
  readonly headers?: { readonly [name: string]: string };
  /** What stands for a streamed body's digest. Without it such requests are refused. */
  readonly unsignedStreams?: string;
}

/** HTTP Message Signatures (RFC 9421), with `key` (PEM) or `secret` (base64, for `hmac-sha256`). */
export interface HttpSignatureOptions {
  readonly keyId: string;
  readonly key?: string;
  readonly secret?: string;
  /** What is covered. Default `@method`, `@target-uri`, `content-digest`. */
  readonly components?: readonly string[];
  /** Default `sig1`. */
  readonly label?: string;
  readonly tag?: string;
  /** How long a signature is good, in milliseconds. Default: it does not say. */
  readonly expires?: number;
  /** Default true. */
  readonly nonce?: boolean;
  /** Whether the algorithm is named. Default true. */
  readonly nameAlgorithm?: boolean;
  /** Default `sha256`. */
  readonly digest?: "sha256" | "sha512";
  /** Whether streamed bodies go without a digest. Default: such requests are refused. */
  readonly unsignedStreams?: boolean;
}

/** What signs requests, anew for each attempt. */
export type Signature = { readonly hmac: HmacOptions } | { readonly httpSignature: HttpSignatureOptions };

/** How requests prove who they are. A string is a bearer token; an API key goes into the header `X-API-Key`, unless it is said where. */
export type Auth = string | TokenCallback | Credential;

/** A credential that is no callback. `sign` puts a signature beside it. */
export type Credential =
  | { readonly bearer: string; readonly sign?: Signature }
  | { readonly basic: readonly [user: string, password: string]; readonly sign?: Signature }
  | { readonly apiKey: string; readonly header?: string; readonly sign?: Signature }
  | { readonly apiKey: string; readonly query: string; readonly sign?: Signature }
  | { readonly apiKey: string; readonly cookie: string; readonly sign?: Signature }
  | { readonly oauth: OAuthOptions; readonly sign?: Signature }
  | { readonly dpop: { readonly token: string; readonly key: string } }
  | Signature;

/** How calls are retried. */
export interface RetryOptions {
  /** Attempts in all, the first included. Default 3. */
  readonly maxAttempts?: number;
  /** Upper bound of the first wait; it doubles with each retry. Default 500. */
  readonly backoffBase?: number;
  /** Upper bound of every wait. Default 8000. */
  readonly backoffCap?: number;
  /** The longest `Retry-After` that is waited out; more is thrown at once, with the hint. Default 60000. */
  readonly maxRetryAfter?: number;
  /** Tokens of the retry budget: a retry costs 5, after a timeout 10; a success gives back. Default 500. */
  readonly budget?: number;
}

/** When a host that fails is left alone, and for how long. */
export interface BreakerOptions {
  /** The share of failures at which it opens, above 0 and at most 1. Default 0.5. */
  readonly failureRate?: number;
  /** Attempts within the window before that share counts. Default 20. */
  readonly minimumCalls?: number;
  /** How long an attempt is remembered. Default 30000. */
  readonly windowMs?: number;
  /**
   * How long nothing is sent before one attempt tries, within a tenth. Default: 1000 at first, twice as long after each try that
   * fails, at most 10000.
   */
  readonly openMs?: number;
}

/** When a second copy of a slow request is sent: after a time, or when it takes longer than 95 of 100 did. */
export type Hedge = { readonly afterMs: number } | "p95";

/** An attempt that is about to be sent. Credentials are put on afterwards. */
export interface AttemptRequest {
  /** 1 for the first. */
  readonly number: number;
  readonly method: string;
  /** The URL, without secrets. */
  readonly url: string;
  /** May be changed. An `authorization` set here wins over the client's credential. */
  readonly headers: Headers;
}

/** An attempt that is over. */
export interface AttemptResult {
  readonly number: number;
  readonly method: string;
  readonly url: string;
  /** The answer's status, where there was one. */
  readonly status: number | null;
  readonly headers: Headers | null;
  /** What went wrong, where there was no complete answer. */
  readonly error: string | null;
  readonly tookMs: number;
}

/** Called around each attempt. An error thrown here ends the call with a `HookError`. */
export interface Hooks {
  beforeAttempt?(attempt: AttemptRequest): void | Promise<void>;
  afterAttempt?(attempt: AttemptResult): void | Promise<void>;
}

/** A trace (W3C Trace Context). */
export interface TraceContext {
  /** `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`. */
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** What a propagator of traces fills in; without `traceparent` it is no trace. */
export interface TraceCarrier {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** The least speed of a body. Only time in which the other side was waited for counts. */
export interface MinThroughput {
  /** Default 1024. */
  readonly bytesPerSecond?: number;
  /** Over how long it is measured, in milliseconds. Default 20000. */
  readonly grace?: number;
}

/** How calls are held back. */
export interface PacingOptions {
  /** Calls that may wait at each host and credential; more are refused with a `RateLimitedError`. Default 10000. */
  readonly maxQueue?: number;
}

/** A call, as an observer is told of it: the same object for all that is told of one call. */
export interface ObservedCall {
  /** A number of its own. */
  readonly id: number;
  readonly method: string;
  /** As it was given, with whatever is in its query. */
  readonly path: string;
  readonly urlTemplate: string | null;
}

/** An attempt, as an observer is told of it. */
export interface ObservedAttempt {
  /** The call that it belongs to; `null` for those of lists, events and JSON lines, and for what the client asks for by itself. */
  readonly call: ObservedCall | null;
  /** 1 for the first. */
  readonly number: number;
  readonly method: string;
  /** Without secrets. */
  readonly url: string;
}

/** The outcome of an attempt. */
export interface ObservedResult extends ObservedAttempt {
  readonly status: number | null;
  /** What went wrong, where there was no complete answer. */
  readonly error: string | null;
  readonly tookMs: number;
}

/** The outcome of a call: of a streamed answer its head. */
export interface ObservedOutcome {
  readonly status: number | null;
  /** The error's code; `cancelled` where the caller's signal ended it; `null` where it worked. */
  readonly error: string | null;
  readonly attempts: readonly Attempt[];
  readonly elapsedMs: number;
}

/**
 * Looks on, for traces and metrics. Called on the thread of the call and, in Node, in its async context. What it throws changes no call: it is a
 * process warning in Node, and goes to `reportError` in browsers.
 */
export interface Observer {
  callStarted?(call: ObservedCall): void;
  /** What it gives goes along with the attempt, in place of the call's own trace context. */
  attemptStarted?(attempt: ObservedAttempt): TraceCarrier | null | undefined;
  attemptEnded?(attempt: ObservedResult): void;
  callEnded?(call: ObservedCall, outcome: ObservedOutcome): void;
}

/** The settings of a quota that processes share. Times in milliseconds. */
export interface RedisQuotaOptions {
  /** The name under which it is shared. Default: host and port of the base URL. */
  readonly name?: string;
  /** What the keys in Redis begin with. Default `gatewright`. */
  readonly prefix?: string;
  /** Whether it is a Redis Cluster. Default: where `url` is a list. */
  readonly cluster?: boolean;
  /** How far ahead permits are taken. Default 1000. */
  readonly ahead?: number;
  /** How late a permit that was taken ahead may be used; taken off the burst. Default 500. */
  readonly keep?: number;
  /** How long Redis may take to answer before it counts as away; to connect, four times as long. Default 250. */
  readonly timeout?: number;
  /** How often Redis is tried while it is away. Default 500. */
  readonly probe?: number;
  /** How many processes share the quota, where Redis was never reached. Default 8. */
  readonly assumedProcesses?: number;
  /** Calls that may wait for a permit; more are refused. Default 10000. */
  readonly maxQueue?: number;
  /** PEM certificates that are trusted in place of the system's, for `rediss://`. */
  readonly caCertificates?: string | Uint8Array;
}

/** A quota that processes share through Redis, see {@link redisQuota}. */
export class RedisQuota {
  private constructor(...unavailable: never);
  readonly quota: string;
  readonly name: string | undefined;
}

/**
 * A quota such as `600/min, burst 50` that all processes share whose quota has the same name. Needs the addon of the package `gatewright`: where
 * there are no sockets to Redis, making a client with it throws an `InvalidConfigError`.
 * @param url `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS; a list for a cluster.
 */
export function redisQuota(
  url: string | URL | readonly (string | URL)[],
  quota: string,
  options?: RedisQuotaOptions,
): RedisQuota;

/** A private HTTP cache in memory (RFC 9111). */
export interface CacheOptions {
  /** What all answers may take, in bytes; the least recently used goes first. Default 64 MiB. */
  readonly maxBytes?: number;
  /** What one answer may take, in bytes. Default an eighth of all. */
  readonly maxEntryBytes?: number;
  /** How long an answer may be used stale where the server fails and says nothing of its own about that. Default not at all. */
  readonly staleIfError?: number;
  /** The longest lifetime that is guessed from `Last-Modified`. Default no guesses. */
  readonly heuristicFreshness?: number;
}

/** What a call asks of the cache, in the words of the Fetch standard. */
export type CacheMode = "default" | "no-store" | "reload" | "no-cache" | "force-cache" | "only-if-cached";

/** How a client with a cache answered: from it, from it after a 304, from it though stale, or by the server. */
export type CacheStatus = "hit" | "revalidated" | "stale" | "miss";

/** The settings of a client. All have defaults. */
export interface ClientOptions {
  readonly auth?: Auth;
  /** Further credentials, for calls that name one. Their quotas and cached answers are their own. */
  readonly credentials?: { readonly [name: string]: string | Credential };
  /** Headers of every request. */
  readonly headers?: HeadersInput;
  /** For a whole call: queueing, connecting, every attempt, every wait and the body. `null` for none. Default 60000. */
  readonly timeout?: number | null;
  /** From sending an attempt to its response head. Default 20000. */
  readonly attemptTimeout?: number | null;
  /** Between two pieces of a body. Default 20000. */
  readonly readTimeout?: number | null;
  /** All rules of retrying, or the number of attempts in all; `false` for a single attempt. */
  readonly retry?: RetryOptions | number | false;
  /** When a host that fails is left alone; `false`: never. Default on. */
  readonly breaker?: BreakerOptions | boolean;
  /** Attempts at once at each host; more wait for their turn. Default any number. */
  readonly maxConcurrency?: number;
  /** Other base URLs of the same API, nearest first, after the base URL itself. */
  readonly regions?: readonly (string | URL)[];
  /** Sends a second copy of a GET, HEAD or OPTIONS whose answer is slow. Default none. */
  readonly hedge?: Hedge | false | null;
  /** Whether calls are held back so that the server's quota lasts, or how. Default true. */
  readonly pacing?: boolean | PacingOptions;
  /** A quota of one's own, such as `100/min, burst 20`, or one that is shared with other processes. */
  readonly quota?: string | RedisQuota;
  /** Keeps answers as their servers allow: `true` for 64 MiB in memory. Default false. */
  readonly cache?: boolean | CacheOptions;
  /** Whether POST and PATCH get an idempotency key by themselves. Default true. */
  readonly idempotencyKeys?: boolean;
  /** The header of the key. Default `idempotency-key`. */
  readonly idempotencyHeader?: string;
  /** Whether the key is quoted, as the IETF draft has it. Default false. */
  readonly idempotencyQuoted?: boolean;
  /** Redirects followed for one call, to the same origin; 0 hands them over. Default 5. */
  readonly maxRedirects?: number;
  /** Other origins to which requests may go, without credentials. */
  readonly allowedOrigins?: readonly string[];
  /** Allows plain http to other machines. Default false: loopback only. */
  readonly allowHttp?: boolean;
  /** The largest body that is read whole, in bytes. Default 100 MiB. */
  readonly maxResponseBytes?: number;
  /** Whether an error status is thrown. Default true. */
  readonly throwOnError?: boolean;
  /** The least speed of all bodies; `null`: none at all. Default: for downloads and uploads alone. */
  readonly minThroughput?: MinThroughput | null;
  /** The trace that a call belongs to, asked when it begins, for calls that do not say it. Nothing, or an empty object, is none. */
  readonly traceContext?: () => TraceCarrier | null | undefined;
  readonly hooks?: Hooks;
  readonly observer?: Observer;
}

/** What may be said of one call. */
export interface RequestOptions {
  readonly query?: QueryInput;
  /** Beside the client's own; one of the same name replaces it. */
  readonly headers?: HeadersInput;
  /** Ends the call at once, in whatever it is doing; the promise is rejected with `signal.reason`. */
  readonly signal?: AbortSignal | null;
  readonly timeout?: number | null;
  readonly attemptTimeout?: number | null;
  /** Attempts in all. */
  readonly maxAttempts?: number;
  /** What it asks of the client's cache. Default `default`. */
  readonly cache?: CacheMode;
  /** In place of the client's. */
  readonly hedge?: Hedge | false | null;
  /** In place of one made up. */
  readonly idempotencyKey?: string;
  /** The name of one of the client's `credentials`, or false for none. Default: the client's `auth`. */
  readonly credential?: string | false;
  readonly throwOnError?: boolean;
  /** The least speed of its bodies; `null`: none. Default: the client's. */
  readonly minThroughput?: MinThroughput | null;
  /** The trace that it belongs to; each attempt is a span of its own in it. `null`: none. Default: what the client's `traceContext` gives. */
  readonly traceContext?: TraceContext | null;
  /** The path as a template, such as `/v1/contacts/{id}`, for observers. */
  readonly urlTemplate?: string;
}

/** A request with a body: `json` or `body`, not both. */
export interface BodyOptions extends RequestOptions {
  /** Encoded as JSON. */
  readonly json?: unknown;
  readonly body?: BodyInput | null;
}

/** Where a list has its items and cursors. */
export interface PageOptions extends Omit<RequestOptions, "idempotencyKey" | "throwOnError"> {
  /** The body's member with the items, dots for members of members; a body that is a list is its own items. Default `data`. */
  readonly items?: string;
  /** The body's member with the next cursor. Default `next_cursor`. */
  readonly cursor?: string;
  /** The query parameter that takes it. Default `cursor`. */
  readonly cursorParam?: string;
}

/** A stream of server-sent events. `timeout` is the time to connect, each time anew. */
export interface EventOptions extends Omit<BodyOptions, "cache" | "hedge" | "idempotencyKey" | "throwOnError"> {
  /** Default `GET`. A stream that answers another method ends where it breaks. */
  readonly method?: string;
  /** Goes on after this event, of an earlier stream. */
  readonly lastEventId?: string;
  /** Silence after which a connection counts as broken, `null` for no limit. Default 60 000. */
  readonly idleTimeout?: number | null;
}

/** A stream of JSON lines. `timeout` is the time to connect. */
export interface LineOptions extends Omit<BodyOptions, "cache" | "hedge" | "idempotencyKey" | "throwOnError"> {
  /** Default `GET`. */
  readonly method?: string;
  /** Silence that is an error, `null` for no limit. Default 60 000. */
  readonly idleTimeout?: number | null;
  /** The longest line. Default 16 MiB. */
  readonly maxLineBytes?: number;
}

/** A download. `timeout` bounds each connection until its head is there. */
export interface DownloadOptions extends Omit<RequestOptions, "cache" | "hedge" | "throwOnError"> {}

/** What is uploaded. A stream that can be read once is sent in pieces of `chunkSize`, one held in memory. */
export type UploadInput = Exclude<BodyInput, FormData>;

/** How far an upload is. */
export interface UploadPosition {
  /** Where it can be gone on with, once it was created. Whoever knows it can write there: it is not for logs. */
  readonly location: string | null;
  /** The bytes that the server has acknowledged. */
  readonly offset: number;
  /** The bytes in all, where that is known. */
  readonly length: number | null;
}

/** An upload. `timeout` and `attemptTimeout` bound each request, not counting the time in which its body goes out. */
export interface UploadOptions extends Omit<RequestOptions, "cache" | "hedge" | "throwOnError"> {
  /** The method of the request that a plain upload would be. Default `POST`. */
  readonly method?: string;
  /** Bytes of a piece. The server's own limits win. Default 8 MiB. */
  readonly chunkSize?: number;
  /** Goes on with an earlier upload of the same source, from its `location`. */
  readonly resume?: string;
  /** The server is known to speak the draft: it is not asked. Default false. */
  readonly assumeResumable?: boolean;
  /** Called after each request of the upload. What it throws is nobody's. */
  readonly onProgress?: (position: UploadPosition) => void;
}

/** An upload that is complete. */
export interface Uploaded {
  /** What the server answered in the end; its attempts are those of all requests. */
  readonly response: Response;
  /** It went piece by piece; else in one request, since the server does not speak the draft. */
  readonly resumable: boolean;
  /** The final answer was lost: the server said later that the upload is complete, and there is no body. */
  readonly answerLost: boolean;
}

/** A download into a file that is complete. */
export interface Downloaded {
  /** Bytes of the file. */
  readonly length: number;
  /** Bytes that were there of an earlier run. */
  readonly resumedFrom: number;
  /** Those of the first answer. */
  readonly headers: Headers;
  /** Of all connections. */
  readonly attempts: readonly Attempt[];
  readonly elapsedMs: number;
}

/** What a login, and waiting for its end, may be told. */
export interface LoginOptions {
  /** Ends it at once; the promise is rejected with `signal.reason`. */
  readonly signal?: AbortSignal | null;
}

/** What is told of the tokens that a login brought. Access and refresh token are kept in the credential's store, and are not shown. */
export interface OAuthTokens {
  readonly tokenType: string;
  readonly scope: string | null;
  readonly expiresInMs: number | null;
  readonly hasRefreshToken: boolean;
  /** The ID token of OpenID Connect, where there was one. It is not checked. */
  readonly idToken: string | null;
}

/** One attempt of a call, as it happened. Times count from the start of the call. */
export interface Attempt {
  /** 1 for the first. */
  readonly number: number;
  /** When it was sent. */
  readonly startedMs: number;
  /** How long it was held back before (pacing, a new token); the wait of a retry is `waitMs` of the one before. */
  readonly queuedMs: number;
  /** Why it was held back. */
  readonly queuedFor: string | null;
  readonly tookMs: number;
  readonly status: number | null;
  /** What went wrong, where there was no complete answer. */
  readonly error: string | null;
  /** What the server asked for. */
  readonly retryAfterMs: number | null;
  readonly requestId: string | null;
  /** What was decided then. */
  readonly decision: "none" | "return" | "retry" | "refresh_token" | "redirect" | "give_up";
  /** Why. */
  readonly reason: string | null;
  /** The wait before the next attempt, where one follows. */
  readonly waitMs: number | null;
  /** Tokens left in the retry budget. */
  readonly budgetLeft: number;
  /** The region that it went to (host and port), where the client has several. */
  readonly region?: string;
  /** It was the second copy of a request whose answer was slow. */
  readonly hedge?: true;
}

interface Answer {
  readonly status: number;
  /** Whether the status is 2xx. */
  readonly ok: boolean;
  readonly headers: Headers;
  /** The URL that answered, without the credential. */
  readonly url: string;
  readonly method: string;
  /** The server's id of the request. */
  readonly requestId: string | null;
  /** What was done, attempt by attempt. */
  readonly attempts: readonly Attempt[];
  /** How a client with a cache answered; `null` where the cache had no part in it. */
  readonly cacheStatus: CacheStatus | null;
  /** Whether the body came from the cache. */
  readonly fromCache: boolean;
  /** From the start of the call to its answer. */
  readonly elapsedMs: number;
  /** The attempts as a picture in text, a line each: dots are waits, blocks are requests. */
  timeline(): string;
}

/** An answer, read whole: a body that breaks off was retried. May be read any number of times. */
export interface Response extends Answer, AsyncIterable<Uint8Array> {
  /** Decodes the body; rejects with a `DecodeError` where it is no JSON. */
  json<T = unknown>(): Promise<T>;
  text(): Promise<string>;
  /** The body's bytes. A large body is not copied the first time: change these bytes, and what is read later is changed. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** The same as a buffer. */
  arrayBuffer(): Promise<ArrayBuffer>;
  blob(): Promise<Blob>;
  /** The body as a stream; a new one each time. */
  readonly body: ReadableStream<Uint8Array>;
}

/** For `instanceof`: answers come from clients. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the implementation is held to both by js/conforms.ts
export abstract class Response {
  constructor(...unavailable: never);
}

/**
 * An answer whose body comes in as it is read, once. Retries are over: a body that breaks off rejects, what came before stays good. The
 * deadline covers the body too; lift it for long streams with `timeout: null`.
 */
export interface StreamResponse extends Answer, AsyncIterable<Uint8Array> {
  /** The body. Cancelling it ends the request. */
  readonly body: ReadableStream<Uint8Array>;
  readonly bodyUsed: boolean;
  /** Reads to the end. */
  json<T = unknown>(): Promise<T>;
  text(): Promise<string>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  /** Ends the request without reading on. */
  cancel(): Promise<void>;
}

/** For `instanceof`: answers come from clients. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the implementation is held to both by js/conforms.ts
export abstract class StreamResponse {
  constructor(...unavailable: never);
}

/**
 * The bytes of a download. A connection that breaks or stalls is made again and goes on where it broke (`Range`, `If-Range`), where the answer
 * has a strong ETag; two versions are never mixed. `attempts` and `elapsedMs` are over all connections once it is complete.
 */
export interface Download extends StreamResponse {
  /** Bytes in all, where the server said so. */
  readonly total: number | null;
  /** Reads to the end. */
  blob(): Promise<Blob>;
}

/** For `instanceof`: downloads come from clients. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the implementation is held to both by js/conforms.ts
export abstract class Download extends StreamResponse {}

/** A login at a page of the OAuth server (authorization code with PKCE). */
export class AuthorizationLogin {
  private constructor(...unavailable: never);
  /** Where the user is sent. */
  readonly url: string;
  /** With the URL that the user came back to. `state` and `iss` are checked. @throws {TokenError} */
  finish(redirectUrl: string | URL, options?: LoginOptions): Promise<OAuthTokens>;
}

/** A login at a page of the OAuth server, whose redirect comes back to this machine (RFC 8252). */
export class LoopbackLogin {
  private constructor(...unavailable: never);
  /** To be opened in a browser of this machine. */
  readonly url: string;
  /** Until the user is back. @throws {TokenError} */
  wait(options?: LoginOptions): Promise<OAuthTokens>;
}

/** A login on another device (RFC 8628). */
export class DeviceLogin {
  private constructor(...unavailable: never);
  /** What the user types at `verificationUri`. */
  readonly userCode: string;
  readonly verificationUri: string;
  /** The same address with the code in it, for a QR code. */
  readonly verificationUriComplete: string | null;
  readonly expiresInMs: number;
  /** Until the user has decided. @throws {TokenError} */
  wait(options?: LoginOptions): Promise<OAuthTokens>;
}

/** Logins of one of a client's OAuth credentials. The client's calls use what they bring. */
export class OAuthFlow {
  private constructor(...unavailable: never);
  /** By a page of the server; the user comes back to `redirectUri`, which you look after. */
  authorization(redirectUri: string | URL, options?: LoginOptions): Promise<AuthorizationLogin>;
  /**
   * By a browser on this machine; listens on 127.0.0.1, for at most `timeout` milliseconds (300000). Needs the addon of the package
   * `gatewright`: elsewhere it rejects with an `InvalidRequestError`.
   */
  loopback(options?: LoginOptions & { readonly timeout?: number }): Promise<LoopbackLogin>;
  /** On another device. */
  device(options?: LoginOptions): Promise<DeviceLogin>;
  /** Logs out: the tokens are revoked where the server can do that, and forgotten. */
  revoke(options?: LoginOptions): Promise<void>;
}

/** An event of a stream of server-sent events. */
export class ServerEvent {
  private constructor(...unavailable: never);
  /** What kind of event it is; `message` where the server did not say. */
  readonly event: string;
  /** Its data; lines are joined by a line feed. */
  readonly data: string;
  /** The id of the last event that had one, this one included; empty where none had. */
  readonly id: string;
  /** The data decoded from JSON. @throws {DecodeError} */
  json<T = unknown>(): T;
}

/**
 * Server-sent events, as they come. A connection that ends or breaks is made again, and goes on after the last event, where the request
 * is a GET and its events have ids. Leaving the loop ends the request. After an error the iteration can go on with `next`.
 */
export class ServerEvents implements AsyncIterableIterator<ServerEvent> {
  private constructor(...unavailable: never);
  [Symbol.asyncIterator](): this;
  next(): Promise<IteratorResult<ServerEvent, undefined>>;
  /** Ends the request. */
  return(): Promise<IteratorResult<ServerEvent, undefined>>;
  /** The id of the last event that was handed over and had one; where a later stream can go on. */
  readonly lastEventId: string;
}

/**
 * The values of JSON lines, as they come. A stream that breaks off is an error, and what came of an unfinished line is no value. Leaving the
 * loop ends the request. After an error about one line the iteration can go on with `next`.
 */
export class JsonLines<T = unknown> implements AsyncIterableIterator<T> {
  private constructor(...unavailable: never);
  [Symbol.asyncIterator](): this;
  next(): Promise<IteratorResult<T, undefined>>;
  /** Ends the request. */
  return(): Promise<IteratorResult<T, undefined>>;
}

/** One page of a list. */
export interface Page<T = unknown> {
  readonly items: T[];
  readonly response: Response;
}

/** An outcome of an attempt that did not happen: an answer by its `status`, or a `failure`. Times in milliseconds. */
export type Supposed = SupposedRequest &
  (
    | { readonly status: number; readonly failure?: undefined; readonly headers?: HeadersInput; readonly body?: string }
    | { readonly failure: FailureClass; readonly status?: undefined }
  );

/** The request of an attempt that did not happen. */
export interface SupposedRequest {
  /** Default GET. */
  readonly method?: string;
  readonly path?: string;
  /** Whether it carries a key. Default: as the client does for the method. */
  readonly idempotencyKey?: boolean;
  /** Whether its body can be sent again. Default true. */
  readonly replayable?: boolean;
  /** 1 for the first, which is the default. */
  readonly attempt?: number;
  /** How long the call would have been under way. Default 0. */
  readonly elapsed?: number;
  readonly maxAttempts?: number;
  readonly timeout?: number | null;
}

/** How an attempt failed without a complete answer. */
export type FailureClass =
  | "body_source"
  | "connect"
  | "connect_timeout"
  | "connection_lost"
  | "decode"
  | "hidden_redirect"
  | "hook"
  | "not_processed"
  | "protocol"
  | "read_timeout"
  | "response_too_large"
  | "timeout"
  | "tls";

/** What would be done, and why. */
export interface Explanation {
  readonly decision: "return" | "retry" | "refresh_token" | "redirect" | "give_up";
  readonly reason: string | null;
  /** The bounds of the wait before a retry; jitter decides. */
  readonly leastWaitMs: number | null;
  readonly mostWaitMs: number | null;
  /** Where a redirect leads. */
  readonly to: string | null;
  /** The code of the error that would be thrown, were there no other attempt. */
  readonly code: ErrorCode | null;
  /** Whether the request is safe to repeat. */
  readonly repeatable: boolean;
  readonly retryAfterMs: number | null;
  /** What the retry would cost of the budget. */
  readonly cost: number | null;
  readonly budgetLeft: number;
  /** How the breaker would count it. */
  readonly counted: "failure" | "neither" | "success" | null;
  /** What the breaker would do then. */
  readonly breaker: "closed" | "half_open" | "open" | null;
  /** How long other calls with the credential would be held back. */
  readonly pausedForMs: number | null;
  /** The region to which the retry would go. */
  readonly region: string | null;
  readonly quotas: readonly {
    readonly policy: string;
    readonly limit: number | null;
    readonly remaining: number | null;
    readonly windowMs: number | null;
    readonly resetsInMs: number | null;
  }[];
  /** Why, a sentence each. */
  readonly reasons: readonly string[];
  /** All of it, for people. */
  readonly text: string;
}

/** A host's circuit breaker at one moment. */
export interface BreakerState {
  readonly state: "closed" | "half_open" | "open";
  readonly failures: number;
  readonly calls: number;
  /** While nothing is sent: when to come again. */
  readonly retryAfterMs: number | null;
  readonly lastFailure: string | null;
}

/** A host's limit of attempts at once at one moment. */
export interface ConcurrencyState {
  readonly limit: number;
  readonly inFlight: number;
  readonly queued: number;
}

/** What is known of one region. */
export interface RegionState extends HostState {
  /** Host and port. */
  readonly name: string;
  readonly healthy: boolean;
}

/** What is known of the base URL's host at one moment. */
export interface ClientState extends HostState {
  /** The regions, nearest first, where the client has several. */
  readonly regions?: readonly RegionState[];
  /** The quota that is shared with other processes, where there is one. */
  readonly sharedQuota?: SharedQuotaState;
  /** What the cache holds and did, where there is one. */
  readonly cache?: CacheState;
}

/** Budget, breaker and limits of a host at one moment. */
export interface HostState {
  /** Tokens left in the retry budget. */
  readonly budgetLeft: number;
  /** What the retry budget holds when full. */
  readonly budgetCapacity: number;
  /** The limits, one entry for each credential that was used. */
  readonly limits: readonly LimitsState[];
  /** `null` where it is off. */
  readonly breaker: BreakerState | null;
  /** `null` where there is no limit. */
  readonly concurrency: ConcurrencyState | null;
}

/** What is known of a quota that is shared with other processes. */
export interface SharedQuotaState {
  /** The name under which it is shared. */
  readonly name: string;
  /** The quota, such as `600/min, burst 60`. */
  readonly quota: string;
  /** `new`: nothing asked for yet; `shared`: as it should be; `away`: Redis cannot be reached, and this process keeps to its part;
   * `rejoining`: Redis is back, and the others are waited for. */
  readonly mode: "new" | "shared" | "away" | "rejoining";
  /** Processes that share it, as last seen; 0 where none was. */
  readonly processes: number;
  /** Permits taken ahead and not used yet. */
  readonly held: number;
  /** Calls that wait for a permit. */
  readonly queued: number;
  /** Time until the pause is over that a server asked one of the processes for. */
  readonly pausedForMs: number | null;
  /** How long Redis has been out of reach. */
  readonly awayForMs: number | null;
  /** Permits used so far. */
  readonly used: number;
  /** Times Redis was asked so far. */
  readonly roundTrips: number;
}

/** What a cache holds, and how it answered calls since its client was made. */
export interface CacheState {
  /** Answers that are stored. */
  readonly entries: number;
  /** What they take. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** Calls that were answered without the server. */
  readonly hits: number;
  /** Calls that were answered from the cache after a 304. */
  readonly revalidated: number;
  /** Calls that were answered from the cache though it was stale. */
  readonly stale: number;
  /** Calls that the server answered. */
  readonly misses: number;
  /** Answers that had to go to make room. */
  readonly evicted: number;
}

/** What is known of the limits of one credential. */
export interface LimitsState {
  /** Calls sent and not yet answered. */
  readonly inFlight: number;
  /** Calls that wait. */
  readonly queued: number;
  /** Time until the pause that the server asked for is over. */
  readonly pausedForMs: number | null;
  /** The quotas that calls must pass. */
  readonly quotas: readonly QuotaState[];
}

/** What is known of one quota. */
export interface QuotaState {
  /** The server's name for it; `local` for your own. */
  readonly policy: string;
  /** Calls in a window. */
  readonly limit: number;
  /** Calls that may go now. */
  readonly remaining: number;
  /** The window's length, where it is told. */
  readonly windowMs: number | null;
  /** Time until the next call may go. */
  readonly nextInMs: number;
  /** Time until the reset, where it is reset as a whole. */
  readonly resetsInMs: number | null;
  /** Whether others were seen to take from it. */
  readonly shared: boolean;
}

/** A client of one API. All its calls share connections, limits and budget. */
export class Client {
  /**
   * @param baseUrl Where paths are joined to, such as `https://api.example.com/v1`. https, or http to loopback.
   * @throws {InvalidConfigError | InsecureUrlError} for a setting that cannot be. Nothing is sent, and nothing is started.
   */
  constructor(baseUrl: string | URL, options?: ClientOptions);

  get(path: string, options?: RequestOptions): Promise<Response>;
  head(path: string, options?: RequestOptions): Promise<Response>;
  options(path: string, options?: RequestOptions): Promise<Response>;
  /** Carries an idempotency key. */
  post(path: string, options?: BodyOptions): Promise<Response>;
  put(path: string, options?: BodyOptions): Promise<Response>;
  /** Carries an idempotency key. */
  patch(path: string, options?: BodyOptions): Promise<Response>;
  delete(path: string, options?: BodyOptions): Promise<Response>;
  request(method: string, path: string, options?: BodyOptions): Promise<Response>;
  /** Resolves with the answer's head; its body comes in as it is read. */
  stream(method: string, path: string, options?: BodyOptions): Promise<StreamResponse>;
  /** The pages of a list, by `Link: rel="next"` or by cursor. Each is a call of its own, made when the loop asks for it. */
  pages<T = unknown>(path: string, options?: PageOptions): AsyncIterableIterator<Page<T>>;
  /** The items of all pages of a list. */
  items<T = unknown>(path: string, options?: PageOptions): AsyncIterableIterator<T>;

  /** The server-sent events that answer a request. Nothing is sent before the first is asked for. */
  events(path: string, options?: EventOptions): ServerEvents;
  /** The values of an answer of JSON lines (JSONL, NDJSON), as they come. Nothing is sent before the first is asked for. */
  jsonLines<T = unknown>(path: string, options?: LineOptions): JsonLines<T>;

  /** Resolves with the head of a download; its bytes come in as they are read, and go on where a connection breaks. */
  download(path: string, options?: DownloadOptions): Promise<Download>;
  /**
   * Uploads so that a break costs no more than a piece (draft-ietf-httpbis-resumable-upload-12), or in one request where the server does not
   * speak that. An error has `upload`, from where another upload can go on.
   */
  upload(path: string, source: UploadInput, options?: UploadOptions): Promise<Uploaded>;
  /**
   * Logins of the OAuth credential of this name, or of the client's own.
   * @throws {InvalidRequestError} by its methods, where that is no credential of OAuth.
   */
  oauth(credential?: string): OAuthFlow;

  /** The base URL, without secrets. */
  readonly baseUrl: string;
  /** Budget and limits of the base URL's host, as they are now. */
  state(): ClientState;
  /** What would be done with an outcome of an attempt, and why. Nothing is sent, and nothing is changed. */
  explain(supposed: Supposed): Explanation;
  /** Forgets every answer that the cache has stored. */
  clearCache(): void;
  /** Refuses further calls. Those under way go on. */
  close(): void;
}

/** `permanent`, `temporary` (not retried here) or `exhausted` (retried, and it stayed). */
export type Retryability = "permanent" | "temporary" | "exhausted";

/** A failed call. Its message says what happened, to which request, after which attempts, and what to do next. */
export class GatewrightError extends Error {
  /** The kind's stable code, such as `rate_limited`. */
  readonly code: ErrorCode;
  /** The answer's status, where there was one. */
  readonly status: number | null;
  readonly method: string | null;
  /** The request's URL, without secrets. */
  readonly url: string | null;
  readonly requestId: string | null;
  /** How long to wait before the next call. */
  readonly retryAfterMs: number | null;
  readonly retryability: Retryability;
  /** Why there was no other attempt. */
  readonly noRetry: string | null;
  /** What to do next. */
  readonly advice: string;
  readonly elapsedMs: number;
  /** The answer's headers, where there was one. */
  readonly headers: Headers | null;
  /** The answer's body, at most 256 KiB of it. */
  readonly body: Uint8Array;
  /** The answer's problem details (RFC 9457), or whatever JSON object its body is. */
  readonly problem: { readonly [name: string]: Json } | null;
  readonly attempts: readonly Attempt[];
  /** Of an upload: how far it came, and where it can be gone on with. */
  readonly upload: UploadPosition | null;
  /** What was thrown by a hook, a token callback or a body's stream. */
  readonly cause?: unknown;
  /** The attempts as a picture in text. */
  timeline(): string;
  /** What a log may keep: no secrets. */
  toJSON(): { [name: string]: Json };
}

/** 401: the server does not accept the credential. */
export class AuthenticationError extends GatewrightError {}
/** 400, and any other 4xx without a class of its own. */
export class BadRequestError extends GatewrightError {}
/** The circuit breaker of the host is open: too many calls failed of late. Nothing was sent. */
export class CircuitOpenError extends GatewrightError {}
/** The client or the stream was closed. */
export class ClosedError extends GatewrightError {}
/** 409. */
export class ConflictError extends GatewrightError {}
/** No connection could be made. Nothing was sent. */
export class ConnectError extends GatewrightError {}
/** The connection broke before the answer was complete. */
export class ConnectionLostError extends GatewrightError {}
/** A redirect or URL leads to another origin, where credentials do not go. */
export class CrossOriginError extends GatewrightError {}
/** The body could not be decoded. */
export class DecodeError extends GatewrightError {}
/** A hook of yours failed; see `cause`. */
export class HookError extends GatewrightError {}
/** Plain http to another machine. */
export class InsecureUrlError extends GatewrightError {}
/** A setting of the client is wrong. */
export class InvalidConfigError extends GatewrightError {}
/** The request cannot be sent as it is. Nothing was sent. */
export class InvalidRequestError extends GatewrightError {}
/** The cache alone was asked (only-if-cached), and has no answer. Nothing was sent. */
export class NotCachedError extends GatewrightError {}
/** 404 or 410. */
export class NotFoundError extends GatewrightError {}
/** It may or may not have taken effect, and repeating it could double that. */
export class OutcomeUnknownError extends GatewrightError {}
/** 403. */
export class PermissionDeniedError extends GatewrightError {}
/** 412 or 428. */
export class PreconditionFailedError extends GatewrightError {}
/** What came is no valid HTTP. */
export class ProtocolError extends GatewrightError {}
/** 429, or held back so long that the deadline would have passed. */
export class RateLimitedError extends GatewrightError {}
/** Too many redirects, or one that leads nowhere. */
export class RedirectError extends GatewrightError {}
/** The body is larger than allowed. */
export class ResponseTooLargeError extends GatewrightError {}
/** 5xx. */
export class ServerError extends GatewrightError {}
/** A deadline passed. */
export class TimeoutError extends GatewrightError {}
/** The TLS handshake failed. Nothing was sent. */
export class TlsError extends GatewrightError {}
/** The token callback failed; see `cause`. */
export class TokenError extends GatewrightError {}
/** 422. */
export class UnprocessableError extends GatewrightError {}

/** The codes of all kinds of error; more may come. */
export type ErrorCode =
  | "authentication"
  | "bad_request"
  | "circuit_open"
  | "closed"
  | "conflict"
  | "connect"
  | "connection_lost"
  | "cross_origin"
  | "decode"
  | "hook"
  | "insecure_url"
  | "invalid_config"
  | "invalid_request"
  | "not_cached"
  | "not_found"
  | "outcome_unknown"
  | "permission_denied"
  | "precondition_failed"
  | "protocol"
  | "rate_limited"
  | "redirect"
  | "response_too_large"
  | "server"
  | "timeout"
  | "tls"
  | "token"
  | "unprocessable";

/** The version of this package. */
export const version: string;
