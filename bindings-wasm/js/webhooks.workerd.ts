/** Webhooks alone, on workerd. */

import { provideWebhooks } from "../../bindings-node/js/webhook_native.ts";
import { once } from "./once.ts";
import { webhookInstanceOf } from "./webhook_instance.ts";
import module from "./webhooks.wasm";

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
