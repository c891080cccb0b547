/** Logins of OAuth: by the page of a server, by a loopback redirect, on another device; refresh tokens, token files and stores of one's own. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { rejection, Session } from "./gateway.mjs";
import { notOnFetch, ON_FETCH, sdk } from "./package.mjs";

const PATH = "/v1/contacts/ct_000001";
const CALLBACK = "https://app.example/callback";

/** A client of `public-client`, to which somebody is to log in. */
function withLogin(session, oauth = {}, options = {}) {
  const issuer = `${session.url}/oauth/generic~${session.id}`;
  return session.client({ ...options, auth: { oauth: { clientId: "public-client", issuer, ...oauth } } });
}

/** Goes to a page of the server as a browser does. Where that sends it. */
async function browse(url) {
  const answer = await fetch(url, { redirect: "manual" });
  await answer.arrayBuffer();
  return answer.headers.get("location");
}

const decide = (session, userCode, decision) =>
  session.admin("POST", "oauth/device", { user_code: userCode, decision });

const ops = async (session) => (await session.journal()).map((entry) => entry.op);

test("a login by the server's page brings tokens for the client's calls", async () => {
  const session = new Session();
  const client = withLogin(session, { scopes: ["contacts:read"] });
  const before = await rejection(client.get(PATH));
  assert.ok(before instanceof sdk.TokenError, String(before));
  const flow = client.oauth();
  assert.ok(flow instanceof sdk.OAuthFlow);
  const login = await flow.authorization(CALLBACK);
  assert.ok(login instanceof sdk.AuthorizationLogin);
  assert.match(login.url, /code_challenge_method=S256/);
  const tokens = await login.finish(new URL(await browse(login.url)));
  assert.deepEqual(Object.keys(tokens).sort(), ["expiresInMs", "hasRefreshToken", "idToken", "scope", "tokenType"]);
  assert.equal(tokens.tokenType, "Bearer");
  assert.equal(tokens.hasRefreshToken, true);
  assert.equal((await client.get(PATH)).status, 200);
  assert.ok((await rejection(login.finish(CALLBACK))) instanceof sdk.ClosedError);
  await flow.revoke();
  assert.ok((await ops(session)).includes("oauth.revoke"));
  assert.ok((await rejection(client.get(PATH))) instanceof sdk.TokenError);
});

test("a redirect with another state is refused, and no code is exchanged", async () => {
  const session = new Session();
  const client = withLogin(session);
  const login = await client.oauth().authorization(CALLBACK);
  const redirect = new URL(await browse(login.url));
  redirect.searchParams.set("state", "another");
  const error = await rejection(login.finish(redirect));
  assert.ok(error instanceof sdk.TokenError, String(error));
  assert.match(error.message, /state/);
  assert.ok(!(await ops(session)).includes("oauth.token"));
});

test("a login on another device waits for its user", async () => {
  const session = new Session();
  await session.set({ oauth: { device_interval_s: 0 } });
  for (const decision of ["approve", "deny"]) {
    const client = withLogin(session);
    const login = await client.oauth().device();
    assert.ok(login instanceof sdk.DeviceLogin);
    assert.match(login.userCode, /\S/);
    assert.match(login.verificationUri, /^http/);
    assert.ok(login.verificationUriComplete.includes(login.userCode));
    assert.ok(login.expiresInMs > 0);
    await decide(session, login.userCode, decision);
    if (decision === "approve") {
      await login.wait();
      assert.equal((await client.get(PATH)).status, 200);
    } else {
      const error = await rejection(login.wait());
      assert.ok(error instanceof sdk.TokenError);
      assert.match(error.message, /access_denied/);
    }
  }
});

test("a signal ends the wait for a user", async () => {
  const session = new Session();
  const client = withLogin(session);
  const login = await client.oauth().device();
  const abort = new AbortController();
  const waiting = rejection(login.wait({ signal: abort.signal }));
  abort.abort(new Error("enough"));
  assert.equal((await waiting).message, "enough");
  const aborted = AbortSignal.abort(new Error("no"));
  assert.equal((await rejection(client.oauth().device({ signal: aborted }))).message, "no");
});

test("a login by a loopback redirect", notOnFetch("no port to listen on"), async () => {
  const session = new Session();
  const client = withLogin(session);
  const login = await client.oauth().loopback({ timeout: 60_000 });
  assert.ok(login instanceof sdk.LoopbackLogin);
  const waiting = login.wait();
  const page = await fetch(await browse(login.url));
  assert.equal(page.status, 200);
  await page.arrayBuffer();
  assert.equal((await waiting).tokenType, "Bearer");
  assert.equal((await client.get(PATH)).status, 200);
  const impatient = await client.oauth().loopback({ timeout: 5 });
  assert.ok((await rejection(impatient.wait())) instanceof sdk.TokenError);
});

test("where nothing can listen, a loopback login says so", { skip: !ON_FETCH && "there are ports" }, async () => {
  const session = new Session();
  const error = await rejection(withLogin(session).oauth().loopback());
  assert.ok(error instanceof sdk.InvalidRequestError, String(error));
  assert.match(error.message, /needs a port to listen on/);
});

test("a credential that is not of OAuth has no login", async () => {
  const session = new Session();
  const client = session.client({ credentials: { other: "token" } });
  for (const [credential, says] of [
    [undefined, /the client's own credential is not of OAuth/],
    ["other", /no credential "other" of OAuth/],
  ]) {
    const error = await rejection(client.oauth(credential).device());
    assert.ok(error instanceof sdk.InvalidRequestError, String(error));
    assert.match(error.message, says);
  }
  assert.throws(() => client.oauth(5), sdk.InvalidRequestError);
});

/** A refresh token of a session, as another program got it. */
async function refreshToken(session) {
  const stored = memory();
  const client = withLogin(session, { tokenStore: stored.store });
  const login = await client.oauth().authorization(CALLBACK);
  await login.finish(await browse(login.url));
  return JSON.parse(stored.text).refresh_token;
}

/** A store of one's own. */
function memory() {
  const told = [];
  const kept = {
    text: null,
    told,
    store: {
      load() {
        told.push("load");
        return kept.text;
      },
      async save(tokens) {
        told.push("save");
        kept.text = tokens;
      },
      clear() {
        told.push("clear");
        kept.text = null;
      },
      lock() {
        told.push("lock");
        return true;
      },
      unlock() {
        told.push("unlock");
      },
    },
  };
  return kept;
}

test("a refresh token is rotated: the next one comes from where the tokens are kept", async () => {
  const session = new Session();
  const first = await refreshToken(session);
  const kept = memory();
  const client = withLogin(session, { refreshToken: first, tokenStore: kept.store });
  assert.equal((await client.get(PATH)).status, 200);
  const second = JSON.parse(kept.text).refresh_token;
  assert.notEqual(second, first);
  await session.admin("POST", "oauth/revoke", {});
  assert.equal((await client.get(PATH)).status, 200);
  assert.notEqual(JSON.parse(kept.text).refresh_token, second);
  // Another client, with the token that is used up: what is stored counts.
  const later = withLogin(session, { refreshToken: first, tokenStore: kept.store });
  assert.equal((await later.get(PATH)).status, 200);
  for (const what of ["load", "save", "lock", "unlock"]) {
    assert.ok(kept.told.includes(what), what);
  }
  await client.oauth().revoke();
  assert.equal(kept.text, null);
});

test("a store that fails is in the error, and one that is none is refused", async () => {
  const session = new Session();
  const { store } = memory();
  const failing = {
    ...store,
    load() {
      throw new Error("the keychain is locked");
    },
  };
  const error = await rejection(withLogin(session, { tokenStore: failing }).get(PATH));
  assert.ok(error instanceof sdk.TokenError, String(error));
  assert.match(error.message, /the keychain is locked/);
  const wrong = await rejection(withLogin(session, { tokenStore: { ...store, load: () => 5 } }).get(PATH));
  assert.match(wrong.message, /`load` of the token store must give a string, null or undefined/);
  assert.throws(() => withLogin(session, { tokenStore: 5 }), /`auth.oauth.tokenStore` must be an object/);
  assert.throws(() => withLogin(session, { tokenStore: { load() {} } }), /must have a function `save`/);
});

test("a named credential has a login and a store of its own", async () => {
  const session = new Session();
  const kept = memory();
  const issuer = `${session.url}/oauth/generic~${session.id}`;
  const client = session.client({
    credentials: { ada: { oauth: { clientId: "public-client", issuer, tokenStore: kept.store } } },
  });
  const login = await client.oauth("ada").authorization(CALLBACK);
  await login.finish(await browse(login.url));
  assert.ok(kept.text !== null);
  assert.equal((await client.get(PATH, { credential: "ada" })).status, 200);
});

test("a token file keeps the tokens from run to run", notOnFetch("no files"), async (t) => {
  const session = new Session();
  const folder = await mkdtemp(join(tmpdir(), "gatewright-"));
  t.after(() => rm(folder, { recursive: true }));
  const tokenFile = join(folder, "tokens.json");
  const first = withLogin(session, { tokenFile });
  const login = await first.oauth().authorization(CALLBACK);
  await login.finish(await browse(login.url));
  if (process.platform !== "win32") {
    assert.equal((await stat(tokenFile)).mode & 0o777, 0o600);
  }
  const second = withLogin(session, { tokenFile });
  assert.equal((await second.get(PATH)).status, 200);
  assert.equal((await ops(session)).filter((op) => op === "oauth.token").length, 1);
  const before = await readFile(tokenFile, "utf8");
  await session.admin("POST", "oauth/revoke", {});
  assert.equal((await second.get(PATH)).status, 200);
  assert.notEqual(await readFile(tokenFile, "utf8"), before);
  await second.oauth().revoke();
  assert.ok((await rejection(withLogin(session, { tokenFile }).get(PATH))) instanceof sdk.TokenError);
});

test("a token file needs files", { skip: !ON_FETCH && "there are files" }, () => {
  const session = new Session();
  assert.throws(
    () => withLogin(session, { tokenFile: "tokens.json" }),
    (error) => error instanceof sdk.InvalidConfigError && /tokenFile/.test(error.message),
  );
});
