/** The package as ESM and as CommonJS: the same names, and the same classes. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

import { HERE, NAME, nodeOnly, sdk, webhooks } from "./package.mjs";

const require = createRequire(HERE);

const NAMES = [
  "AuthenticationError",
  "AuthorizationLogin",
  "BadRequestError",
  "CircuitOpenError",
  "Client",
  "ClosedError",
  "ConflictError",
  "ConnectError",
  "ConnectionLostError",
  "CrossOriginError",
  "DecodeError",
  "DeviceLogin",
  "Download",
  "GatewrightError",
  "HookError",
  "InsecureUrlError",
  "InvalidConfigError",
  "InvalidRequestError",
  "JsonLines",
  "LoopbackLogin",
  "MemoryReplayGuard",
  "NotCachedError",
  "NotFoundError",
  "OAuthFlow",
  "OutcomeUnknownError",
  "PermissionDeniedError",
  "PreconditionFailedError",
  "ProtocolError",
  "RateLimitedError",
  "RedirectError",
  "RedisQuota",
  "Response",
  "ResponseTooLargeError",
  "ServerError",
  "ServerEvent",
  "ServerEvents",
  "StreamResponse",
  "TimeoutError",
  "TlsError",
  "TokenError",
  "UnprocessableError",
  "Webhook",
  "WebhookError",
  "WebhookEvents",
  "WebhookKeyError",
  "WebhookVerificationError",
  "generateSecret",
  "redisQuota",
  "version",
];

test("the public names, in both", () => {
  assert.deepEqual(
    Object.keys(sdk)
      .filter((name) => name !== "default")
      .sort(),
    NAMES,
  );
  assert.deepEqual(Object.keys(require(NAME)).sort(), NAMES);
  const ofWebhooks = NAMES.filter((name) => /webhook|secret|replay/i.test(name));
  assert.deepEqual(
    Object.keys(webhooks)
      .filter((name) => name !== "default")
      .sort(),
    ofWebhooks,
  );
  assert.deepEqual(Object.keys(require(`${NAME}/webhooks`)).sort(), ofWebhooks);
});

test("import and require give the same classes", nodeOnly("each form is a module of its own"), () => {
  for (const name of NAMES) {
    assert.equal(require(NAME)[name], sdk[name], name);
  }
  assert.equal(require(`${NAME}/webhooks`).Webhook, webhooks.Webhook);
  assert.throws(
    () => new (require(NAME).Client)("nonsense"),
    (error) => error instanceof sdk.InvalidConfigError && error instanceof sdk.GatewrightError,
  );
});

test("the version is the package's", () => {
  assert.equal(sdk.version, require(`${NAME}/package.json`).version);
});

test("files inside of the package are not to be imported", () => {
  assert.throws(() => require(`${NAME}/dist/index.cjs`), { code: "ERR_PACKAGE_PATH_NOT_EXPORTED" });
});
