/** What answers have in common, read whole or streamed. */

import type { Attempt, CacheStatus } from "../types/shared.js";
import { INSPECT, type Inspect, shown } from "./inspect.ts";
import type { Meta, MetaJson } from "./meta.ts";

export abstract class Answer {
  readonly status: number;

  constructor(status: number) {
    this.status = status;
  }

  protected abstract meta(): Meta;

  /** All that came with an answer. */
  static facts(answer: Answer): MetaJson {
    return answer.meta().facts();
  }

  abstract get [Symbol.toStringTag](): string;

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  get headers(): Headers {
    return this.meta().headers();
  }

  get url(): string {
    return this.meta().facts().url;
  }

  get method(): string {
    return this.meta().facts().method;
  }

  get requestId(): string | null {
    return this.meta().facts().requestId;
  }

  get attempts(): readonly Attempt[] {
    return this.meta().facts().attempts;
  }

  get cacheStatus(): CacheStatus | null {
    return this.meta().facts().cache ?? null;
  }

  get fromCache(): boolean {
    return this.cacheStatus !== null && this.cacheStatus !== "miss";
  }

  get elapsedMs(): number {
    return this.meta().facts().elapsedMs;
  }

  timeline(): string {
    return this.meta().timeline();
  }

  /** The URL is left out: what a program put into its query is not for every log. */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    const { status, method, requestId, elapsedMs } = this;
    return shown(this[Symbol.toStringTag], { status, method, requestId, elapsedMs }, depth, options, inspect);
  }
}
