/** Webhooks alone, on edge runtimes that take compiled modules by `?module`. */

import { provideWebhooks } from "../../bindings-node/js/webhook_native.ts";
import { once } from "./once.ts";
import { webhookInstanceOf } from "./webhook_instance.ts";
import module from "./webhooks.wasm?module";

provideWebhooks(once(() => webhookInstanceOf(module)));

export {
  generateSecret,
  MemoryReplayGuard,
  Webhook,
  WebhookError,
  WebhookEvents,
  WebhookKeyError,
  WebhookVerificationError,
} from "../../bindings-node/js/webhooks.ts";
