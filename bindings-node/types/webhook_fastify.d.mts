/** The types of `gatewright/webhooks/fastify` for `import`: the same as for `require`. */

export * from "./webhook_fastify.js";
