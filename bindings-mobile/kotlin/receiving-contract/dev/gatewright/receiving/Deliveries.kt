package dev.gatewright.receiving

import dev.gatewright.Webhook
import dev.gatewright.WebhookScheme
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import kotlin.time.Clock

/** Sends what a sender would send. */
class Deliveries(
    private val base: String,
) {
    private val http: HttpClient = HttpClient.newHttpClient()

    /** Signed by [webhook], and then with [change]d bytes. */
    fun send(
        path: String,
        webhook: Webhook,
        body: String,
        messageId: String? = null,
        headers: Map<String, String> = emptyMap(),
        change: (String) -> String = { it },
    ): HttpResponse<String> {
        val id = messageId.takeIf { webhook.scheme in WITH_ID }
        val signed = webhook.signRequest(body.encodeToByteArray(), Clock.System.now(), id, "$base$path")
        return post(path, change(body), signed.headers.toList() + headers.toList())
    }

    /** As it is. */
    fun post(
        path: String,
        body: String,
        headers: List<Pair<String, String>> = emptyList(),
    ): HttpResponse<String> {
        val request = HttpRequest.newBuilder(URI.create("$base$path")).POST(HttpRequest.BodyPublishers.ofString(body))
        request.setHeader("content-type", "application/json")
        headers.forEach { (name, value) -> request.setHeader(name, value) }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString())
    }

    private companion object {
        val WITH_ID = setOf(WebhookScheme.STANDARD_WEBHOOKS, WebhookScheme.SVIX, WebhookScheme.GITHUB)
    }
}
