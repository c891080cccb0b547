/** The native half of webhooks alone: an instance of the small module, whose side of this boundary is `webhook/src/lib.rs`. */

import type { NativeVerifier, NativeWebhook, WebhookNative } from "../../bindings-node/js/webhook_native.ts";

/** Addresses and lengths are numbers of bytes. Who calls with a buffer's address gives the buffer away. */
interface Module {
  readonly memory: WebAssembly.Memory;
  allocate(length: number): number;
  open(settings: number, length: number): number;
  failure(opened: number): number;
  close(opened: number): void;
  ask(opened: number, what: number, body: number, bodyLength: number, text: number, length: number, at: number): number;
  verifier(opened: number, headers: number, length: number, now: number): number;
  verifier_failure(opened: number): number;
  verifier_update(opened: number, piece: number, length: number): number;
  verifier_finish(opened: number): number;
  verifier_close(opened: number): void;
  guard(settings: number, length: number): number;
  guard_failure(opened: number): number;
  guard_ask(opened: number, what: number, text: number, length: number, now: number): number;
  guard_close(opened: number): void;
  replay_key(text: number, length: number): number;
  generate(random: number, length: number): number;
  release(answer: number): void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Makes an instance of the module. */
export function webhookInstanceOf(module: WebAssembly.Module): WebhookNative {
  const native = new WebAssembly.Instance(module).exports as unknown as Module;
  const closing = closer(native.close);
  const closingVerifiers = closer(native.verifier_close);
  const closingGuards = closer(native.guard_close);

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

  /** What was opened, or the error of it. */
  function orFailure<T extends object>(
    opened: number,
    failure: (opened: number) => number,
    closing: Closer,
    made: T,
  ): T | string {
    const failed = failure(opened);
    if (failed !== 0) {
      closing.close(opened);
      return told(failed);
    }
    closing.register(made, opened);
    return made;
  }

  function webhookOf(opened: number): NativeWebhook {
    const webhook: NativeWebhook = {
      verify: (body, text, at) => told(native.ask(opened, 0, ...given(body), ...given(text), at)),
      explain: (body, text, at) => told(native.ask(opened, 1, ...given(body), ...given(text), at)),
      sign: (body, text, at) => told(native.ask(opened, 2, ...given(body), ...given(text), at)),
      challenge: (body, text) => told(native.ask(opened, 3, ...given(body), ...given(text), 0)),
      verifier(headers, now) {
        const begun = native.verifier(opened, ...given(headers), now);
        const verifier: NativeVerifier = {
          update: (piece) => told(native.verifier_update(begun, ...given(piece))),
          finish: () => told(native.verifier_finish(begun)),
        };
        return orFailure(begun, native.verifier_failure, closingVerifiers, verifier);
      },
    };
    return webhook;
  }

  return {
    openWebhook(settings) {
      const opened = native.open(...given(settings));
      return orFailure(opened, native.failure, closing, webhookOf(opened));
    },
    openReplayGuard(settings) {
      const opened = native.guard(...given(settings));
      const ask = (what: number, key: string, token: string, now: number) =>
        told(native.guard_ask(opened, what, ...given(`${key}\n${token}`), now));
      return orFailure(opened, native.guard_failure, closingGuards, {
        reserve: (key, now) => ask(0, key, "", now),
        commit: (key, token, now) => ask(1, key, token, now),
        release: (key, token, now) => ask(2, key, token, now),
      });
    },
    replayKey: (sender, verdict) => told(native.replay_key(...given(`${sender}\n${verdict}`))),
    generateSecret: () => told(native.generate(...given(crypto.getRandomValues(new Uint8Array(32))))),
  };
}

/** Closes what was opened, at the latest when nobody holds it any more. */
interface Closer {
  close(opened: number): void;
  register(holder: object, opened: number): void;
}

function closer(close: (opened: number) => void): Closer {
  // Not every host has it; there what was opened stays until the instance goes.
  const registry = globalThis.FinalizationRegistry && new FinalizationRegistry<number>(close);
  return { close, register: (holder, opened) => registry?.register(holder, opened) };
}
