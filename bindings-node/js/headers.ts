/** Headers as anybody may have them, into pairs, and back into the host's `Headers`. */

import { kindOf } from "./text.ts";

/** A list of names and values. */
export type Pairs = [name: string, value: string][];

/**
 * Headers into pairs.
 *
 * @param wrong Makes the error for what cannot be.
 */
export function headerPairs(input: unknown, wrong: (what: string) => Error): Pairs {
  if (typeof input !== "object" || input === null) {
    throw wrong(`\`headers\` must be an object, pairs or Headers, not ${kindOf(input)}`);
  }
  const pairs: Pairs = [];
  if (Symbol.iterator in input) {
    for (const pair of input as Iterable<unknown>) {
      if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string") {
        throw wrong("`headers` must have pairs of a name and a value");
      }
      pairs.push([pair[0], headerValue(pair[0], pair[1], wrong)]);
    }
    return pairs;
  }
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined) {
      continue;
    }
    if (Array.isArray(value)) {
      for (const one of value) {
        pairs.push([name, headerValue(name, one, wrong)]);
      }
    } else {
      pairs.push([name, headerValue(name, value, wrong)]);
    }
  }
  return pairs;
}

function headerValue(name: string, value: unknown, wrong: (what: string) => Error): string {
  if (typeof value === "string") {
    return value;
  }
  if (typeof value === "number" && Number.isFinite(value)) {
    return String(value);
  }
  throw wrong(`\`headers\` has a value for \`${name}\` that is ${kindOf(value)}; it must be a string or a number`);
}

/** The host's headers of these pairs. What it refuses (a server may send anything) is left out. */
export function headersOf(pairs: readonly (readonly [string, string])[]): Headers {
  const headers = new Headers();
  for (const [name, value] of pairs) {
    try {
      headers.append(name, value);
    } catch {
      // No header of HTTP: nobody could ask for it by name either.
    }
  }
  return headers;
}
