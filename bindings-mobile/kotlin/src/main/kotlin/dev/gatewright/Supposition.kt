package dev.gatewright

import dev.gatewright.internal.JsonText
import kotlin.time.Duration

/**
 * The outcome of an attempt that did not happen, for [Client.explain]: an answer or a failure, of such a request.
 *
 * ```
 * println(client.explain(Supposition.status(503, headers = mapOf("retry-after" to "7"))))
 * println(client.explain(Supposition.failure(Supposition.Failure.CONNECTION_LOST, Supposition.Request(method = "POST"))))
 * ```
 */
public class Supposition private constructor(
    private val status: Int?,
    private val failure: Failure?,
    private val headers: Map<String, String>,
    private val body: String?,
    private val request: Request,
) {
    /** How an attempt fails that gets no complete answer. */
    public enum class Failure(
        internal val text: String,
    ) {
        /** No connection could be made. */
        CONNECT("connect"),

        /** Connecting took too long. */
        CONNECT_TIMEOUT("connect_timeout"),

        /** The connection broke once the request was on its way. */
        CONNECTION_LOST("connection_lost"),

        /** The server said that it has not looked at the request. */
        NOT_PROCESSED("not_processed"),

        /** What came is no valid HTTP. */
        PROTOCOL("protocol"),

        /** Nothing came for too long. */
        READ_TIMEOUT("read_timeout"),

        /** The attempt, or the whole call, took too long. */
        TIMEOUT("timeout"),

        /** There was no trust in the server's certificate. */
        TLS("tls"),

        /** The request's own body failed. */
        BODY_SOURCE("body_source"),

        /** The answer's body could not be unpacked. */
        DECODE("decode"),

        /** The host followed a redirect by itself. */
        HIDDEN_REDIRECT("hidden_redirect"),

        /** A hook of yours failed. */
        HOOK("hook"),

        /** The answer's body is larger than allowed. */
        RESPONSE_TOO_LARGE("response_too_large"),
    }

    /**
     * The request of which it is the outcome.
     *
     * @property method The request's method.
     * @property path The request's path; `null` for the base URL's own.
     * @property hasIdempotencyKey Whether the request has an idempotency key; `null`: as the client would have it.
     * @property replayable Whether its body can be sent again.
     * @property attempt Which attempt it is, 1 for the first.
     * @property elapsed Time since the start of the call.
     * @property maxAttempts Attempts in all; `null` for the client's.
     * @property timeout For the whole call; `null` for the client's, [Duration.INFINITE] for no limit.
     */
    public data class Request(
        public val method: String = "GET",
        public val path: String? = null,
        public val hasIdempotencyKey: Boolean? = null,
        public val replayable: Boolean = true,
        public val attempt: Int = 1,
        public val elapsed: Duration = Duration.ZERO,
        public val maxAttempts: Int? = null,
        public val timeout: Duration? = null,
    ) {
        internal fun write(json: JsonText) {
            json.name("method").string(method)
            path?.let { json.name("path").string(it) }
            hasIdempotencyKey?.let { json.name("idempotencyKey").boolean(it) }
            json.name("replayable").boolean(replayable)
            json.name("attempt").number(attempt)
            json.name("elapsedMs").milliseconds(elapsed)
            maxAttempts?.let { json.name("maxAttempts").number(it) }
            timeout?.let { json.name("timeoutMs").limit(it) }
        }
    }

    internal fun json(): String {
        val json = JsonText().beginObject()
        status?.let { json.name("status").number(it) }
        failure?.let { json.name("failure").string(it.text) }
        if (headers.isNotEmpty()) {
            json.name("headers").pairs(headers.toList())
        }
        body?.let { json.name("body").string(it) }
        request.write(json)
        return json.endObject().toString()
    }

    override fun toString(): String = "Supposition(${status ?: failure}, $request)"

    /** The kinds there are. */
    public companion object {
        /** An answer with this [status], these [headers] and this [body], to such a [request]. */
        public fun status(
            status: Int,
            headers: Map<String, String> = emptyMap(),
            body: String? = null,
            request: Request = Request(),
        ): Supposition = Supposition(status, null, headers, body, request)

        /** No complete answer, to such a [request]. */
        public fun failure(
            failure: Failure,
            request: Request = Request(),
        ): Supposition = Supposition(null, failure, emptyMap(), null, request)
    }
}
