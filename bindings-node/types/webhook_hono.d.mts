/** The types of `gatewright/webhooks/hono` for `import`: the same as for `require`. */

export * from "./webhook_hono.js";
