// The providers as their documentation describes them to openid-client, with the gateway's prefix in place of their hosts.

import { readFileSync } from "node:fs";
import * as client from "openid-client";

export const CALLBACK = "http://127.0.0.1:8799/callback";

const { https_url: url, admin_url: admin } = JSON.parse(readFileSync(process.env.GATEWRIGHT_READY, "utf8"));
export const gateway = { url, admin };

/** What a client has to know of a provider. */
export const SHAPES = {
  generic: {
    issuer: "",
    scope: "openid profile email offline_access",
    user: "us_000001",
    machine: true,
    rotates: true,
    nonce: true,
    device: true,
    introspect: true,
  },
  google: {
    issuer: "",
    scope: "openid profile email",
    user: "100000000000000000001",
    nonce: true,
    device: true,
    post: true,
    more: { access_type: "offline", prompt: "consent" },
  },
  github: {
    authorize: "/login/oauth/authorize",
    token: "/login/oauth/access_token",
    userinfo: "/user",
    deviceAt: "/login/device/code",
    scope: "read:user user:email",
    user: "1",
    rotates: true,
    device: true,
    post: true,
    id: "Iv1.github-app",
  },
  linkedin: {
    issuer: "/oauth",
    scope: "openid profile email",
    user: "tU0000001x",
    machine: true,
    post: true,
    introspect: true,
  },
  twitter: {
    authorize: "/i/oauth2/authorize",
    token: "/2/oauth2/token",
    userinfo: "/2/users/me",
    revoke: "/2/oauth2/revoke",
    scope: "tweet.read users.read offline.access",
    user: "1000000000000000001",
    machine: true,
    rotates: true,
  },
};

let sessions = 0;

/** One provider of a session of its own. */
export class Provider {
  constructor(name) {
    this.name = name;
    this.shape = SHAPES[name];
    sessions += 1;
    this.session = `node-${process.pid}-${sessions}`;
    this.root = `${url}/oauth/${name}~${this.session}`;
    /** The last answer that the library read. */
    this.last = undefined;
  }

  /** openid-client, set up for this provider: discovered, or by hand where nothing is published. */
  async config({ secret = "test-secret" } = {}) {
    const { shape, root } = this;
    const id = shape.id ?? "test-client";
    const auth = shape.post ? client.ClientSecretPost(secret) : client.ClientSecretBasic(secret);
    const watched = { [client.customFetch]: (...request) => this.fetch(...request) };
    if (shape.issuer !== undefined) {
      return client.discovery(new URL(root + shape.issuer), id, undefined, auth, watched);
    }
    const config = new client.Configuration(
      {
        issuer: root,
        authorization_endpoint: root + shape.authorize,
        token_endpoint: root + shape.token,
        ...(shape.deviceAt && { device_authorization_endpoint: root + shape.deviceAt }),
        ...(shape.revoke && { revocation_endpoint: root + shape.revoke }),
      },
      id,
      undefined,
      auth,
    );
    config[client.customFetch] = watched[client.customFetch];
    return config;
  }

  /** Google calls the device's address verification_url, which the library does not know. */
  async fetch(address, options) {
    const response = await fetch(address, options);
    const text = await response.clone().text();
    try {
      this.last = JSON.parse(text);
    } catch {
      this.last = undefined;
    }
    if (!this.last?.verification_url) {
      return response;
    }
    const renamed = { ...this.last, verification_uri: this.last.verification_url };
    return new Response(JSON.stringify(renamed), { status: response.status, headers: response.headers });
  }

  /** Where the user is sent back to, with what the client has to remember. */
  async sentBack(config, more = {}) {
    const verifier = client.randomPKCECodeVerifier();
    const state = client.randomState();
    const asked = {
      redirect_uri: CALLBACK,
      scope: this.shape.scope,
      state,
      code_challenge: await client.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      ...this.shape.more,
      ...more,
    };
    const pairs = Object.entries(asked).filter(([, value]) => value !== undefined);
    const to = client.buildAuthorizationUrl(config, Object.fromEntries(pairs));
    const seen = await fetch(to, { redirect: "manual" });
    const back = seen.headers.get("location");
    return { seen, back: back && new URL(back), state, verifier };
  }

  /** A whole login: authorization code with PKCE. */
  async tokens(config) {
    const nonce = this.shape.nonce ? client.randomNonce() : undefined;
    const { back, state, verifier } = await this.sentBack(config, { nonce, max_age: 3600 });
    return client.authorizationCodeGrant(config, back, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: this.shape.issuer !== undefined,
      ...(this.shape.issuer !== undefined && { maxAge: 3600 }),
    });
  }

  /** The user's id, as the provider's userinfo endpoint says it. */
  async user(config, tokens) {
    if (this.shape.issuer !== undefined) {
      return (await client.fetchUserInfo(config, tokens.access_token, this.shape.user)).sub;
    }
    const seen = await client.fetchProtectedResource(
      config,
      tokens.access_token,
      new URL(this.root + this.shape.userinfo),
      "GET",
    );
    const info = await seen.json();
    return String((info.data ?? info).id);
  }

  async admin(path, body) {
    const seen = await fetch(`${admin}/admin/${path}?session=${this.session}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    if (!seen.ok) {
      throw new Error(await seen.text());
    }
  }
}

/** Providers that have this. */
export const those = (wanted) => Object.keys(SHAPES).filter((name) => wanted(SHAPES[name]));
