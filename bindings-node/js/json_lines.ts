/** The values of JSON lines. */

import { Batches } from "./batches.ts";
import { INSPECT, type Inspect, shown } from "./inspect.ts";

export class JsonLines<T> extends Batches<T, T> {
  protected take(value: T): T {
    return value;
  }

  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    return shown("JsonLines", {}, depth, options, inspect);
  }
}
