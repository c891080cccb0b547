/** Webhooks alone, where modules come by URL. */

import { provideWebhooks } from "../../bindings-node/js/webhook_native.ts";
import { moduleAt } from "./module.ts";
import { once } from "./once.ts";
import { webhookInstanceOf } from "./webhook_instance.ts";

const module = await moduleAt(new URL("./webhooks.wasm", import.meta.url), () => import("./webhooks.wasm.js"));
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
