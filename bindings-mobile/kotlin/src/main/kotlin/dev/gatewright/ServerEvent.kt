package dev.gatewright

import dev.gatewright.internal.decodeEvent
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.json.Json
import kotlinx.serialization.serializer

/**
 * An event of a stream of server-sent events; see [Client.events].
 *
 * @property event The event's type; `message` where the server names none.
 * @property data The event's data, lines joined by line feeds.
 * @property id The id of the last event that had one, this one included; empty where none had.
 */
public class ServerEvent internal constructor(
    public val event: String,
    public val data: String,
    public val id: String,
    @PublishedApi internal val json: Json,
) {
    /**
     * The data decoded from JSON by the client's [ClientConfig.json].
     *
     * @throws DecodeException where it is no JSON, or JSON of another shape.
     */
    public inline fun <reified T> json(): T = json(json.serializersModule.serializer<T>())

    /** As the other [json], by a deserializer. */
    public fun <T> json(deserializer: DeserializationStrategy<T>): T = decodeEvent(json, deserializer, data)

    override fun equals(other: Any?): Boolean = other is ServerEvent && other.event == event && other.data == data && other.id == id

    override fun hashCode(): Int = (event.hashCode() * 31 + data.hashCode()) * 31 + id.hashCode()

    override fun toString(): String = "ServerEvent(event=$event, data=$data, id=$id)"
}
