package dev.gatewright.spring

import dev.gatewright.Headers
import dev.gatewright.Verified
import dev.gatewright.Webhook
import dev.gatewright.WebhookAnswer
import dev.gatewright.WebhookReceiver
import dev.gatewright.WebhookReceiverConfig
import kotlinx.coroutines.runBlocking
import org.apache.commons.logging.LogFactory
import org.springframework.http.HttpHeaders
import org.springframework.http.HttpStatus
import org.springframework.http.MediaType
import org.springframework.web.servlet.function.RouterFunction
import org.springframework.web.servlet.function.RouterFunctions
import org.springframework.web.servlet.function.ServerRequest
import org.springframework.web.servlet.function.ServerResponse

/** Handles what was proven. */
public fun interface WebhookHandler {
    /** What this throws is Spring's, so the sender gets a 500 and tries again. */
    @Throws(Exception::class)
    public fun handle(
        verified: Verified,
        request: ServerRequest,
    )
}

/** Settings of a route: `{ it.replayGuard = guard }`. */
public fun interface WebhookSettings {
    /** Changes what is not to be as by default. */
    public fun apply(config: WebhookReceiverConfig)
}

/** Routes of Spring MVC that receive webhooks. */
public object WebhookRoutes {
    /**
     * Receives the webhooks of one sender at [path]: verifies the body as it came, answers challenges, and calls [handler] for what is proven.
     *
     * ```
     * @Bean
     * fun github(): RouterFunction<ServerResponse> =
     *     WebhookRoutes.post("/hooks/github", Webhook(WebhookScheme.GITHUB, secret)) { verified, _ -> handle(verified) }
     * ```
     *
     * What is answered is in [WebhookReceiver]. Why a request was refused is in the log of `dev.gatewright.webhooks` alone. The handler runs on the
     * request's thread, as those of Spring MVC do.
     *
     * @param webhook Verifies. Where its scheme signs the URL and the application is behind a proxy, give it the URL that the sender calls.
     * @param settings Replay guard, log and more.
     */
    @JvmStatic
    @JvmOverloads
    public fun post(
        path: String,
        webhook: Webhook,
        settings: WebhookSettings = WebhookSettings {},
        handler: WebhookHandler,
    ): RouterFunction<ServerResponse> {
        val receiver = WebhookReceiver(webhook, LOG::warn) { settings.apply(this) }
        return RouterFunctions.route().POST(path) { request -> respond(receive(receiver, request, handler)) }.build()
    }

    private fun receive(
        receiver: WebhookReceiver,
        request: ServerRequest,
        handler: WebhookHandler,
    ): WebhookAnswer {
        val stream = request.servletRequest().inputStream
        if (stream.isFinished && request.servletRequest().contentLengthLong > 0) {
            return receiver.parsedBefore()
        }
        val most = minOf(receiver.maxBody, Int.MAX_VALUE - 16L).toInt()
        val body = stream.readNBytes(most + 1)
        if (body.size > most) {
            return receiver.tooLarge()
        }
        val headers = Headers.of(request.headers().asHttpHeaders().toSingleLines())
        return runBlocking {
            receiver.receive(body, headers, request.uri().toString(), request.method().name()) { handler.handle(it, request) }
        }
    }

    private fun respond(answer: WebhookAnswer): ServerResponse {
        val response = ServerResponse.status(answer.status).contentType(MediaType.parseMediaType(answer.contentType))
        if (answer.status == HttpStatus.CONTENT_TOO_LARGE.value()) {
            // What is left of the body is not read: the connection is of no use any more.
            response.header(HttpHeaders.CONNECTION, "close")
        }
        return response.body(answer.body)
    }

    private fun HttpHeaders.toSingleLines(): Map<String, List<String>> = headerNames().associateWith { name -> getOrEmpty(name) }

    private val LOG = LogFactory.getLog("dev.gatewright.webhooks")
}
