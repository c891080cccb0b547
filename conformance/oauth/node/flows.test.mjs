// openid-client, which nobody here wrote, completes each flow of each provider.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as client from "openid-client";
import { gateway, Provider, SHAPES, those } from "./provider.mjs";

const DEVICE = "urn:ietf:params:oauth:grant-type:device_code";
const isOpenId = (shape) => shape.issuer !== undefined;

for (const name of Object.keys(SHAPES)) {
  test(`${name}: a code with PKCE gives tokens that say who the user is`, async () => {
    const provider = new Provider(name);
    const config = await provider.config();
    const tokens = await provider.tokens(config);
    assert.equal(tokens.token_type, "bearer");
    assert.equal(await provider.user(config, tokens), provider.shape.user);
    const claims = tokens.claims();
    assert.equal(claims?.sub, isOpenId(provider.shape) ? provider.shape.user : undefined);
  });

  test(`${name}: a refresh token gives new tokens`, async () => {
    const provider = new Provider(name);
    const config = await provider.config();
    const first = await provider.tokens(config);
    const second = await client.refreshTokenGrant(config, first.refresh_token);
    assert.notEqual(second.access_token, first.access_token);
    const next = second.refresh_token ?? first.refresh_token;
    assert.equal(next !== first.refresh_token, provider.shape.rotates === true);
    assert.equal(await provider.user(config, second), provider.shape.user);
  });

  test(`${name}: a machine gets a token of its own, or is told that there is none`, async () => {
    const provider = new Provider(name);
    const config = await provider.config();
    const asked = client.clientCredentialsGrant(config, { scope: "contacts:read" });
    if (!provider.shape.machine) {
      await assert.rejects(asked);
      assert.equal(provider.last.error, "unsupported_grant_type");
      return;
    }
    const tokens = await asked;
    const seen = await fetch(`${gateway.url}/v1/whoami`, {
      headers: { authorization: `Bearer ${tokens.access_token}`, "x-mock-session": provider.session },
    });
    assert.deepEqual((await seen.json()).scopes, ["contacts:read"]);
  });
}

for (const name of those((shape) => shape.device)) {
  test(`${name}: a device gets tokens when the user has decided`, async () => {
    const provider = new Provider(name);
    const config = await provider.config();
    const device = await client.initiateDeviceAuthorization(config, { scope: provider.shape.scope });
    assert.equal((await fetch(device.verification_uri)).status, 200);
    const poll = () => client.genericGrantRequest(config, DEVICE, { device_code: device.device_code });
    for (const error of ["authorization_pending", "slow_down"]) {
      await assert.rejects(poll());
      assert.equal(provider.last.error, error);
    }
    await provider.admin("clock", { advance_ms: 11_000 });
    await provider.admin("oauth/device", { user_code: device.user_code, decision: "approve" });
    const tokens = await poll();
    assert.equal(await provider.user(config, tokens), provider.shape.user);
  });
}

for (const name of those(isOpenId)) {
  for (const alg of ["RS256", "ES256", "EdDSA"]) {
    test(`${name}: an id token signed with ${alg} is checked against the keys`, async () => {
      const provider = new Provider(name);
      await provider.admin("session", { oauth: { id_token_alg: alg } });
      const config = await provider.config();
      client.enableNonRepudiationChecks(config);
      const tokens = await provider.tokens(config);
      const [header] = tokens.id_token.split(".");
      assert.equal(JSON.parse(Buffer.from(header, "base64url")).alg, alg);
      assert.equal(typeof tokens.claims().auth_time, "number");
      await provider.admin("oauth/rotate-keys", {});
      await provider.tokens(
        await provider.config().then((fresh) => {
          client.enableNonRepudiationChecks(fresh);
          return fresh;
        }),
      );
    });
  }
}

for (const name of those((shape) => shape.introspect)) {
  test(`${name}: introspection tells a token until it is revoked`, async () => {
    const provider = new Provider(name);
    const config = await provider.config();
    const tokens = await provider.tokens(config);
    assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, true);
    await client.tokenRevocation(config, tokens.refresh_token);
    assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, false);
  });
}

test("generic: a pushed request is answered as any other", async () => {
  const provider = new Provider("generic");
  const config = await provider.config();
  const verifier = client.randomPKCECodeVerifier();
  const to = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: "http://127.0.0.1:8799/callback",
    scope: "openid",
    state: "pushed",
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  assert.equal(to.searchParams.get("state"), null);
  const seen = await fetch(to, { redirect: "manual" });
  const tokens = await client.authorizationCodeGrant(config, new URL(seen.headers.get("location")), {
    pkceCodeVerifier: verifier,
    expectedState: "pushed",
    idTokenExpected: true,
  });
  assert.equal(tokens.claims().sub, "us_000001");
});

test("generic: tokens bound by DPoP", async () => {
  const provider = new Provider("generic");
  const config = await provider.config();
  const keys = await client.randomDPoPKeyPair();
  const DPoP = client.getDPoPHandle(config, keys);
  const tokens = await client.clientCredentialsGrant(config, { scope: "contacts:read" }, { DPoP });
  assert.equal(tokens.token_type, "dpop");
  const seen = await client.fetchProtectedResource(
    config,
    tokens.access_token,
    new URL(`${gateway.url}/v1/whoami`),
    "GET",
    null,
    new Headers({ "x-mock-session": provider.session }),
    { DPoP },
  );
  assert.equal(seen.status, 200);
});
