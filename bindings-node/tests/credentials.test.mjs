/** Named credentials, tokens of OAuth 2, and signatures. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";

import { bodyOf, rejection, Session } from "./gateway.mjs";
import { sdk } from "./package.mjs";

const PATH = "/v1/contacts/ct_000001";

/** A client that gets its tokens of the session's authorization server. */
function withOAuth(session, oauth = {}) {
  const tokenUrl = new URL(`/oauth/generic~${session.id}/token`, session.url);
  const auth = { oauth: { clientId: "test-client", clientSecret: "test-secret", tokenUrl, ...oauth } };
  return session.client({ auth });
}

const ops = async (session) => (await session.journal()).map((entry) => entry.op);

test("a call goes with the credential that it names", async () => {
  const session = new Session();
  const client = session.client({
    auth: "sk_test_unlimited_acme",
    credentials: {
      other: { bearer: "sk_test_unlimited_globex" },
      basic: { basic: ["user", "password"] },
    },
    throwOnError: false,
  });
  await client.get(PATH);
  await client.get(PATH, { credential: "other" });
  await client.get(PATH, { credential: "basic" });
  await client.get(PATH, { credential: false });
  assert.deepEqual(await session.headerOf("authorization"), [
    // The journal shows just their ends.
    "Bearer ***acme",
    "Bearer ***obex",
    "Basic ***",
    undefined,
  ]);
});

test("a credential that there is not is refused, and nothing is sent", async () => {
  const session = new Session();
  const client = session.client({ credentials: { one: { bearer: "token" } } });
  const error = await rejection(client.get(PATH, { credential: "two" }));
  assert.ok(error instanceof sdk.InvalidRequestError);
  assert.match(error.message, /two/);
  const wrong = await rejection(client.get(PATH, { credential: true }));
  assert.match(wrong.message, /`credential` must be the name of a credential, or false for none/);
  assert.deepEqual(await session.journal(), []);
});

test("a token is asked for once, and renewed where the server refuses it", async () => {
  const session = new Session();
  const client = withOAuth(session, { scopes: ["contacts:read"], parameters: { color: "blue" } });
  const answers = await Promise.all([1, 2, 3].map(() => client.get(PATH)));
  assert.ok(answers.every((answer) => answer.status === 200));
  assert.deepEqual(await ops(session), ["oauth.token", "contacts.get", "contacts.get", "contacts.get"]);
  const [asked, ...calls] = await session.journal();
  const form = new URLSearchParams(bodyOf(asked).toString());
  assert.equal(form.get("grant_type"), "client_credentials");
  assert.equal(form.get("scope"), "contacts:read");
  assert.equal(form.get("color"), "blue");
  const tokens = new Set(calls.map((entry) => Object.fromEntries(entry.headers).authorization));
  assert.equal(tokens.size, 1);
  await session.script("contacts.get", "401");
  assert.equal((await client.get(PATH)).attempts.length, 2);
  assert.equal((await ops(session)).filter((op) => op === "oauth.token").length, 2);
});

test("what the authorization server says is in the error, and no secret is", async () => {
  const session = new Session();
  const client = withOAuth(session, { clientSecret: "not-the-secret" });
  const error = await rejection(client.get(PATH));
  assert.ok(error instanceof sdk.TokenError);
  assert.match(error.message, /invalid_client/);
  assert.ok(!JSON.stringify([error.message, error.stack, error]).includes("not-the-secret"));
  assert.deepEqual(await ops(session), ["oauth.token"]);
});

test("the server's endpoints are found by its issuer", async () => {
  const session = new Session();
  const issuer = `${session.url}/oauth/generic~${session.id}`;
  const client = withOAuth(session, { tokenUrl: undefined, issuer });
  assert.equal((await client.get(PATH)).status, 200);
  assert.equal((await ops(session)).at(-1), "contacts.get");
});

test("an hmac is made anew for each attempt", async () => {
  const session = new Session();
  await session.set({ auth: "off" });
  await session.script("contacts.create", "503");
  const client = session.client({
    auth: {
      hmac: {
        keyId: "key",
        secret: "secret",
        encoding: "hex",
        text: "{method}\n{path}\n{timestamp}",
        headers: { "x-time": "{timestamp}", "x-signature": "{key_id}:{signature}" },
      },
    },
  });
  await client.post("/v1/contacts", { json: { name: "Ada" } });
  const sent = (await session.journal()).map((entry) => Object.fromEntries(entry.headers));
  assert.equal(sent.length, 2);
  for (const headers of sent) {
    const text = `POST\n/v1/contacts\n${headers["x-time"]}`;
    assert.equal(headers["x-signature"], `key:${createHmac("sha256", "secret").update(text).digest("hex")}`);
  }
});

test("a signature goes beside a credential", async () => {
  const session = new Session();
  const secret = Buffer.from("a secret that is long enough").toString("base64");
  const sign = { httpSignature: { keyId: "key", secret, components: ["@method", "@path"], label: "mine" } };
  const client = session.client({ auth: { bearer: "sk_test_unlimited_acme", sign } });
  await client.get(PATH);
  const headers = Object.fromEntries((await session.last()).headers);
  assert.equal(headers.authorization, "Bearer ***acme");
  assert.match(headers["signature-input"], /^mine=\("@method" "@path"\);.*keyid="key"/);
  assert.match(headers.signature, /^mine=:/);
});

test("what cannot be is refused when the client is made", () => {
  const session = new Session();
  const oauth = { clientId: "id", clientSecret: "a-secret", tokenUrl: "https://auth.example.com/token" };
  for (const [options, says] of [
    [{ auth: { oauth: "x" } }, /`auth.oauth` must be an object/],
    [{ auth: { oauth: { ...oauth, tokenURL: "x" } } }, /tokenURL/],
    [{ auth: { oauth: { ...oauth, clientId: undefined } } }, /clientId/],
    [{ auth: { oauth: { ...oauth, tokenUrl: "http://auth.example.com/token" } } }, /https/],
    [{ auth: { oauth, bearer: "x" } }, /do not go together/],
    [{ auth: { bearer: "x", sign: { bearer: "y" } } }, /`auth.sign` must be/],
    [{ auth: { dpop: { token: "x", key: "no key" } } }, /key/],
    [{ credentials: ["x"] }, /`credentials` must be an object/],
    [{ credentials: { x: () => "y" } }, /`credentials.x` cannot be a function/],
    [{ credentials: { "": { bearer: "x" } } }, /credential/],
  ]) {
    const secrets = /a-secret|no key/;
    assert.throws(
      () => session.client(options),
      (error) => says.test(error.message) && !secrets.test(error.message),
      JSON.stringify(options),
    );
  }
});
