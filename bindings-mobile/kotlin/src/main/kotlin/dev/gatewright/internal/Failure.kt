package dev.gatewright.internal

import dev.gatewright.Attempt
import dev.gatewright.GatewrightException
import dev.gatewright.Headers
import dev.gatewright.Retryability
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.JsonObject
import kotlin.io.encoding.Base64
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/**
 * What an exception knows, as the native half tells it: JSON, kept as text so that an exception can be serialized.
 *
 * Error JSON: `{code, message, what, status, method, url, requestId, retryAfterMs, retryability, noRetry, advice, elapsedMs,
 * headers: [[name, value]] | null, body (base64), problem, attempts, cause: number | null}`.
 */
internal class Failure(
    private val text: String,
) : java.io.Serializable {
    @Transient
    private var read: ErrorJson? = null

    val told: ErrorJson
        get() = read ?: INTERNAL_JSON.decodeFromString<ErrorJson>(text).also { read = it }

    val code: String
        get() = told.code

    val message: String
        get() = told.message

    val retryAfter: Duration?
        get() = told.retryAfterMs?.milliseconds

    val elapsed: Duration
        get() = told.elapsedMs.milliseconds

    val retryability: Retryability
        get() =
            when (told.retryability) {
                "temporary" -> Retryability.TEMPORARY
                "exhausted" -> Retryability.EXHAUSTED
                else -> Retryability.PERMANENT
            }

    val headers: Headers?
        get() = told.headers?.let(::headersOf)

    val attempts: List<Attempt>
        get() = told.attempts.map(AttemptJson::attempt)

    fun body(): ByteArray = Base64.decode(told.body)

    fun timeline(): String = timelineOf(told.attempts)

    /** The class and the message; below them the timeline, where it tells more. */
    fun shown(name: String): String {
        val line = "$name: $message"
        return if (told.attempts.size > 1) "$line\n${timeline().trimEnd().prependIndent("  ")}" else line
    }

    companion object {
        private const val serialVersionUID: Long = 1

        /** A failure that this half finds. */
        fun of(
            code: String,
            what: String,
            advice: String,
        ): Failure {
            val json = JsonText().beginObject()
            json.name("code").string(code)
            json.name("message").string("$code: $what; $advice")
            json.name("advice").string(advice)
            return Failure(json.endObject().toString())
        }
    }
}

/** The error as the native half tells it. */
@Serializable
internal class ErrorJson(
    val code: String,
    val message: String,
    val advice: String,
    val status: Int? = null,
    val method: String? = null,
    val url: String? = null,
    val requestId: String? = null,
    val retryAfterMs: Double? = null,
    val retryability: String = "permanent",
    val noRetry: String? = null,
    val elapsedMs: Double = 0.0,
    val headers: List<List<String>>? = null,
    val body: String = "",
    val problem: JsonObject? = null,
    val attempts: List<AttemptJson> = emptyList(),
    val cause: Int? = null,
    val upload: UploadJson? = null,
)

/** Where an upload that failed can be gone on with. */
@Serializable
internal class UploadJson(
    val location: String?,
    val offset: Long,
    val length: Long?,
)

/** A request that cannot be sent as it is. */
internal fun invalidRequest(
    what: String,
    cause: Throwable? = null,
): GatewrightException = exceptionOf(Failure.of("invalid_request", what, "change the request; nothing was sent"), cause)

/** A stream that this half closed. */
internal fun closed(what: String): GatewrightException = exceptionOf(Failure.of("closed", what, "make another call for what is left"), null)
