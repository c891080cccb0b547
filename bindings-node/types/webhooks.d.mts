/** The types of `gatewright/webhooks` for `import`: the same as for `require`, and the same classes. */

export * from "./webhooks.js";
