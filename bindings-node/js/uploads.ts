/** Streams as bodies of requests: opened for an attempt, read piece by piece as the native half asks, closed when the call is over. */

import { encode, kindOf } from "./text.ts";

/** Gives the pieces of a body. */
interface Pieces {
  next(): Promise<unknown>;
  close(): void;
}

/** Makes the stream for an attempt; one that can be made once only says so. */
export type Source = () => unknown;

class Upload {
  readonly source: Source;
  readonly open = new Map<number, Pieces>();

  constructor(source: Source) {
    this.source = source;
  }
}

const uploads = new Map<number, Upload>();

/** The call has a stream as its body. */
export function keepUpload(call: number, source: Source): void {
  uploads.set(call, new Upload(source));
}

/** The call is over: its streams are cancelled. */
export function closeUpload(call: number): void {
  if (uploads.size === 0) {
    return;
  }
  const upload = uploads.get(call);
  if (upload !== undefined) {
    uploads.delete(call);
    for (const pieces of upload.open.values()) {
      pieces.close();
    }
  }
}

/** Makes the stream for an attempt. */
export async function openStream(call: number, stream: number): Promise<undefined> {
  const upload = uploads.get(call);
  if (upload === undefined) {
    throw new Error("the call is over");
  }
  const pieces = piecesOf(await upload.source());
  if (uploads.get(call) === upload) {
    upload.open.set(stream, pieces);
  } else {
    pieces.close();
  }
}

/** The next piece; nothing at the end. */
export async function nextPiece(call: number, stream: number): Promise<Uint8Array | undefined> {
  const pieces = uploads.get(call)?.open.get(stream);
  if (pieces === undefined) {
    throw new Error("the call is over");
  }
  for (;;) {
    const piece = await pieces.next();
    if (piece === undefined) {
      uploads.get(call)?.open.delete(stream);
      return undefined;
    }
    const bytes = bytesOf(piece);
    if (bytes.length > 0) {
      return bytes;
    }
  }
}

/** The native half needs no more of it. */
export function closeStream(call: number, stream: number): void {
  const open = uploads.get(call)?.open;
  const pieces = open?.get(stream);
  if (pieces !== undefined) {
    open?.delete(stream);
    pieces.close();
  }
}

function bytesOf(piece: unknown): Uint8Array {
  if (piece instanceof Uint8Array) {
    return piece;
  }
  if (typeof piece === "string") {
    return encode(piece);
  }
  if (ArrayBuffer.isView(piece)) {
    return new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  }
  if (piece instanceof ArrayBuffer) {
    return new Uint8Array(piece);
  }
  throw new TypeError(`a stream as body must give bytes or strings, not ${kindOf(piece)}`);
}

/** Whether this is a stream that can be a body. */
export function isStream(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    (typeof (value as ReadableStream).getReader === "function" || Symbol.asyncIterator in value)
  );
}

function piecesOf(stream: unknown): Pieces {
  if (!isStream(stream)) {
    throw new TypeError(
      `the function that makes the body must give a ReadableStream or an async iterable, not ${kindOf(stream)}`,
    );
  }
  // A ReadableStream is read by its reader: not every host has made it iterable.
  if (typeof (stream as ReadableStream).getReader === "function") {
    const reader = (stream as ReadableStream).getReader();
    return {
      next: () => reader.read().then(({ done, value }) => (done ? undefined : value)),
      close: () => void reader.cancel().catch(ignore),
    };
  }
  const iterator = (stream as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  return {
    next: () => Promise.resolve(iterator.next()).then(({ done, value }) => (done ? undefined : value)),
    close: () => {
      // A generator that is in the middle of a piece ends after it; what it says then is of no use to anybody.
      try {
        Promise.resolve(iterator.return?.()).catch(ignore);
      } catch {
        // The same.
      }
    },
  };
}

function ignore(): void {}
