/**
 * Logging in and out by OAuth 2. What goes between is the native half's: state, PKCE, and the tokens, which stay there.
 *
 * | State of a login | Event | Next |
 * |---|---|---|
 * | begun | `finish`, `wait` | over, whether it worked or not |
 * | begun | collected as garbage | over: it is forgotten |
 */

import type { LoginOptions, OAuthTokens } from "../types/shared.js";
import { nextNumber, told } from "./calls.ts";
import { invalidRequest } from "./errors.ts";
import type { NativeClient } from "./native.ts";
import { signalOf, type Watch, watchOf } from "./signals.ts";
import { kindOf } from "./text.ts";

const abandoned = new FinalizationRegistry<{ native: NativeClient; login: number }>(({ native, login }) =>
  native.dropLogin(login),
);

/** A login that was begun. */
class Begun {
  readonly #native: NativeClient;
  readonly #keep: object | undefined;
  readonly #login: number;

  constructor(native: NativeClient, keep: object | undefined, login: number) {
    this.#native = native;
    this.#keep = keep;
    this.#login = login;
    abandoned.register(this, { native, login }, this);
  }

  protected async end(redirect: string | undefined, options: LoginOptions | undefined): Promise<OAuthTokens> {
    const watch = watchIn(options);
    abandoned.unregister(this);
    const tokens = await told<OAuthTokens>(this.#keep, watch, (call) =>
      this.#native.endLogin(call, this.#login, redirect),
    );
    return tokens as OAuthTokens;
  }
}

export class AuthorizationLogin extends Begun {
  readonly url: string;

  constructor(native: NativeClient, keep: object | undefined, login: number, { url }: { url: string }) {
    super(native, keep, login);
    this.url = url;
  }

  finish(redirectUrl: string | URL, options?: LoginOptions): Promise<OAuthTokens> {
    return this.end(String(redirectUrl), options);
  }
}

export class LoopbackLogin extends Begun {
  readonly url: string;

  constructor(native: NativeClient, keep: object | undefined, login: number, { url }: { url: string }) {
    super(native, keep, login);
    this.url = url;
  }

  wait(options?: LoginOptions): Promise<OAuthTokens> {
    return this.end(undefined, options);
  }
}

/** What a device shows its user. */
interface DeviceTold {
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete: string | null;
  readonly expiresInMs: number;
}

export class DeviceLogin extends Begun {
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete: string | null;
  readonly expiresInMs: number;

  constructor(native: NativeClient, keep: object | undefined, login: number, told: DeviceTold) {
    super(native, keep, login);
    this.userCode = told.userCode;
    this.verificationUri = told.verificationUri;
    this.verificationUriComplete = told.verificationUriComplete;
    this.expiresInMs = told.expiresInMs;
  }

  wait(options?: LoginOptions): Promise<OAuthTokens> {
    return this.end(undefined, options);
  }
}

type LoginClass<T, Told> = new (native: NativeClient, keep: object | undefined, login: number, told: Told) => T;

export class OAuthFlow {
  readonly #native: NativeClient;
  readonly #keep: object | undefined;
  readonly #credential: string | undefined;

  constructor(native: NativeClient, keep: object | undefined, credential: string | undefined) {
    if (credential !== undefined && typeof credential !== "string") {
      throw invalidRequest(`\`credential\` must be the name of a credential, not ${kindOf(credential)}`);
    }
    this.#native = native;
    this.#keep = keep;
    this.#credential = credential;
  }

  authorization(redirectUri: string | URL, options?: LoginOptions): Promise<AuthorizationLogin> {
    return this.#begin(AuthorizationLogin, { kind: "authorization", redirectUri: String(redirectUri) }, options);
  }

  loopback(options?: LoginOptions & { readonly timeout?: number }): Promise<LoopbackLogin> {
    const { timeout } = options ?? {};
    const timeoutMs = timeout === undefined ? {} : { timeoutMs: timeout };
    return this.#begin(LoopbackLogin, { kind: "loopback", ...timeoutMs }, options);
  }

  device(options?: LoginOptions): Promise<DeviceLogin> {
    return this.#begin(DeviceLogin, { kind: "device" }, options);
  }

  async revoke(options?: LoginOptions): Promise<void> {
    await told(this.#keep, watchIn(options), (call) => this.#native.logOut(call, this.#credential));
  }

  async #begin<T, Told>(of: LoginClass<T, Told>, way: object, options: LoginOptions | undefined): Promise<T> {
    const json = JSON.stringify({ ...way, credential: this.#credential ?? null });
    const login = nextNumber();
    const shown = await told<Told>(this.#keep, watchIn(options), (call) => this.#native.beginLogin(call, login, json));
    return new of(this.#native, this.#keep, login, shown as Told);
  }
}

function watchIn(options: LoginOptions | undefined): Watch | undefined {
  const { signal } = options ?? {};
  return signal === undefined || signal === null ? undefined : watchOf(signalOf(signal));
}
