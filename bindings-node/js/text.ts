/** Bytes to text and back, by the fastest way the host has. */

interface NodeBuffer {
  utf8Slice(this: Uint8Array, start: number, end: number): string;
  latin1Slice(this: Uint8Array, start: number, end: number): string;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Node's own slices take a range of any bytes, and skip what makes a `TextDecoder` slow for short texts. */
const buffer = (globalThis as { Buffer?: { prototype: Partial<NodeBuffer> } }).Buffer?.prototype;
const utf8Slice = buffer?.utf8Slice;

/** UTF-8 to text. A byte order mark is dropped, wrong bytes become U+FFFD. */
export const decode: (bytes: Uint8Array, start: number, end: number) => string =
  utf8Slice === undefined
    ? (bytes, start, end) => decoder.decode(bytes.subarray(start, end))
    : (bytes, start, end) => {
        const from =
          bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf && end - start >= 3
            ? start + 3
            : start;
        return utf8Slice.call(bytes, from, end);
      };

/** Text to UTF-8. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Bytes from base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at++) {
    bytes[at] = raw.charCodeAt(at);
  }
  return bytes;
}

/** What a value is, in words for an error: never the value itself, which may be a secret. */
export function kindOf(value: unknown): string {
  if (value === null) {
    return "null";
  }
  if (Array.isArray(value)) {
    return "a list";
  }
  switch (typeof value) {
    case "undefined":
      return "undefined";
    case "object": {
      const name: unknown = (value as object).constructor?.name;
      return typeof name === "string" && name !== "" && name !== "Object" ? `a ${name}` : "an object";
    }
    case "number":
      return Number.isFinite(value) ? "a number" : String(value);
    default:
      return `a ${typeof value}`;
  }
}
