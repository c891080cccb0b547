#!/usr/bin/env node
"use strict";

// `npx gatewright-gateway …`: the program itself, with this process's input, output, signals and end.

const { spawn } = require("node:child_process");
const { program } = require("./index.js");

const child = spawn(program(), process.argv.slice(2), { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => child.kill(signal));
}
child.on("error", (error) => {
  console.error(`gatewright-gateway: ${error.message}`);
  process.exitCode = 1;
});
child.on("exit", (code, signal) => {
  process.exitCode = code ?? (signal === null ? 0 : 1);
});
