package dev.gatewright

import dev.gatewright.internal.decodeItems
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.json.Json
import kotlinx.serialization.serializer

/**
 * One page of a list; see [Client.pages].
 *
 * @property response The page's answer.
 */
public class Page internal constructor(
    public val response: Response,
    private val path: String,
    @PublishedApi internal val json: Json,
) {
    /**
     * The page's items, decoded from JSON by the client's [ClientConfig.json].
     *
     * @throws DecodeException where an item is JSON of another shape.
     */
    public inline fun <reified T> items(): List<T> = items(json.serializersModule.serializer<T>())

    /** As the other [items], by a deserializer of one item. */
    public fun <T> items(deserializer: DeserializationStrategy<T>): List<T> = decodeItems(json, deserializer, response, path)

    override fun toString(): String = "Page(response=$response)"
}
