package dev.gatewright.internal

import dev.gatewright.Response
import dev.gatewright.ServerEvent
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive

// Bodies of answers, decoded; or the error that says of which answer the body was.

/** UTF-8 as text, without a byte order mark. */
internal fun textOf(
    bytes: ByteArray,
    start: Int,
    end: Int,
): String {
    val marked = end - start >= BYTE_ORDER_MARK.size && BYTE_ORDER_MARK.indices.all { bytes[start + it] == BYTE_ORDER_MARK[it] }
    return bytes.decodeToString(if (marked) start + BYTE_ORDER_MARK.size else start, end)
}

private val BYTE_ORDER_MARK = byteArrayOf(0xef.toByte(), 0xbb.toByte(), 0xbf.toByte())

/** A body as what a program wants of it. */
internal fun <T> decodeJson(
    json: Json,
    deserializer: DeserializationStrategy<T>,
    text: String,
    meta: Meta,
): T =
    try {
        json.decodeFromString(deserializer, text).also(::checkLiterals)
    } catch (e: IllegalArgumentException) {
        // A SerializationException is one, too; others are what a class refuses in its `init`.
        throw undecodable(meta, e)
    }

/** A bare word is no JSON, but kotlinx.serialization takes it for a value where it decodes to elements. */
private fun checkLiterals(decoded: Any?) {
    when (decoded) {
        is JsonObject -> decoded.values.forEach(::checkLiterals)
        is JsonArray -> decoded.forEach(::checkLiterals)
        is JsonPrimitive -> if (!decoded.isString && !LITERAL.matches(decoded.content)) throw SerializationException("Unexpected bare word")
    }
}

private val LITERAL = Regex("true|false|null|-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")

/** The items of a page. The native half has checked that they are a list. */
internal fun <T> decodeItems(
    json: Json,
    deserializer: DeserializationStrategy<T>,
    response: Response,
    path: String,
): List<T> {
    var found: JsonElement? = decodeJson(json, JsonElement.serializer(), response.text(), response.meta)
    if (found !is JsonArray) {
        for (name in path.split('.')) {
            found = (found as? JsonObject)?.get(name)
        }
    }
    val items = found as? JsonArray ?: return emptyList()
    return try {
        items.map { json.decodeFromJsonElement(deserializer, it) }
    } catch (e: IllegalArgumentException) {
        throw undecodable(response.meta, e)
    }
}

/** The events of a batch, as the native half tells them. */
internal fun eventsOf(
    batch: ByteArray,
    json: Json,
): List<ServerEvent> = INTERNAL_JSON.decodeFromString<List<EventJson>>(batch.decodeToString()).map { ServerEvent(it.event, it.data, it.id, json) }

@Serializable
private class EventJson(
    val event: String,
    val data: String,
    val id: String,
)

/** An event's data as what a program wants of it. */
internal fun <T> decodeEvent(
    json: Json,
    deserializer: DeserializationStrategy<T>,
    data: String,
): T =
    try {
        json.decodeFromString(deserializer, data)
    } catch (e: IllegalArgumentException) {
        val what = "the data of an event is not the JSON that is wanted of it: ${firstLine(e)}"
        throw exceptionOf(Failure.of("decode", what, "look at the event's `data`"), e)
    }

private fun undecodable(
    meta: Meta,
    thrown: Exception,
): Exception {
    val what = "with a body that is not the JSON that is wanted of it: ${firstLine(thrown)}"
    return exceptionOf(Failure(Native.answerError(meta.text(), "decode", what)), thrown)
}
