/** A query into pairs. */

import type { Pairs } from "./headers.ts";
import { kindOf } from "./text.ts";

/** `undefined` and `null` are left out, lists repeat the name. `wrong` makes the error for what cannot be. */
export function queryPairs(input: unknown, wrong: (what: string) => Error): Pairs {
  if (typeof input !== "object" || input === null) {
    throw wrong(`\`query\` must be an object, pairs or URLSearchParams, not ${kindOf(input)}`);
  }
  const pairs: Pairs = [];
  if (Symbol.iterator in input) {
    for (const pair of input as Iterable<unknown>) {
      if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string") {
        throw wrong("`query` must have pairs of a name and a value");
      }
      add(pairs, pair[0], pair[1], wrong);
    }
    return pairs;
  }
  for (const [name, value] of Object.entries(input)) {
    if (Array.isArray(value)) {
      for (const one of value) {
        add(pairs, name, one, wrong);
      }
    } else {
      add(pairs, name, value, wrong);
    }
  }
  return pairs;
}

function add(pairs: Pairs, name: string, value: unknown, wrong: (what: string) => Error): void {
  switch (typeof value) {
    case "string":
      pairs.push([name, value]);
      return;
    case "boolean":
    case "bigint":
      pairs.push([name, String(value)]);
      return;
    case "number":
      if (Number.isFinite(value)) {
        pairs.push([name, String(value)]);
        return;
      }
      break;
    default:
      if (value === undefined || value === null) {
        return;
      }
  }
  throw wrong(`\`query\` has a value for \`${name}\` that is ${kindOf(value)}; make it a string`);
}
