/** The types of `gatewright/webhooks/next` for `import`: the same as for `require`. */

export * from "./webhook_next.js";
