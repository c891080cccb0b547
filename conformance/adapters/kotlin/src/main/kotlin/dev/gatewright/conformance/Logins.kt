package dev.gatewright.conformance

// The logins of OAuth, with the adapter as the user's browser.

import dev.gatewright.Body
import dev.gatewright.Client
import dev.gatewright.GatewrightException
import dev.gatewright.LoginTokens
import dev.gatewright.Proxy
import kotlinx.serialization.json.JsonObject
import java.net.URI

/** `{"mode": "login", "login": "authorization" | "device" | "revoke", "decision": "approve" | "deny"}`. */
suspend fun login(
    client: Client,
    request: JsonObject,
): JsonObject =
    when (val kind = request.text("login")) {
        "authorization" -> {
            val login = client.beginLogin("https://app.example/callback")
            told(login.finish(request.textOrNull("redirect") ?: browse(login.url)))
        }

        "device" -> {
            val login = client.beginDeviceLogin()
            decide(login.verificationUrl, login.userCode, request.textOrNull("decision") ?: "approve")
            told(login.await())
        }

        "revoke" -> {
            client.logOut()
            json("ok" to true)
        }

        else -> {
            throw Unsupported("the login $kind")
        }
    }

private fun told(tokens: LoginTokens): JsonObject =
    json(
        "ok" to true,
        "login" to json("token_type" to tokens.tokenType, "scope" to tokens.scope, "refresh_token" to tokens.hasRefreshToken),
    )

/** A client that does what a browser does with a page, but for redirects. */
private fun browser(url: String): Client {
    val page = URI(url)
    return Client("${page.scheme}://${page.authority}") {
        proxy = Proxy.None
        maxRedirects = 0
        idempotencyKeys = false
    }
}

/** Where the server sends the browser that goes to [url]. */
private suspend fun browse(url: String): String =
    try {
        val answer = browser(url).use { it.get(url) }
        answer.headers["location"] ?: throw Unsupported("an authorization endpoint that sends nobody back")
    } catch (error: GatewrightException) {
        throw Unsupported(error.toString())
    }

/** The user's decision on the page of a device login. */
private suspend fun decide(
    page: String,
    code: String,
    decision: String,
) {
    try {
        browser(page).use { it.post(page) { body = Body.form("user_code" to code, "decision" to decision) } }
    } catch (error: GatewrightException) {
        throw Unsupported(error.toString())
    }
}
