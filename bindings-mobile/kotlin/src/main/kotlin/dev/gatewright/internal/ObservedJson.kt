package dev.gatewright.internal

import dev.gatewright.ObservedAttempt
import dev.gatewright.ObservedCall
import kotlinx.serialization.Serializable
import kotlin.time.Duration.Companion.milliseconds

/** A call that is over, as the native half tells it. */
@Serializable
internal class ObservedJson(
    private val method: String,
    private val url: String,
    private val scheme: String,
    private val host: String,
    private val port: Int?,
    private val template: String?,
    private val traceparent: String?,
    private val status: Int?,
    private val error: String?,
    private val tookMs: Double,
    private val attempts: List<Attempt>,
) {
    /** An attempt of it. */
    @Serializable
    class Attempt(
        private val number: Int,
        private val method: String,
        private val url: String,
        private val scheme: String,
        private val host: String,
        private val port: Int?,
        private val status: Int?,
        private val error: String?,
        private val tookMs: Double,
        private val startedMs: Double?,
    ) {
        fun attempt(): ObservedAttempt =
            ObservedAttempt(number, method, url, scheme, host, port, status, error, startedMs?.milliseconds, tookMs.milliseconds)
    }

    fun call(): ObservedCall =
        ObservedCall(
            method = method,
            url = url,
            urlTemplate = template,
            scheme = scheme,
            host = host,
            port = port,
            traceparent = traceparent,
            status = status,
            error = error,
            endedAtMillis = System.currentTimeMillis(),
            took = tookMs.milliseconds,
            attempts = attempts.map(Attempt::attempt),
        )
}
