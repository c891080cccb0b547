/** What the adapters of all frameworks have in common. */

import type { Challenge, ReplayGuard, Verified, WebhookEvents } from "./webhooks.js";

/** Handles a verified message; its failure is the framework's, so that the sender tries again. Or the handlers by type of event. */
export type WebhookHandler<Context> =
  | ((verified: Verified, context: Context) => unknown)
  | Pick<WebhookEvents, "dispatch">;

export interface ReceiverOptions {
  /** Has each message handled once. Default: none, so a sender's retry is handled again. */
  readonly replayGuard?: ReplayGuard;
  /** Your own name for who sends, for the guard: ids are unique only within one sender. Default: the scheme's name. */
  readonly sender?: string;
  /**
   * The event's id in the verified body, for the guard, where the scheme signs no id of its own (Stripe's `id`). Default: what was signed,
   * so that a retry with a new time is handled again.
   */
  readonly messageIdOf?: (verified: Verified) => string | null | undefined;
  /** Whether the log says why what does not verify does not; at most once a second. Default `true`. */
  readonly explain?: boolean;
  /** Gets a line for whatever was refused: for developers, never for the sender. Default `console.warn`. */
  readonly log?: (line: string) => void;
  /** Is told of a question to the endpoint before it is answered. A subscription to an SNS topic is confirmed by calling its `visit`. */
  readonly onChallenge?: (challenge: Challenge) => unknown;
  /** The clock. */
  readonly now?: () => Date;
  /** The URL that the sender calls, where its scheme signs it. Default: that of the request. */
  readonly url?: string;
}

/** As much of the Fetch API's `Request` as is needed. */
export interface FetchRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: object;
  readonly bodyUsed: boolean;
  readonly body: FetchBody | null;
}

/** A `ReadableStream` of bytes. */
export interface FetchBody {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
    cancel(): Promise<void>;
  };
}

/** The Fetch API's `Response`, where its types are known. */
export type FetchResponse = typeof globalThis extends { Response: { new (...given: never[]): infer R } } ? R : object;

/** As much of Node's `IncomingMessage` as is needed. */
export interface NodeRequest {
  readonly headers: object;
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** What a parser left. Bytes are taken as the raw body. */
  readonly body?: unknown;
  readonly readableDidRead?: boolean;
  on(event: "data", listener: (piece: Uint8Array) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "close" | "end", listener: () => void): unknown;
  off(event: "data", listener: (piece: Uint8Array) => void): unknown;
  pause(): unknown;
  destroy(): unknown;
}

/** As much of Node's `ServerResponse` as is needed. */
export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string, sent?: () => void): unknown;
}

/** A handler of Express's, also without `next`. */
export type NodeHandler<Request extends NodeRequest> = (
  request: Request,
  response: NodeResponse,
  next?: (error: unknown) => void,
) => void;
