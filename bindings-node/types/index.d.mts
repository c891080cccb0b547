/** The types of `gatewright` for `import`: the same as for `require`, and the same classes. */

export * from "./index.js";
