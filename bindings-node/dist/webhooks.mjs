// The same as for require, so that instanceof holds across both.
export {
  Webhook,
  WebhookError,
  WebhookKeyError,
  WebhookVerificationError,
  generateSecret,
} from "./webhooks.cjs";
