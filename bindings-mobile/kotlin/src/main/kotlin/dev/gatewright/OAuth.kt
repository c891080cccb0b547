package dev.gatewright

import dev.gatewright.internal.JsonText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * OAuth 2: which server, which client, and how its tokens come; see [Auth.oauth].
 *
 * ```
 * // A service that speaks for itself.
 * auth = Auth.oauth(OAuth("my-service", tokenUrl = "https://login.example.com/token", clientSecret = secret))
 *
 * // An app that somebody logs in to; see Client.beginLogin.
 * auth = Auth.oauth(OAuth("my-app", issuer = "https://login.example.com", storage = OAuth.Storage.Store(keystore)))
 * ```
 *
 * A token is fetched before the first call, ahead of its expiry, and once more after a 401; one fetch is under way, however many calls wait for it.
 * Addresses are https, or on this machine. One of [issuer] and [tokenUrl] is required. [toString] shows no secret.
 *
 * @property clientId The client's id at the server.
 * @property issuer The server's issuer: its endpoints are read from its metadata (RFC 8414, OpenID Connect Discovery) when they are first needed.
 * @property tokenUrl The token endpoint. It wins over the metadata, as the other endpoints do.
 * @property authorizationUrl The authorization endpoint, where users log in.
 * @property deviceAuthorizationUrl The device authorization endpoint (RFC 8628).
 * @property revocationUrl The revocation endpoint (RFC 7009).
 * @property grant How tokens come. `null`: [Grant.CLIENT_CREDENTIALS] where there is a secret or a key, no [refreshToken], and tokens are kept in
 * memory; else [Grant.LOGIN].
 * @property clientSecret The client's secret. `null`: none, a public client; an app for phones is one.
 * @property clientAuth How the client proves who it is. `null`: by its key, else by its secret in a header, else not at all.
 * @property clientKey The client's private key in PEM, for [ClientAuth.PRIVATE_KEY_JWT].
 * @property clientKeyId The key's name, where the server knows several.
 * @property scopes The scopes that are asked for; empty for what the server gives.
 * @property audience For whom the token is to be, as many servers want it.
 * @property resources Resources for which the token is to be (RFC 8707).
 * @property refreshToken A refresh token to begin with, where the storage has none.
 * @property storage Where tokens are kept.
 * @property parameters Further parameters of requests to the server, such as `prompt`.
 * @property headers Headers of requests to the OAuth server. The client's own do not go there.
 * @property allowHttp Allows a server that is reached by plain http, in a network of your own. Else that is for loopback only.
 * @property timeout How long getting a token may take, over all its attempts.
 * @property dpopKey A private key in PEM to which tokens are bound (DPoP, RFC 9449), such as [SigningKey.generateP256] gives. Keep it as long as the
 * refresh token, which is bound to it, too.
 */
public class OAuth(
    public val clientId: String,
    public val issuer: String? = null,
    public val tokenUrl: String? = null,
    public val authorizationUrl: String? = null,
    public val deviceAuthorizationUrl: String? = null,
    public val revocationUrl: String? = null,
    public val grant: Grant? = null,
    public val clientSecret: String? = null,
    public val clientAuth: ClientAuth? = null,
    public val clientKey: String? = null,
    public val clientKeyId: String? = null,
    public val scopes: List<String> = emptyList(),
    public val audience: String? = null,
    public val resources: List<String> = emptyList(),
    public val refreshToken: String? = null,
    public val storage: Storage = Storage.Memory,
    public val parameters: Map<String, String> = emptyMap(),
    public val headers: Map<String, String> = emptyMap(),
    public val allowHttp: Boolean = false,
    public val timeout: Duration = 30.seconds,
    public val dpopKey: String? = null,
) {
    /** How tokens come. */
    public enum class Grant(
        internal val text: String,
    ) {
        /** Somebody logs in; from then on by refresh token. */
        LOGIN("login"),

        /** The client speaks for itself (RFC 6749, section 4.4). */
        CLIENT_CREDENTIALS("clientCredentials"),
    }

    /** How a client proves who it is at the token endpoint. */
    public enum class ClientAuth(
        internal val text: String,
    ) {
        /** `client_secret_basic`: the header `Authorization: Basic`. */
        BASIC("basic"),

        /** `client_secret_post`: the secret in the form. */
        POST("post"),

        /** A public client: its id alone. */
        NONE("none"),

        /** `private_key_jwt`: an assertion that is signed by [OAuth.clientKey] (RFC 7523). */
        PRIVATE_KEY_JWT("privateKeyJwt"),
    }

    /** Where tokens are kept between calls, and between runs. */
    public sealed class Storage {
        /** In memory: they are gone with the client. */
        public data object Memory : Storage()

        /**
         * In a file, which nobody else may read. Processes that share it refresh one at a time.
         *
         * @property path The file's path.
         */
        public data class File(
            public val path: String,
        ) : Storage()

        /**
         * In a store of your own, such as one of Android's key store.
         *
         * @property store The store.
         */
        public class Store(
            public val store: TokenStore,
        ) : Storage() {
            override fun toString(): String = "Store"
        }
    }

    override fun toString(): String = "OAuth(clientId=$clientId, issuer=$issuer, scopes=$scopes)"

    internal fun members(json: JsonText) {
        json.name("kind").string("oauth")
        json.name("clientId").string(clientId)
        writeTexts(json)
        if (scopes.isNotEmpty()) {
            json.name("scopes").strings(scopes)
        }
        if (resources.isNotEmpty()) {
            json.name("resources").strings(resources)
        }
        when (storage) {
            Storage.Memory -> Unit
            is Storage.File -> json.name("tokenFile").string(storage.path)
            is Storage.Store -> json.name("store").boolean(true)
        }
        if (parameters.isNotEmpty()) {
            json.name("parameters").pairs(parameters.toList())
        }
        if (headers.isNotEmpty()) {
            json.name("headers").pairs(headers.toList())
        }
        json.name("allowHttp").boolean(allowHttp)
        json.name("timeoutMs").milliseconds(timeout)
    }

    private fun writeTexts(json: JsonText) {
        val texts =
            listOf(
                "issuer" to issuer,
                "tokenUrl" to tokenUrl,
                "authorizationUrl" to authorizationUrl,
                "deviceAuthorizationUrl" to deviceAuthorizationUrl,
                "revocationUrl" to revocationUrl,
                "grant" to grant?.text,
                "clientSecret" to clientSecret,
                "clientAuth" to clientAuth?.text,
                "clientKey" to clientKey,
                "clientKeyId" to clientKeyId,
                "audience" to audience,
                "refreshToken" to refreshToken,
                "dpopKey" to dpopKey,
            )
        for ((name, text) in texts) {
            text?.let { json.name(name).string(it) }
        }
    }
}
