/**
 * The public names of both packages. An entry module is this and a native half:
 *
 * ```ts
 * import { provide } from "../../bindings-node/js/native.ts";
 * provide(() => nativeHalf);
 * export * from "../../bindings-node/js/api.ts";
 * ```
 *
 * An entry for webhooks alone calls `provideWebhooks` of `webhook_native.ts` and exports `webhooks.ts`.
 */

export { Client } from "./client.ts";
export { Download } from "./download.ts";
export {
  AuthenticationError,
  BadRequestError,
  CircuitOpenError,
  ClosedError,
  ConflictError,
  ConnectError,
  ConnectionLostError,
  CrossOriginError,
  DecodeError,
  GatewrightError,
  HookError,
  InsecureUrlError,
  InvalidConfigError,
  InvalidRequestError,
  NotCachedError,
  NotFoundError,
  OutcomeUnknownError,
  PermissionDeniedError,
  PreconditionFailedError,
  ProtocolError,
  RateLimitedError,
  RedirectError,
  ResponseTooLargeError,
  ServerError,
  TimeoutError,
  TlsError,
  TokenError,
  UnprocessableError,
} from "./errors.ts";
export { JsonLines } from "./json_lines.ts";
export { AuthorizationLogin, DeviceLogin, LoopbackLogin, OAuthFlow } from "./oauth.ts";
export { RedisQuota, redisQuota } from "./redis_quota.ts";
export { Response } from "./response.ts";
export { ServerEvent, ServerEvents } from "./server_events.ts";
export { StreamResponse } from "./stream_response.ts";
export { version } from "./version.ts";
export {
  generateSecret,
  MemoryReplayGuard,
  Webhook,
  WebhookError,
  WebhookEvents,
  WebhookKeyError,
  WebhookVerificationError,
} from "./webhooks.ts";
