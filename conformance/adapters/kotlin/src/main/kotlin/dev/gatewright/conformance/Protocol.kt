package dev.gatewright.conformance

// The lines' JSON: how members are read, and how answers are put together.

import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.jsonPrimitive

/** What the harness asked for and the adapter cannot do. */
class Unsupported(
    what: String,
) : Exception(what)

/** An object of these members. */
fun json(vararg members: Pair<String, Any?>): JsonObject = JsonObject(members.associate { (name, value) -> name to element(value) })

/** A value as JSON; what is no JSON yet is a mistake of the adapter's. */
private fun element(value: Any?): JsonElement =
    when (value) {
        null -> JsonNull
        is JsonElement -> value
        is String -> JsonPrimitive(value)
        is Number -> JsonPrimitive(value)
        is Boolean -> JsonPrimitive(value)
        is List<*> -> JsonArray(value.map(::element))
        is Map<*, *> -> JsonObject(value.entries.associate { (name, member) -> name.toString() to element(member) })
        else -> error("no JSON: ${value::class}")
    }

/** The member as text, where there is one. */
fun JsonObject.textOrNull(name: String): String? = this[name]?.jsonPrimitive?.contentOrNull

/** The member as text. */
fun JsonObject.text(name: String): String = textOrNull(name) ?: throw Unsupported("a request without $name")

/** The member as an object, where there is one. */
fun JsonObject.objectOrNull(name: String): JsonObject? = this[name] as? JsonObject
