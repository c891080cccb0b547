package dev.gatewright

import dev.gatewright.internal.JsonText
import kotlin.time.Duration

/**
 * How requests prove who they are; see [ClientConfig.auth].
 *
 * ```
 * auth = Auth.bearer("sk_live_...")
 * auth = Auth.token { Token(identity.fetch(), expiresIn = 1.hours) }
 * ```
 *
 * Credentials are put on each attempt as it is sent, never go to another origin, and are never part of an error, a log or [toString].
 */
public sealed class Auth {
    /** Writes the members of this credential into a client's settings. */
    internal abstract fun members(json: JsonText)

    /** Writes this credential into a client's settings. */
    internal fun write(json: JsonText) {
        json.beginObject()
        members(json)
        json.endObject()
    }

    /** The function that gives tokens, where there is one. */
    internal open val token: (suspend () -> Token)?
        get() = null

    /** The program's own store of its tokens, where there is one. */
    internal open val store: TokenStore?
        get() = null

    /**
     * This credential, and a [signature] beside it. It is for credentials that sign nothing themselves: not for [Auth.dpop], nor for an OAuth with
     * a key for DPoP, nor for a token callback.
     */
    public fun signedBy(signature: Signature): Auth = Signed(this, signature)

    private class Fixed(
        private val shown: String,
        private vararg val members: Pair<String, String>,
    ) : Auth() {
        override fun members(json: JsonText) {
            for ((name, value) in members) {
                json.name(name).string(value)
            }
        }

        override fun toString(): String = shown
    }

    private class Callback(
        override val token: suspend () -> Token,
    ) : Auth() {
        override fun members(json: JsonText) {
            json.name("kind").string("callback")
        }

        override fun toString(): String = "Auth.token"
    }

    private class ByOAuth(
        private val oauth: OAuth,
    ) : Auth() {
        override val store: TokenStore?
            get() = (oauth.storage as? OAuth.Storage.Store)?.store

        override fun members(json: JsonText) {
            oauth.members(json)
        }

        override fun toString(): String = "Auth.oauth($oauth)"
    }

    private class BySignature(
        private val signature: Signature,
    ) : Auth() {
        override fun members(json: JsonText) {
            signature.members(json)
        }

        override fun toString(): String = "Auth.signature($signature)"
    }

    private class Signed(
        private val auth: Auth,
        private val signature: Signature,
    ) : Auth() {
        override val token: (suspend () -> Token)?
            get() = auth.token
        override val store: TokenStore?
            get() = auth.store

        override fun members(json: JsonText) {
            auth.members(json)
            json.name("sign").beginObject()
            signature.members(json)
            json.endObject()
        }

        override fun toString(): String = "$auth.signedBy($signature)"
    }

    /** The kinds there are. */
    public companion object {
        /** No credential. The default. */
        public val none: Auth = Fixed("Auth.none", "kind" to "none")

        /** `Authorization: Bearer` with this [token]. */
        public fun bearer(token: String): Auth = Fixed("Auth.bearer", "kind" to "bearer", "token" to token)

        /** `Authorization: Basic` with [user] and [password]. */
        public fun basic(
            user: String,
            password: String,
        ): Auth = Fixed("Auth.basic", "kind" to "basic", "user" to user, "password" to password)

        /** An API key in a [header]. */
        public fun apiKey(
            key: String,
            header: String = "X-API-Key",
        ): Auth = Fixed("Auth.apiKey", "kind" to "apiKey", "key" to key, "header" to header)

        /** An API key in the query, under the name [parameter]. URLs that are shown anywhere do not have it. */
        public fun apiKeyQuery(
            key: String,
            parameter: String,
        ): Auth = Fixed("Auth.apiKeyQuery", "kind" to "apiKey", "key" to key, "query" to parameter)

        /** An API key in the [cookie] of this name. */
        public fun apiKeyCookie(
            key: String,
            cookie: String,
        ): Auth = Fixed("Auth.apiKeyCookie", "kind" to "apiKey", "key" to key, "cookie" to cookie)

        /**
         * Tokens that [fetch] gives, sent as `Authorization: Bearer`. It is called before the first request, ahead of the token's expiry,
         * and once more after a 401; one call at a time, however many requests wait for it.
         *
         * It runs on `Dispatchers.Default`, with the other elements of the context of the call that asked first. Where that call is cancelled, it
         * goes on: its token is of use for the next. What it throws ends the calls that wait with a [TokenException], whose `cause` it is.
         */
        public fun token(fetch: suspend () -> Token): Auth = Callback(fetch)

        /** Tokens by OAuth 2, which the client fetches itself. */
        public fun oauth(oauth: OAuth): Auth = ByOAuth(oauth)

        /**
         * A [token] that is bound to a [key] (DPoP, RFC 9449): `Authorization: DPoP`, with a proof on each attempt. The key is a private one in PEM, see
         * [SigningKey].
         */
        public fun dpop(
            token: String,
            key: String,
        ): Auth = Fixed("Auth.dpop", "kind" to "dpop", "token" to token, "key" to key)

        /** Requests that are signed, and no other credential; see [signedBy] for both. */
        public fun signature(signature: Signature): Auth = BySignature(signature)
    }
}

/**
 * A token of a token callback; see [Auth.token]. [toString] does not show it.
 *
 * @property value What is sent after `Bearer`.
 * @property expiresIn How long it is good, from now: it is renewed before that. `null` and [Duration.INFINITE]: it does not expire.
 */
public class Token(
    public val value: String,
    public val expiresIn: Duration? = null,
) {
    override fun toString(): String = "Token(expiresIn=$expiresIn)"
}
