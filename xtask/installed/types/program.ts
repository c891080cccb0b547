// A program as a user writes it, which must compile in strict mode. The lines marked as errors prove that the types say
// something: with `any` they would compile.

import {
  type Attempt,
  type BodyInput,
  Client,
  type ClientOptions,
  type ErrorCode,
  GatewrightError,
  type Hooks,
  type Page,
  RateLimitedError,
  type Response,
  type StreamResponse,
  TimeoutError,
  type Token,
  version,
} from "gatewright";
import {
  generateSecret,
  MemoryReplayGuard,
  type ReplayGuard,
  type Verified,
  Webhook,
  WebhookEvents,
  WebhookVerificationError,
} from "gatewright/webhooks";
import { fetchWebhooks } from "gatewright/webhooks/fetch";
import { honoWebhooks } from "gatewright/webhooks/hono";

interface Contact {
  id: string;
  name: string;
}

const hooks: Hooks = {
  beforeAttempt(attempt) {
    attempt.headers.set("x-attempt", String(attempt.number));
  },
  async afterAttempt({ status, error, tookMs }) {
    const line: string = `${status ?? error} after ${tookMs.toFixed(1)} ms`;
    await Promise.resolve(line);
  },
};

const options: ClientOptions = {
  auth: async (): Promise<Token> => ({ token: "t", expiresInMs: 60_000 }),
  headers: { "x-tenant": "acme", "x-list": ["a", "b"] },
  timeout: null,
  retry: { maxAttempts: 4, backoffBase: 200 },
  quota: "100/min, burst 20",
  hooks,
};

export const client: Client = new Client("https://api.example.com/v1", options);
new Client(new URL("https://api.example.com"), { auth: { basic: ["user", "password"] }, retry: false });
new Client("https://api.example.com", { auth: { apiKey: "k", header: "x-api-key" } });

// @ts-expect-error a timeout is in milliseconds
new Client("https://api.example.com", { timeout: "60s" });
// @ts-expect-error there is no such option
new Client("https://api.example.com", { retries: 3 });

export async function calls(signal: AbortSignal): Promise<Contact[]> {
  const answer: Response = await client.get("/contacts", { query: { limit: 20, tag: ["a", "b"] }, signal });
  const status: number = answer.status;
  const id: string | null = answer.requestId;
  const attempts: readonly Attempt[] = answer.attempts;
  // @ts-expect-error a status is a number
  const wrong: string = answer.status;
  const unknown = await answer.json();
  // @ts-expect-error what was decoded is not known before it was looked at
  unknown.name;
  const created = await client.post("/contacts", { json: { name: "Ada" }, idempotencyKey: `${status}${id}${wrong}` });
  const contact = await created.json<Contact>();
  const found: Contact[] = [contact];
  for await (const page of client.pages<Contact>("/contacts")) {
    const typed: Page<Contact> = page;
    found.push(...typed.items);
  }
  for await (const item of client.items<Contact>("/contacts", { items: "data.contacts" })) {
    found.push(item);
  }
  // @ts-expect-error a GET has no body
  await client.get("/contacts", { json: {} });
  return attempts.length > 0 ? found : [];
}

export async function bodies(stream: ReadableStream<Uint8Array>): Promise<number> {
  async function* made(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(3);
  }
  const all: BodyInput[] = [
    "text",
    new Uint8Array(3),
    new ArrayBuffer(3),
    new URLSearchParams({ a: "b" }),
    new FormData(),
    new Blob(["text"]),
    stream,
    made(),
    () => made(),
  ];
  let length = 0;
  for (const body of all) {
    const answer = await client.put("/files/1", { body });
    length += (await answer.bytes()).length;
  }
  const streamed: StreamResponse = await client.stream("GET", "/files/1");
  for await (const piece of streamed) {
    const bytes: Uint8Array = piece;
    length += bytes.byteLength;
  }
  const body: ReadableStream<Uint8Array> = streamed.body;
  return length + (body.locked ? 1 : 0);
}

export function explain(error: unknown): string {
  if (error instanceof RateLimitedError && error.retryAfterMs !== null) {
    return `again in ${error.retryAfterMs} ms`;
  }
  if (error instanceof TimeoutError) {
    return error.timeline();
  }
  if (error instanceof GatewrightError) {
    const code: ErrorCode = error.code;
    // @ts-expect-error there is no such code
    const wrong = code === "rate_limit";
    return `${code} ${error.status} ${error.advice} ${wrong}`;
  }
  return version;
}

export function receive(body: Uint8Array, headers: Headers): Verified | string {
  const webhook = new Webhook([generateSecret()], { tolerance: 60_000 });
  try {
    return webhook.verify(body, headers);
  } catch (error) {
    if (error instanceof WebhookVerificationError) {
      return `${error.code}: ${webhook.explain(body, { "webhook-id": "msg_1" })}`;
    }
    throw error;
  }
}

interface Events {
  "user.created": { data: { id: string } };
}

const store: ReplayGuard = {
  reserve: async (key) => ({ state: "new", token: key }),
  commit: async () => true,
  release: () => false,
};
const events = new WebhookEvents<Events>().on("user.created", (event, verified) => {
  const id: string = event.data.id;
  void [id, verified.bodyBound === "full"];
});
// @ts-expect-error there is no such event
events.on("user.creatd", () => {});

const stripe = new Webhook("whsec_test", { scheme: "stripe", tolerance: 60_000 });
// @ts-expect-error there is no such scheme
new Webhook("whsec_test", { scheme: "strip" });
export const answer: Promise<object> = fetchWebhooks(stripe, events, { replayGuard: store, sender: "billing" })({
  method: "POST",
  url: "https://example.com/hook",
  headers: {},
  bodyUsed: false,
  body: null,
});
export const route = honoWebhooks(stripe, (verified, context) => [verified.json(), context.req.raw.url], {
  replayGuard: new MemoryReplayGuard({ lease: 60_000 }),
  messageIdOf: (verified) => verified.json<{ id: string }>().id,
});
