/**
 * Reads a batch of frames. Numbers are little endian; each frame is `[u32 length of the rest][u32 call][u8 kind][payload]`:
 *
 * | Kind | Payload |
 * |---|---|
 * | 1 ANSWER | `[u16 status][u32 metaLength][u32 bodyLength][u32 large, NONE for a body inline][meta][body]` |
 * | 2 HEAD | `[u16 status][meta]`, of a streamed answer |
 * | 3 CHUNK | `[u32 large or NONE][bytes]`, of its body; or events, `[{event, data, id}]`, or the values of JSON lines |
 * | 4 END | nothing: the end of a body or of a list; of a download JSON, `{elapsedMs, attempts}` |
 * | 5 ERROR | the error as JSON |
 * | 6 ASK | a question as JSON; the call is 0 |
 *
 * A whole answer keeps its batch and its place in it. It is decoded when it is looked at.
 */

import type { Frames } from "./calls.ts";
import { Meta } from "./meta.ts";
import { Response } from "./response.ts";
import { decode } from "./text.ts";

const NONE = 0xffffffff;

/** The head of a streamed answer. */
export interface Head {
  readonly status: number;
  readonly meta: Meta;
}

function u32(bytes: Uint8Array, at: number): number {
  // A batch is whole: every place below is inside of it.
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

export function readFrames(batch: Uint8Array, large: Uint8Array[], frames: Frames): void {
  const size = batch.length;
  for (let at = 0; at + 9 <= size; ) {
    const end = at + 4 + u32(batch, at);
    const call = u32(batch, at + 4);
    const payload = at + 9;
    switch (batch[at + 8]) {
      case 1: {
        const meta = payload + 14;
        const body = meta + u32(batch, payload + 2);
        const index = u32(batch, payload + 10);
        const status = u16(batch, payload);
        frames.answer(
          call,
          index === NONE
            ? new Response(status, batch, meta, body, batch, body, body + u32(batch, payload + 6))
            : fromLarge(status, batch, meta, body, large[index] as Uint8Array),
        );
        break;
      }
      case 2:
        // The head of a stream may live long: it does not keep the batch.
        frames.head(call, {
          status: u16(batch, payload),
          meta: new Meta(batch.slice(payload + 2, end), 0, end - payload - 2),
        });
        break;
      case 3: {
        const index = u32(batch, payload);
        frames.chunk(call, index === NONE ? copy(batch, payload + 4, end) : plain(large[index] as Uint8Array));
        break;
      }
      case 4:
        frames.end(call, payload < end ? decode(batch, payload, end) : undefined);
        break;
      case 5:
        frames.error(call, decode(batch, payload, end));
        break;
      case 6:
        frames.ask(decode(batch, payload, end));
        break;
      default:
      // A frame of a later version: nobody waits for it.
    }
    at = end;
  }
}

function fromLarge(status: number, batch: Uint8Array, meta: number, metaEnd: number, body: Uint8Array): Response {
  // The batch may hold many other answers: a body that is kept keeps just its own meta.
  const own = batch.slice(meta, metaEnd);
  return new Response(status, own, 0, own.length, plain(body), 0, body.length);
}

/** Node's `Buffer` has methods of the same names that do other things: `slice` is a view. */
function plain(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A copy that is a plain `Uint8Array`, whatever the batch is. */
function copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const piece = new Uint8Array(end - start);
  piece.set(bytes.subarray(start, end));
  return piece;
}
