/** The native half of webhooks alone: an instance of the small module. */

import * as glue from "gatewright:webhooks-glue";
import type { WebhookNative } from "../../bindings-node/js/webhook_native.ts";

/** Makes an instance of the module. */
export function webhookInstanceOf(module: WebAssembly.Module): WebhookNative {
  glue.initSync({ module });
  return { openWebhook: glue.openWebhook, generateSecret: glue.generateSecret };
}
