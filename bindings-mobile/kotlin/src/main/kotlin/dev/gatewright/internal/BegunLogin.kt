package dev.gatewright.internal

import dev.gatewright.LoginTokens
import kotlinx.serialization.Serializable
import kotlin.time.Duration.Companion.milliseconds

/** A login on the native side, by its number. The client lives as long as it does. */
internal class BegunLogin(
    private val client: OpenClient,
) {
    private val number = client.beginsLogin(this)

    suspend fun begin(
        kind: String,
        redirectUri: String?,
        credential: String?,
    ): Told {
        val json = JsonText().beginObject()
        json.name("kind").string(kind)
        redirectUri?.let { json.name("redirectUri").string(it) }
        credential?.let { json.name("credential").string(it) }
        val options = json.endObject().toString()
        val told = client.login { client, call -> Native.beginLogin(client, call, number, options) }
        return INTERNAL_JSON.decodeFromString(told.orEmpty())
    }

    suspend fun end(redirect: String?): LoginTokens {
        val told = client.login { client, call -> Native.endLogin(client, call, number, redirect) }
        val tokens = INTERNAL_JSON.decodeFromString<TokensJson>(told.orEmpty())
        return LoginTokens(tokens.tokenType, tokens.scope, tokens.expiresInMs?.milliseconds, tokens.hasRefreshToken, tokens.idToken)
    }

    /** What the user is to be shown. */
    @Serializable
    class Told(
        val url: String = "",
        val userCode: String = "",
        val verificationUri: String = "",
        val verificationUriComplete: String? = null,
        val expiresInMs: Double = 0.0,
    )
}

@Serializable
private class TokensJson(
    val tokenType: String,
    val scope: String?,
    val expiresInMs: Double?,
    val hasRefreshToken: Boolean,
    val idToken: String?,
)

/** A new key in PEM. */
internal fun generateSigningKey(): String {
    val told = Native.generateSigningKey()
    if (told.startsWith("{")) {
        throw exceptionOf(Failure(told), null)
    }
    return told
}
