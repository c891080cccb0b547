/** The native half of webhooks alone: an instance of the small module, whose side of this boundary is `webhook/src/lib.rs`. */

import type { NativeWebhook, WebhookNative } from "../../bindings-node/js/webhook_native.ts";

/** Addresses and lengths are numbers of bytes. Who calls with a buffer's address gives the buffer away. */
interface Module {
  readonly memory: WebAssembly.Memory;
  allocate(length: number): number;
  open(secrets: number, length: number, toleranceSeconds: number, maxBody: number): number;
  failure(opened: number): number;
  close(opened: number): void;
  verify: Question;
  explain: Question;
  sign: Question;
  generate(random: number, length: number): number;
  release(answer: number): void;
}

type Question = (opened: number, body: number, bodyLength: number, text: number, length: number, at: number) => number;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Makes an instance of the module. */
export function webhookInstanceOf(module: WebAssembly.Module): WebhookNative {
  const native = new WebAssembly.Instance(module).exports as unknown as Module;
  // Not every host has it; there a webhook stays until the instance goes.
  const closing = globalThis.FinalizationRegistry && new FinalizationRegistry<number>((opened) => native.close(opened));

  /** The address and length of a buffer with this in it. */
  function given(content: string | Uint8Array): [number, number] {
    const bytes = typeof content === "string" ? encoder.encode(content) : content;
    const at = native.allocate(bytes.length) >>> 0;
    new Uint8Array(native.memory.buffer, at).set(bytes);
    return [at, bytes.length];
  }

  /** An answer's text. */
  function told(answer: number): string {
    const at = answer >>> 0;
    const { buffer } = native.memory;
    const text = decoder.decode(new Uint8Array(buffer, at + 4, new DataView(buffer).getUint32(at, true)));
    native.release(answer);
    return text;
  }

  return {
    openWebhook(secrets, toleranceSeconds, maxBody) {
      // A line break is as wrong in a secret as any other white space.
      const lines = secrets.map((secret) => `${secret.replaceAll("\n", "\r")}\n`).join("");
      const opened = native.open(...given(lines), toleranceSeconds, maxBody);
      const failure = native.failure(opened);
      if (failure !== 0) {
        native.close(opened);
        return told(failure);
      }
      const ask =
        (question: Question): NativeWebhook["verify"] =>
        (body, text, at) =>
          told(question(opened, ...given(body), ...given(text), at));
      const webhook = { verify: ask(native.verify), explain: ask(native.explain), sign: ask(native.sign) };
      closing?.register(webhook, opened);
      return webhook;
    },
    generateSecret: () => told(native.generate(...given(crypto.getRandomValues(new Uint8Array(32))))),
  };
}
