package dev.gatewright.internal

import dev.gatewright.Attempt
import dev.gatewright.CacheStatus
import dev.gatewright.Decision
import dev.gatewright.Headers
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** Reads what the native half writes. A later one may tell more. */
internal val INTERNAL_JSON: Json
    get() = FORGIVING_JSON

/**
 * What came with an answer beside its body: a place in a batch of frames, read when it is asked for, since most programs look at status and
 * body only.
 *
 * Meta JSON: `{method, url, shownUrl, requestId, elapsedMs, headers: [[name, value]], attempts, cache}`; of a download also `total`, of an upload
 * `resumable` and `answerLost`.
 */
internal class Meta(
    private val bytes: ByteArray,
    private val start: Int,
    private val end: Int,
) {
    // Two threads that read at once read the same; what they publish has final fields only.
    private var read: MetaJson? = null
    private var readHeaders: Headers? = null

    private val told: MetaJson
        get() = read ?: INTERNAL_JSON.decodeFromString<MetaJson>(text()).also { read = it }

    val url: String
        get() = told.url

    val method: String
        get() = told.method

    val requestId: String?
        get() = told.requestId

    val elapsed: Duration
        get() = told.elapsedMs.milliseconds

    val headers: Headers
        get() = readHeaders ?: headersOf(told.headers).also { readHeaders = it }

    val attempts: List<Attempt>
        get() = told.attempts.map(AttemptJson::attempt)

    val cacheStatus: CacheStatus?
        get() = told.cache?.let { name -> CacheStatus.entries.find { it.text == name } }

    fun timeline(): String = timelineOf(told.attempts)

    /** Of a download: how many bytes there are. */
    val total: Long?
        get() = told.total

    /** Of an upload. */
    val resumable: Boolean
        get() = told.resumable

    /** Of an upload. */
    val answerLost: Boolean
        get() = told.answerLost

    /** As it came. */
    fun text(): String = bytes.decodeToString(start, end)
}

@Serializable
private class MetaJson(
    val method: String,
    val url: String,
    val requestId: String? = null,
    val elapsedMs: Double = 0.0,
    val headers: List<List<String>> = emptyList(),
    val attempts: List<AttemptJson> = emptyList(),
    val cache: String? = null,
    val total: Long? = null,
    val resumable: Boolean = false,
    val answerLost: Boolean = false,
)

/** An attempt as the native half tells it, and as it takes it back for a timeline. */
@Serializable
internal class AttemptJson(
    val number: Int,
    val startedMs: Double,
    val queuedMs: Double,
    val queuedFor: String?,
    val tookMs: Double,
    val status: Int?,
    val error: String?,
    val retryAfterMs: Double?,
    val requestId: String?,
    val decision: String,
    val reason: String?,
    val waitMs: Double?,
    val budgetLeft: Int,
    val region: String? = null,
    val hedge: Boolean = false,
) {
    fun attempt(): Attempt =
        Attempt(
            number = number,
            started = startedMs.milliseconds,
            queued = queuedMs.milliseconds,
            queuedFor = queuedFor,
            took = tookMs.milliseconds,
            status = status,
            error = error,
            retryAfter = retryAfterMs?.milliseconds,
            requestId = requestId,
            decision = decisionOf(decision),
            reason = reason,
            wait = waitMs?.milliseconds,
            budgetLeft = budgetLeft,
            region = region,
            hedge = hedge,
        )
}

private fun decisionOf(name: String): Decision =
    when (name) {
        "return" -> Decision.RETURN
        "retry" -> Decision.RETRY
        "refresh_token" -> Decision.REFRESH_TOKEN
        "redirect" -> Decision.REDIRECT
        "give_up" -> Decision.GIVE_UP
        else -> Decision.NONE
    }

/** Attempts as a picture in text. */
internal fun timelineOf(attempts: List<AttemptJson>): String = if (attempts.isEmpty()) "" else Native.timeline(INTERNAL_JSON.encodeToString(attempts))

/** Headers from pairs. */
internal fun headersOf(pairs: List<List<String>>): Headers = Headers(pairs.map { (name, value) -> name to value })
