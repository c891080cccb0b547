/** The types of `gatewright/testing` for `import`: the same as for `require`. */

export * from "./testing.js";
