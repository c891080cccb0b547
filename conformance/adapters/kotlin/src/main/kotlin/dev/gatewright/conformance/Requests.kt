package dev.gatewright.conformance

// A scenario's request as the configuration of a call.

import dev.gatewright.Body
import dev.gatewright.CacheMode
import dev.gatewright.CallConfig
import dev.gatewright.DownloadConfig
import dev.gatewright.EventConfig
import dev.gatewright.JsonLinesConfig
import dev.gatewright.MinThroughput
import dev.gatewright.PageConfig
import dev.gatewright.RequestConfig
import dev.gatewright.RequestCredential
import dev.gatewright.TraceContext
import dev.gatewright.UploadConfig
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asFlow
import kotlinx.coroutines.flow.map
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import java.util.Base64
import kotlin.time.Duration.Companion.milliseconds

/** Members that are no options of a call. */
private val OF_THE_CALL =
    setOf(
        "method",
        "path",
        "mode",
        "replayable",
        "stop_after_bytes",
        "pages",
        "max_pages",
        "last_event_id",
        "idle_timeout_ms",
        "max_events",
        "max_line_bytes",
        "max_values",
        "chunk_size",
        "traceparent",
        "tracestate",
    )

/** Members that are a body. */
private val BODIES = setOf("json", "text", "base64", "chunks", "unencodable")

/** A request's body, if it has one. */
fun bodyOf(request: JsonObject): Body? {
    val (name, value) = request.entries.firstOrNull { it.key in BODIES } ?: return null
    return when (name) {
        "json" -> Body.json(value)

        "text" -> Body.text(value.jsonPrimitive.content)

        "base64" -> Body.bytes(Base64.getDecoder().decode(value.jsonPrimitive.content))

        "chunks" -> streamed(value.jsonArray, request["replayable"]?.jsonPrimitive?.boolean ?: false)

        // JSON has no form for it, and kotlinx.serialization throws.
        else -> Body.json(Double.NaN)
    }
}

fun RequestConfig.take(request: JsonObject) {
    body = bodyOf(request)
    takeTrace(request)
    for ((name, value) in request - OF_THE_CALL - BODIES) {
        when (name) {
            "idempotency_key" -> idempotencyKey = value.jsonPrimitive.content
            "raise_for_status" -> throwOnError = value.jsonPrimitive.boolean
            else -> takeOfAnyCall(name, value)
        }
    }
}

fun EventConfig.takeStream(request: JsonObject) {
    take(request)
    method = request.text("method")
    request.textOrNull("last_event_id")?.let { lastEventId = it }
    request["idle_timeout_ms"]?.let { idleTimeout = millis(it) }
}

fun JsonLinesConfig.takeLines(request: JsonObject) {
    take(request)
    method = request.text("method")
    request["max_line_bytes"]?.let { maxLineBytes = it.jsonPrimitive.long }
    request["idle_timeout_ms"]?.let { idleTimeout = millis(it) }
}

fun DownloadConfig.takePlain(request: JsonObject) {
    takeTrace(request)
    for ((name, value) in request - OF_THE_CALL) takeOfAnyCall(name, value)
}

fun UploadConfig.takeUpload(request: JsonObject) {
    takeTrace(request)
    method = request.text("method")
    request["chunk_size"]?.let { chunkSize = it.jsonPrimitive.long }
    for ((name, value) in request - OF_THE_CALL - BODIES) {
        if (name == "idempotency_key") idempotencyKey = value.jsonPrimitive.content else takeOfAnyCall(name, value)
    }
}

private fun CallConfig.takeTrace(request: JsonObject) {
    request.textOrNull("traceparent")?.let { traceContext = TraceContext(it, request.textOrNull("tracestate")) }
}

/** An object, or `null` for none. */
fun minThroughput(given: JsonElement): MinThroughput {
    var floor = MinThroughput()
    for ((name, value) in given as? JsonObject ?: return MinThroughput.off) {
        floor =
            when (name) {
                "bytes_per_second" -> floor.copy(bytesPerSecond = value.jsonPrimitive.long)
                "grace_ms" -> floor.copy(grace = value.jsonPrimitive.double.milliseconds)
                else -> throw Unsupported("the floor's $name")
            }
    }
    return floor
}

fun PageConfig.take(request: JsonObject) {
    takeTrace(request)
    for ((name, value) in request - OF_THE_CALL) takeOfAnyCall(name, value)
    val names = request.objectOrNull("pages") ?: return
    names.textOrNull("items")?.let { items = it }
    names.textOrNull("cursor")?.let { cursor = it }
    names.textOrNull("cursor_param")?.let { cursorParam = it }
}

private fun CallConfig.takeOfAnyCall(
    name: String,
    value: JsonElement,
) {
    when (name) {
        "query" -> value.jsonObject.forEach { (parameter, given) -> query(parameter, parameterValue(given)) }
        "headers" -> value.jsonObject.forEach { (header, text) -> header(header, text.jsonPrimitive.content) }
        "timeout_ms" -> timeout = millis(value)
        "attempt_timeout_ms" -> attemptTimeout = millis(value)
        "max_attempts" -> maxAttempts = value.jsonPrimitive.int
        "cache" -> cache = cacheMode(value.jsonPrimitive.content)
        "hedge" -> hedge = hedge(value)
        "credential" -> credential = credentialOf(value.jsonPrimitive)
        "min_throughput" -> minThroughput = minThroughput(value)
        "url_template" -> urlTemplate = value.jsonPrimitive.content
        else -> throw Unsupported("the request's $name")
    }
}

private fun cacheMode(name: String): CacheMode = CacheMode.valueOf(name.replace('-', '_').uppercase())

/** A name, or `false` for none. */
private fun credentialOf(given: JsonPrimitive): RequestCredential =
    if (given.isString) RequestCredential.Named(given.content) else RequestCredential.Anonymous

/** Numbers and truth values are texts in a query anyway. */
private fun parameterValue(given: JsonElement): Any? =
    when (given) {
        is JsonNull -> null
        is JsonArray -> given.map(::parameterValue)
        else -> given.jsonPrimitive.content
    }

private fun streamed(
    chunks: JsonArray,
    replayable: Boolean,
): Body {
    fun pieces(): Flow<ByteArray> = chunks.asFlow().map { it.jsonPrimitive.content.encodeToByteArray() }
    return if (replayable) Body.replayable { pieces() } else Body.stream(pieces())
}
