package dev.gatewright

import dev.gatewright.internal.Failure
import kotlinx.serialization.json.JsonObject
import kotlin.time.Duration

/**
 * A failed call. Its message says what happened, to which request, after which attempts, and what to do next; it contains no secret.
 *
 * There is one class for each kind of error; `when` knows them all. It is a [RuntimeException], since wrong settings and wrong requests are among
 * the kinds, and is not thrown for a coroutine that was cancelled.
 *
 * ```
 * try {
 *     client.post("/v1/contacts") { json(contact) }
 * } catch (e: RateLimitedException) {
 *     showRetry(after = e.retryAfter)
 * } catch (e: GatewrightException) {
 *     log(e)
 * }
 * ```
 *
 * The stack trace has the suspending functions that led to the call, with their lines.
 */
public sealed class GatewrightException(
    private val failure: Failure,
    cause: Throwable?,
) : RuntimeException(failure.message, cause) {
    /** What happened, to which request, after which attempts, and what to do next. */
    override val message: String
        get() = failure.message

    /** The kind's stable code, such as `rate_limited`. */
    public val code: String
        get() = failure.code

    /** The answer's status; `null` where there was none. */
    public val status: Int?
        get() = failure.told.status

    /** The request's method; `null` where it did not come to a request. */
    public val method: String?
        get() = failure.told.method

    /** The request's URL, without secrets; `null` where it did not come to a request. */
    public val url: String?
        get() = failure.told.url

    /** The server's id of the request; `null` where it gave none. */
    public val requestId: String?
        get() = failure.told.requestId

    /** How long to wait before the next call; `null` where nothing is known of that. */
    public val retryAfter: Duration?
        get() = failure.retryAfter

    /** Whether trying again may help. */
    public val retryability: Retryability
        get() = failure.retryability

    /** Why there was no other attempt; `null` where there was nothing to retry. */
    public val noRetry: String?
        get() = failure.told.noRetry

    /** What to do next. */
    public val advice: String
        get() = failure.told.advice

    /** From the start of the call to its failure. */
    public val elapsed: Duration
        get() = failure.elapsed

    /** The answer's headers; `null` where there was no answer. */
    public val headers: Headers?
        get() = failure.headers

    /** The answer's body, at most 256 KiB of it, in an array that is the caller's own; empty where there was none. */
    public val body: ByteArray
        get() = failure.body()

    /** The answer's problem details (RFC 9457), or whatever JSON object its body is; `null` where it is none. */
    public val problem: JsonObject?
        get() = failure.told.problem

    /** Where the upload that failed can be gone on with; `null` where it was none. */
    public val upload: UploadPosition?
        get() = failure.told.upload?.let { UploadPosition(it.location, it.offset, it.length) }

    /** What was done, attempt by attempt. */
    public val attempts: List<Attempt>
        get() = failure.attempts

    /** The attempts as a picture in text, a line each: dots are waits, blocks are requests. Empty where there were none. */
    public fun timeline(): String = failure.timeline()

    /** The class and the message; below them the timeline, where there was more than one attempt. */
    override fun toString(): String = failure.shown(javaClass.name)
}

/** Whether trying again may help. */
public enum class Retryability {
    /** It stays as it is. */
    PERMANENT,

    /** It may pass; it was not retried. */
    TEMPORARY,

    /** It was retried, and it stayed. */
    EXHAUSTED,
}
