/** What wasm-bindgen generates for the module, and what the modules are imported as; `build.mjs` says where they are. */

declare module "gatewright:glue" {
  type Native = import("../../bindings-node/js/native.ts").Native;

  export function initSync(input: { module: WebAssembly.Module }): unknown;
  export const version: Native["version"];
  export const errorCodes: Native["errorCodes"];
  export const connect: Native["connect"];
  export const openClient: Native["openClient"];
  export const cancel: Native["cancel"];
  export const pull: Native["pull"];
  export const nextPage: Native["nextPage"];
  export const nextEvents: Native["nextEvents"];
  export const dropPages: Native["dropPages"];
  export const answer: Native["answer"];
  export const fail: Native["fail"];
  export const answerError: Native["answerError"];
  export const timeline: Native["timeline"];
  export const openReplayGuard: Native["openReplayGuard"];
  export const openWebhook: Native["openWebhook"];
  export const replayKey: Native["replayKey"];
  export const generateSecret: Native["generateSecret"];
}

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.wasm.js" {
  /** The module's bytes, in base64. */
  const text: string;
  export default text;
}
