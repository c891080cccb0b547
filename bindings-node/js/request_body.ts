/** Bodies of requests, as they are given, into what the native half sends. Content types are set as `fetch` sets them. */

import { invalidRequest } from "./errors.ts";
import { kindOf } from "./text.ts";
import { isStream, type Source } from "./uploads.ts";

/** A body as it is sent. */
export interface RequestBody {
  /** The whole of it, where it is not a stream. */
  readonly content?: string | Uint8Array;
  readonly contentType?: string;
  /** Makes the stream, where it is one. */
  readonly source?: Source;
  /** Whether the stream can be made again for another attempt. */
  readonly replayable?: boolean;
  readonly length?: number;
}

const JSON_TYPE = "application/json";
const TEXT_TYPE = "text/plain;charset=UTF-8";
const FORM_TYPE = "application/x-www-form-urlencoded;charset=UTF-8";

/** A Blob of up to so many bytes is read into memory; a larger one is streamed, anew for each attempt. */
const SMALL_BLOB = 1024 * 1024;

export function jsonBody(value: unknown): RequestBody {
  let content: string | undefined;
  try {
    content = JSON.stringify(value);
  } catch (error) {
    throw invalidRequest(
      `\`json\` cannot be encoded as JSON: ${error instanceof Error ? firstLine(error.message) : String(error)}`,
      { cause: error },
    );
  }
  if (content === undefined) {
    throw invalidRequest(`\`json\` cannot be encoded as JSON: JSON has nothing for ${kindOf(value)}`);
  }
  return { content, contentType: JSON_TYPE };
}

/** V8 draws a picture of a circle, over several lines. */
function firstLine(text: string): string {
  return text.split("\n", 1)[0] as string;
}

/** The body of a request. Forms with files and small Blobs have to be read first. */
export function requestBody(body: unknown): RequestBody | Promise<RequestBody> {
  if (typeof body === "string") {
    return { content: body, contentType: TEXT_TYPE };
  }
  if (body instanceof Uint8Array) {
    return { content: body };
  }
  if (ArrayBuffer.isView(body)) {
    return { content: new Uint8Array(body.buffer, body.byteOffset, body.byteLength) };
  }
  if (isArrayBuffer(body)) {
    return { content: new Uint8Array(body) };
  }
  if (body instanceof URLSearchParams) {
    return { content: body.toString(), contentType: FORM_TYPE };
  }
  if (typeof FormData !== "undefined" && body instanceof FormData) {
    return formBody(body);
  }
  if (typeof Blob !== "undefined" && body instanceof Blob) {
    return blobBody(body);
  }
  if (typeof body === "function") {
    return { source: body as Source, replayable: true };
  }
  if (isStream(body)) {
    return streamBody(body);
  }
  throw invalidRequest(
    `\`body\` must be text, bytes, URLSearchParams, FormData, a Blob, a stream or a function that makes one, not ${kindOf(body)}${
      typeof body === "object" ? "; `json` takes values that are to be encoded" : ""
    }`,
  );
}

function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return (
    value instanceof ArrayBuffer || (typeof SharedArrayBuffer !== "undefined" && value instanceof SharedArrayBuffer)
  );
}

/** The host's own encoding of forms: with a boundary that is in the content type. */
async function formBody(form: FormData): Promise<RequestBody> {
  const encoded = new globalThis.Response(form);
  return {
    content: new Uint8Array(await encoded.arrayBuffer()),
    contentType: encoded.headers.get("content-type") ?? "multipart/form-data",
  };
}

function blobBody(blob: Blob): RequestBody | Promise<RequestBody> {
  const type = blob.type === "" ? {} : { contentType: blob.type };
  if (blob.size > SMALL_BLOB) {
    return { source: () => blob.stream(), replayable: true, length: blob.size, ...type };
  }
  return blob.arrayBuffer().then((buffer) => ({ content: new Uint8Array(buffer), ...type }));
}

function streamBody(stream: unknown): RequestBody {
  if ((stream as ReadableStream).locked === true) {
    throw invalidRequest("`body` is a stream that somebody else reads");
  }
  return { source: () => stream, replayable: false };
}
