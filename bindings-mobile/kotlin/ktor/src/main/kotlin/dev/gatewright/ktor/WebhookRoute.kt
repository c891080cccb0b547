package dev.gatewright.ktor

import dev.gatewright.Headers
import dev.gatewright.Verified
import dev.gatewright.Webhook
import dev.gatewright.WebhookAnswer
import dev.gatewright.WebhookReceiver
import dev.gatewright.WebhookReceiverConfig
import io.ktor.http.ContentType
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.ApplicationCall
import io.ktor.server.application.log
import io.ktor.server.request.RequestAlreadyConsumedException
import io.ktor.server.request.httpMethod
import io.ktor.server.request.receiveChannel
import io.ktor.server.response.header
import io.ktor.server.response.respondText
import io.ktor.server.routing.Route
import io.ktor.server.routing.RoutingContext
import io.ktor.server.routing.application
import io.ktor.server.routing.post
import io.ktor.server.util.url
import io.ktor.util.toMap
import io.ktor.utils.io.readBuffer
import kotlinx.io.readByteArray

/**
 * Receives the webhooks of one sender at [path]: verifies the body as it came, answers challenges, and calls [handler] for what is proven.
 *
 * ```
 * routing {
 *     webhook("/hooks/github", Webhook(WebhookScheme.GITHUB, secret), { replayGuard = MemoryReplayGuard() }) { verified ->
 *         events.dispatch(verified, call.request.header("X-GitHub-Event"))
 *     }
 * }
 * ```
 *
 * What is answered is in [WebhookReceiver]. Why a request was refused is in the application's log alone. What [handler] throws is Ktor's, so the
 * sender gets a 500 and tries again; the handler does not respond by itself.
 *
 * @param webhook Verifies. Where its scheme signs the URL and the application is behind a proxy, give it the URL that the sender calls.
 * @param configure Settings: replay guard, log and more.
 */
public fun Route.webhook(
    path: String,
    webhook: Webhook,
    configure: WebhookReceiverConfig.() -> Unit = {},
    handler: suspend RoutingContext.(Verified) -> Unit,
): Route {
    val receiver = WebhookReceiver(webhook, application.log::warn, configure)
    return post(path) { call.answer(call.receiveWebhook(receiver) { verified -> handler(verified) }) }
}

private suspend fun ApplicationCall.receiveWebhook(
    receiver: WebhookReceiver,
    handle: suspend (Verified) -> Unit,
): WebhookAnswer {
    val channel =
        try {
            receiveChannel()
        } catch (_: RequestAlreadyConsumedException) {
            return receiver.parsedBefore()
        }
    val body = channel.readBuffer(minOf(receiver.maxBody, MOST) + 1).readByteArray()
    if (body.size > minOf(receiver.maxBody, MOST)) {
        return receiver.tooLarge()
    }
    return receiver.receive(body, Headers.of(request.headers.toMap()), url(), request.httpMethod.value, handle)
}

private suspend fun ApplicationCall.answer(answer: WebhookAnswer) {
    if (answer.status == HttpStatusCode.PayloadTooLarge.value) {
        // What is left of the body is not read: the connection is of no use any more.
        response.header(HttpHeaders.Connection, "close")
    }
    respondText(answer.body, ContentType.parse(answer.contentType), HttpStatusCode.fromValue(answer.status))
}

/** The longest body that fits in an array. */
private const val MOST = Int.MAX_VALUE - 16L
