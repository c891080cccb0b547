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
    /** Writes this credential into a client's settings. */
    internal abstract fun write(json: JsonText)

    /** The function that gives tokens, where there is one. */
    internal open val token: (suspend () -> Token)?
        get() = null

    private class Fixed(
        private val shown: String,
        private vararg val members: Pair<String, String>,
    ) : Auth() {
        override fun write(json: JsonText) {
            json.beginObject()
            for ((name, value) in members) {
                json.name(name).string(value)
            }
            json.endObject()
        }

        override fun toString(): String = shown
    }

    private class Callback(
        override val token: suspend () -> Token,
    ) : Auth() {
        override fun write(json: JsonText) {
            json
                .beginObject()
                .name("kind")
                .string("callback")
                .endObject()
        }

        override fun toString(): String = "Auth.token"
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
