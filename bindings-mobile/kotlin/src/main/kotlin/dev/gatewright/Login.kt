package dev.gatewright

import dev.gatewright.internal.BegunLogin
import dev.gatewright.internal.OpenClient
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/**
 * A login by a browser that was begun; see [Client.beginLogin]. Open [url], and end it with the URL with which the user comes back:
 *
 * ```
 * val login = client.beginLogin(redirectUri = "com.example.app:/callback")
 * CustomTabsIntent.Builder().build().launchUrl(activity, login.url.toUri())
 * // In the activity that receives the redirect:
 * login.finish(intent.dataString!!)
 * ```
 *
 * It is authorization code with PKCE (S256), `state` and `iss` (RFC 6749, 7636, 9207, and 8252 for apps). A login that nobody holds any more is
 * forgotten. [toString] does not show the URL, which has the login's `state`.
 *
 * @property url Where the user's browser goes. It is good for one login.
 */
public class Login private constructor(
    private val begun: BegunLogin,
    public val url: String,
) {
    /**
     * Ends the login: the code in [redirect] is exchanged, and the tokens are kept in the credential's [OAuth.storage], from where the client takes
     * them. A login can be ended once, whether that works or not.
     *
     * @param redirect The URL with which the user came back, as a whole.
     * @throws TokenException where it is not that of this login, or where the user or the server refused.
     * @throws OutcomeUnknownException where the connection broke once the code was sent, which is not sent again.
     */
    public suspend fun finish(redirect: String): LoginTokens = begun.end(redirect)

    override fun toString(): String = "Login"

    internal companion object {
        suspend fun begin(
            client: OpenClient,
            redirectUri: String,
            credential: String?,
        ): Login {
            val begun = BegunLogin(client)
            return Login(begun, begun.begin("authorization", redirectUri, credential).url)
        }
    }
}

/**
 * A login on another device that was begun (RFC 8628); see [Client.beginDeviceLogin]. Show [userCode] and [verificationUrl], then [await].
 *
 * @property userCode What the user types in there.
 * @property verificationUrl Where the user goes.
 * @property verificationUrlComplete The same with the code in it, for a QR code; `null` where the server gave none.
 * @property expiresIn How long the user has, from when it was begun.
 */
public class DeviceLogin private constructor(
    private val begun: BegunLogin,
    public val userCode: String,
    public val verificationUrl: String,
    public val verificationUrlComplete: String?,
    public val expiresIn: Duration,
) {
    /**
     * Waits until the user has decided, and keeps the tokens in the credential's [OAuth.storage]. The server is asked as often as it wants. Cancelling
     * the coroutine ends the login.
     *
     * @throws TokenException where the user refused, the code expired or the server refuses.
     */
    public suspend fun await(): LoginTokens = begun.end(null)

    override fun toString(): String = "DeviceLogin(verificationUrl=$verificationUrl, expiresIn=$expiresIn)"

    internal companion object {
        suspend fun begin(
            client: OpenClient,
            credential: String?,
        ): DeviceLogin {
            val begun = BegunLogin(client)
            val told = begun.begin("device", null, credential)
            return DeviceLogin(begun, told.userCode, told.verificationUri, told.verificationUriComplete, told.expiresInMs.milliseconds)
        }
    }
}

/**
 * What is told of the tokens of a login. The tokens themselves stay in the credential's [OAuth.storage].
 *
 * @property tokenType `Bearer` or `DPoP`.
 * @property scope The scopes; `null` where the server did not tell them.
 * @property expiresIn How long the access token is good; `null` where the server did not tell it. It is renewed before that.
 * @property hasRefreshToken Whether there is a refresh token: without one, somebody has to log in again when the access token expires.
 * @property idToken The ID token of OpenID Connect. Its signature is not checked: do not trust it for more than showing a name. [toString] does not
 * show it.
 */
public class LoginTokens internal constructor(
    public val tokenType: String,
    public val scope: String?,
    public val expiresIn: Duration?,
    public val hasRefreshToken: Boolean,
    public val idToken: String?,
) {
    override fun toString(): String = "LoginTokens(tokenType=$tokenType, scope=$scope, expiresIn=$expiresIn, hasRefreshToken=$hasRefreshToken)"
}
