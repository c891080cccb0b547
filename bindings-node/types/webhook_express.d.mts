/** The types of `gatewright/webhooks/express` for `import`: the same as for `require`. */

export * from "./webhook_express.js";
