/** What wasm-bindgen generates for the two modules; `build.mjs` says where it is. */

declare module "gatewright:glue" {
  import type { NativeClient, Native as Shape } from "../../bindings-node/js/native.ts";

  export function initSync(input: { module: WebAssembly.Module }): unknown;
  export const version: Shape["version"];
  export const errorCodes: Shape["errorCodes"];
  export const connect: Shape["connect"];
  export function openClient(baseUrl: string, settings: string): NativeClient | string;
  export const cancel: Shape["cancel"];
  export const pull: Shape["pull"];
  export const nextPage: Shape["nextPage"];
  export const dropPages: Shape["dropPages"];
  export const answer: Shape["answer"];
  export const fail: Shape["fail"];
  export const answerError: Shape["answerError"];
  export const timeline: Shape["timeline"];
  export const openWebhook: Shape["openWebhook"];
  export const generateSecret: Shape["generateSecret"];
}

declare module "gatewright:webhooks-glue" {
  import type { WebhookNative } from "../../bindings-node/js/webhook_native.ts";

  export function initSync(input: { module: WebAssembly.Module }): unknown;
  export const openWebhook: WebhookNative["openWebhook"];
  export const generateSecret: WebhookNative["generateSecret"];
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
