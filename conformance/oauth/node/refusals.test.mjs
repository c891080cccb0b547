// What must be refused is, at each provider, with the codes of the RFCs, or with GitHub's own where it has its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as client from "openid-client";
import { CALLBACK, Provider, SHAPES, those } from "./provider.mjs";

const isGitHub = (name) => name === "github";

/** Whether the library says this of its refusal. */
const because = (words) => (error) => words.test(String(error.cause));

/** Redeems a code and says the error that the provider gave. */
async function refused(provider, config, { back, state, verifier }, changes = {}) {
  const checks = { pkceCodeVerifier: verifier, expectedState: state, ...changes };
  await assert.rejects(client.authorizationCodeGrant(config, back, checks));
  return provider.last.error;
}

for (const name of Object.keys(SHAPES)) {
  test(`${name}: PKCE cannot be left out or weakened`, async () => {
    const provider = new Provider(name);
    const config = await provider.config();
    for (const change of [
      { code_challenge: undefined, code_challenge_method: undefined },
      { code_challenge: "a".repeat(43), code_challenge_method: "plain" },
    ]) {
      const step = await provider.sentBack(config, change);
      await assert.rejects(
        client.authorizationCodeGrant(config, step.back, { expectedState: step.state }),
        (error) => error instanceof client.AuthorizationResponseError && error.error === "invalid_request",
      );
    }
    const step = await provider.sentBack(config);
    const error = await refused(provider, config, step, { pkceCodeVerifier: "b".repeat(43) });
    assert.equal(error, isGitHub(name) ? "bad_verification_code" : "invalid_grant");
  });

  test(`${name}: a code is good once, and its reuse ends what came of it`, async () => {
    const provider = new Provider(name);
    const config = await provider.config();
    const step = await provider.sentBack(config);
    const checks = { pkceCodeVerifier: step.verifier, expectedState: step.state };
    const tokens = await client.authorizationCodeGrant(config, step.back, checks);
    assert.equal(await provider.user(config, tokens), provider.shape.user);
    const error = await refused(provider, config, step);
    assert.equal(error, isGitHub(name) ? "bad_verification_code" : "invalid_grant");
    await assert.rejects(provider.user(config, tokens));
  });

  test(`${name}: a redirect URI is exact`, async () => {
    const provider = new Provider(name);
    const config = await provider.config();
    for (const uri of [`${CALLBACK}/`, "https://evil.example/callback"]) {
      const { seen, back } = await provider.sentBack(config, { redirect_uri: uri });
      if (isGitHub(name)) {
        assert.equal(back.origin + back.pathname, "http://127.0.0.1/callback");
        assert.equal(back.searchParams.get("error"), "redirect_uri_mismatch");
      } else {
        assert.deepEqual([seen.status, back], [400, null]);
      }
    }
    const step = await provider.sentBack(config);
    step.back.port = "8798";
    const error = await refused(provider, config, step);
    assert.equal(error, isGitHub(name) ? "redirect_uri_mismatch" : "invalid_grant");
  });

  test(`${name}: a wrong secret is refused`, async () => {
    const provider = new Provider(name);
    const config = await provider.config({ secret: "wrong" });
    const error = await refused(provider, config, await provider.sentBack(config));
    assert.equal(error, isGitHub(name) ? "incorrect_client_credentials" : "invalid_client");
  });

  test(`${name}: a state of another login is noticed, and nothing is sent`, async () => {
    const provider = new Provider(name);
    const config = await provider.config();
    const step = await provider.sentBack(config);
    provider.last = undefined;
    const checks = { pkceCodeVerifier: step.verifier, expectedState: "of-another" };
    await assert.rejects(client.authorizationCodeGrant(config, step.back, checks), because(/state/));
    assert.equal(provider.last, undefined);
  });
}

for (const name of those((shape) => shape.rotates)) {
  test(`${name}: a refresh token used twice ends its family`, async () => {
    const provider = new Provider(name);
    const config = await provider.config();
    const stolen = (await provider.tokens(config)).refresh_token;
    const next = await client.refreshTokenGrant(config, stolen);
    for (const token of [stolen, next.refresh_token]) {
      await assert.rejects(client.refreshTokenGrant(config, token));
      assert.equal(provider.last.error, isGitHub(name) ? "bad_refresh_token" : "invalid_grant");
    }
    await assert.rejects(provider.user(config, next));
  });
}

test("generic: an answer that is from another issuer is refused", async () => {
  const provider = new Provider("generic");
  await provider.admin("session", { oauth: { iss: "https://evil.example" } });
  const config = await provider.config();
  const step = await provider.sentBack(config);
  provider.last = undefined;
  const checks = { pkceCodeVerifier: step.verifier, expectedState: step.state };
  await assert.rejects(client.authorizationCodeGrant(config, step.back, checks), because(/iss/));
  assert.equal(provider.last, undefined);
});
