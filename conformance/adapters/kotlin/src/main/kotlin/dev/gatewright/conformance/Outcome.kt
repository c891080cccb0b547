package dev.gatewright.conformance

// What a call came to, in the protocol's words.

import dev.gatewright.Answer
import dev.gatewright.Attempt
import dev.gatewright.Download
import dev.gatewright.GatewrightException
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.booleanOrNull
import java.security.MessageDigest
import kotlin.time.Duration
import kotlin.time.DurationUnit

/** Bodies up to this are shown, longer ones only hashed. */
private const val SHOWN_BODY = 64 * 1024

/** An object with the members of both. */
operator fun JsonObject.plus(other: JsonObject): JsonObject = JsonObject(toMap() + other.toMap())

fun head(answer: Answer): JsonObject =
    json(
        "ok" to true,
        "status" to answer.status,
        "headers" to answer.headers.associate { (name, value) -> name.lowercase() to value },
        "url" to answer.url,
        "request_id" to answer.requestId,
        "attempts" to answer.attempts.map(::attempt),
        "elapsed_ms" to answer.elapsed.ms,
        "cache" to answer.cacheStatus?.name?.lowercase(),
    )

fun downloaded(download: Download): JsonObject =
    json(
        "ok" to true,
        "total" to download.total,
        "headers" to download.headers.associate { (name, value) -> name.lowercase() to value },
        "attempts" to download.attempts.map(::attempt),
        "elapsed_ms" to download.elapsed.ms,
    )

fun bodyOf(content: ByteArray): JsonObject {
    val body = json("length" to content.size, "sha256" to MessageDigest.getInstance("SHA-256").digest(content).hex())
    val text = if (content.size > SHOWN_BODY) null else textOf(content)
    val value = text?.let(::jsonOf)
    return when {
        text == null -> body
        value == null -> body + json("text" to text)
        else -> body + json("text" to text, "json" to value)
    }
}

private fun textOf(content: ByteArray): String? =
    try {
        content.decodeToString(throwOnInvalidSequence = true)
    } catch (_: CharacterCodingException) {
        null
    }

private fun jsonOf(text: String): JsonElement? =
    try {
        Json.parseToJsonElement(text).takeIf(::isStrict)
    } catch (_: SerializationException) {
        null
    }

/** kotlinx.serialization takes bare words for values. */
private fun isStrict(value: JsonElement): Boolean =
    when (value) {
        is JsonObject -> value.values.all(::isStrict)
        is JsonArray -> value.all(::isStrict)
        is JsonPrimitive -> value.isString || value is JsonNull || value.booleanOrNull != null || NUMBER.matches(value.content)
    }

private val NUMBER = Regex("-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?")

/** What came of a streamed body. */
class Received {
    private val hash = MessageDigest.getInstance("SHA-256")
    private var chunks = 0
    var length: Long = 0
        private set

    fun take(chunk: ByteArray) {
        length += chunk.size
        chunks += 1
        hash.update(chunk)
    }

    fun shown(): JsonObject = json("length" to length, "chunks" to chunks, "sha256" to hash.digest().hex())
}

/** An error of the SDK; anything else shows as what it is, which is none of the protocol's codes. */
fun failed(error: Throwable): JsonObject {
    val shown = listOf(error.toString(), error.stackTraceToString(), error.localizedMessage)
    if (error !is GatewrightException) {
        val code = "kotlin ${error::class.qualifiedName}"
        return json("ok" to false, "error" to json("code" to code, "message" to error.message, "shown" to shown))
    }
    return json(
        "ok" to false,
        "error" to
            json(
                "code" to error.code,
                "status" to error.status,
                "retry_after_ms" to error.retryAfter?.ms,
                "request_id" to error.requestId,
                "retryability" to error.retryability.name.lowercase(),
                "message" to inProtocolNames(error.message.orEmpty()),
                "method" to error.method,
                "url" to error.url,
                "problem" to error.problem,
                "body_text" to error.body.decodeToString(endIndex = minOf(error.body.size, SHOWN_BODY)),
                "shown" to shown + error.advice + error.timeline(),
            ),
        "attempts" to error.attempts.map(::attempt),
        "elapsed_ms" to error.elapsed.ms,
    )
}

/** Texts name options as the language has them; scenarios know them by the protocol's names. */
fun inProtocolNames(message: String): String =
    Regex("`(?:retry\\.)?([a-z]+(?:[A-Z][a-z]+)+)`").replace(message) { found ->
        val name = found.groupValues[1].replace(Regex("[A-Z]")) { "_${it.value.lowercase()}" }
        if (name == "throw_on_error") "`raise_for_status`" else "`$name`"
    }

private fun attempt(a: Attempt): JsonObject =
    json(
        "number" to a.number,
        "started_ms" to a.started.ms,
        "queued_ms" to a.queued.ms,
        "queued_for" to a.queuedFor,
        "took_ms" to a.took.ms,
        "status" to a.status,
        "error" to a.error,
        "retry_after_ms" to a.retryAfter?.ms,
        "request_id" to a.requestId,
        "decision" to a.decision.name.lowercase(),
        "reason" to a.reason,
        "wait_ms" to a.wait?.ms,
        "budget_left" to a.budgetLeft,
        *listOfNotNull(a.region?.let { "region" to it }, ("hedge" to true).takeIf { a.hedge }).toTypedArray(),
    )

private val Duration.ms: JsonPrimitive get() = JsonPrimitive(toDouble(DurationUnit.MILLISECONDS))

private fun ByteArray.hex(): String = joinToString("") { "%02x".format(it) }
