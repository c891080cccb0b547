package dev.gatewright.internal

import dev.gatewright.Response
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject

/* Bodies of answers, decoded; or the error that says of which answer the body was. */

/** A body as what a program wants of it. */
internal fun <T> decodeJson(
    json: Json,
    deserializer: DeserializationStrategy<T>,
    text: String,
    meta: Meta,
): T =
    try {
        json.decodeFromString(deserializer, text)
    } catch (e: SerializationException) {
        throw undecodable(meta, e)
    } catch (e: IllegalArgumentException) {
        // What a class refuses in its `init`.
        throw undecodable(meta, e)
    }

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
    } catch (e: SerializationException) {
        throw undecodable(response.meta, e)
    } catch (e: IllegalArgumentException) {
        throw undecodable(response.meta, e)
    }
}

private fun undecodable(
    meta: Meta,
    thrown: Exception,
): Exception {
    val what = "with a body that is not the JSON that is wanted of it: ${withoutInput(thrown)}"
    return exceptionOf(Failure(Native.answerError(meta.text(), "decode", what)), thrown)
}

/** What the decoder says, without the piece of the body that it shows below. */
private fun withoutInput(thrown: Exception): String = firstLine(thrown)
