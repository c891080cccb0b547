/** Webhooks alone, with their module as a text. */

import { provideWebhooks } from "../../bindings-node/js/webhook_native.ts";
import { moduleIn } from "./module.ts";
import { once } from "./once.ts";
import { webhookInstanceOf } from "./webhook_instance.ts";
import base64 from "./webhooks.wasm.js";

provideWebhooks(once(() => webhookInstanceOf(moduleIn(base64))));

export {
  generateSecret,
  MemoryReplayGuard,
  Webhook,
  WebhookError,
  WebhookEvents,
  WebhookKeyError,
  WebhookVerificationError,
} from "../../bindings-node/js/webhooks.ts";
