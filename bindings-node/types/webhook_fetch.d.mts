/** The types of `gatewright/webhooks/fetch` for `import`: the same as for `require`. */

export * from "./webhook_fetch.js";
