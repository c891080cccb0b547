package dev.gatewright

import dev.gatewright.internal.Meta
import dev.gatewright.internal.decodeJson
import dev.gatewright.internal.textOf
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.json.Json
import kotlinx.serialization.serializer

/**
 * An answer that was read whole: a body that broke off was retried. Everything of it may be read any number of times, by any thread.
 */
public class Response internal constructor(
    status: Int,
    override val meta: Meta,
    private val bytes: ByteArray,
    private val start: Int,
    private val end: Int,
    @PublishedApi internal val json: Json,
) : Answer(status) {
    /** The body's bytes, in an array that is the caller's own. */
    public fun bytes(): ByteArray = bytes.copyOfRange(start, end)

    /** The body as text, in UTF-8: a byte order mark is dropped, wrong bytes become U+FFFD. */
    public fun text(): String = textOf(bytes, start, end)

    /**
     * The body decoded from JSON by the client's [ClientConfig.json]; `json<JsonElement>()` for whatever it is.
     *
     * @throws DecodeException where it is no JSON, or JSON of another shape.
     */
    public inline fun <reified T> json(): T = json(json.serializersModule.serializer<T>())

    /** As the other [json], by a deserializer. */
    public fun <T> json(deserializer: DeserializationStrategy<T>): T = decodeJson(json, deserializer, text(), meta)

    override fun toString(): String = "Response(${shown()})"
}
