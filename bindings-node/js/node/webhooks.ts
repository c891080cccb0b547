/** The entry `gatewright/webhooks`: webhooks alone. The addon is the same; the client's part of this layer is not loaded. */

import { provideWebhooks } from "../webhook_native.ts";
import { load } from "./load.ts";

provideWebhooks(load);

export {
  generateSecret,
  MemoryReplayGuard,
  Webhook,
  WebhookError,
  WebhookEvents,
  WebhookKeyError,
  WebhookVerificationError,
} from "../webhooks.ts";
