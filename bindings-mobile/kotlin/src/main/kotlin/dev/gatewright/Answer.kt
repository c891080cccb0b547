package dev.gatewright

import dev.gatewright.internal.Meta
import kotlin.time.Duration

/** What answers have in common: [Response] was read whole, the body of [StreamResponse] comes in as it is read. */
public sealed class Answer(
    /** The status, such as 200. */
    public val status: Int,
) {
    internal abstract val meta: Meta

    /** Whether the status is 2xx. */
    public val ok: Boolean
        get() = status in 200..299

    /** The headers. */
    public val headers: Headers
        get() = meta.headers

    /** The URL that answered, without the credential. */
    public val url: String
        get() = meta.url

    /** The request's method. */
    public val method: String
        get() = meta.method

    /** The server's id of the request; `null` where it gave none. */
    public val requestId: String?
        get() = meta.requestId

    /** What was done, attempt by attempt. */
    public val attempts: List<Attempt>
        get() = meta.attempts

    /** From the start of the call to its answer. */
    public val elapsed: Duration
        get() = meta.elapsed

    /** What part the client's cache had in it; `null` where it had none. */
    public val cacheStatus: CacheStatus?
        get() = meta.cacheStatus

    /** Whether it is from the client's cache: stored, revalidated or stale. */
    public val fromCache: Boolean
        get() = cacheStatus.let { it != null && it != CacheStatus.MISS }

    /** The attempts as a picture in text, a line each: dots are waits, blocks are requests. */
    public fun timeline(): String = meta.timeline()

    /** Neither the URL, since what a program put into its query is not for every log, nor headers, nor the body. */
    abstract override fun toString(): String

    /** The members that [toString] shows. A class is named there by itself: shrinkers rename classes. */
    internal fun shown(): String = "status=$status, method=$method, requestId=$requestId, elapsed=$elapsed"
}
