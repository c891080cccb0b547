/** Holds the implementation to the types that are published: this is checked by `tsc` and never run. */

import type * as published from "../types/index.js";
import type * as publishedTesting from "../types/testing.js";
import type * as publishedWebhooks from "../types/webhooks.js";
import type * as made from "./node/index.ts";
import type * as madeTesting from "./node/testing.ts";
import type * as madeWebhooks from "./node/webhooks.ts";

type Published = typeof published;
type Made = typeof made;

/** What is made can be used as what is published. */
({}) as Made satisfies Published;
({}) as typeof madeWebhooks satisfies typeof publishedWebhooks;

({}) as InstanceType<typeof madeTesting.Session> satisfies Omit<publishedTesting.Session, "gateway" | "client">;
({}) as Members<typeof madeTesting.Gateway.prototype> satisfies Members<publishedTesting.Gateway>;
null as Exclude<keyof typeof madeTesting, keyof typeof publishedTesting> satisfies never;
type Members<T> = Omit<{ [name in keyof T]: T[name] }, "session">;

/** Nothing is exported that is not published. */
type Extra = Exclude<keyof Made, keyof Published> | Exclude<keyof typeof madeWebhooks, keyof typeof publishedWebhooks>;
({}) as { [name in Extra]: never } satisfies Record<never, never>;
null as Extra | null satisfies null;

/** What is made has every member that is published, with its type. */
type Instances = {
  [name in keyof Published]: Published[name] extends { readonly prototype: infer P } ? P : never;
};
type MadeInstances = {
  [name in keyof Published]: Made[name] extends { readonly prototype: infer P } ? P : never;
};
({}) as MadeInstances satisfies Instances;
