package dev.gatewright

import dev.gatewright.internal.FORGIVING_JSON
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.serializer

/**
 * Handlers by the type of an event, each with a model of your own.
 *
 * ```
 * val events = WebhookEvents()
 *     .on<UserCreated>("user.created") { event -> welcome(event.data.name) }
 *     .on<JsonObject>("user.deleted") { event -> forget(event) }
 *
 * if (!events.dispatch(webhook.verify(body, headers))) log.info("an event that nobody handles")
 * ```
 *
 * Set the handlers first; after that it is safe for use from any thread.
 *
 * @param json How bodies are decoded. Default: unknown members are ignored.
 * @param typeOf Where an event says its type. Default: in the member `type` of its body.
 */
public class WebhookEvents(
    private val json: Json = FORGIVING_JSON,
    private val typeOf: (Verified) -> String? = ::typeMember,
) {
    private val handlers = HashMap<String, suspend (Verified) -> Unit>()

    /** Handles events of this [type] with what their body is decoded to. The last handler of a type counts. */
    public inline fun <reified T> on(
        type: String,
        noinline handler: suspend (T) -> Unit,
    ): WebhookEvents = on(type, serializer<T>(), handler)

    /** As the other [on], by a deserializer. */
    public fun <T> on(
        type: String,
        deserializer: DeserializationStrategy<T>,
        handler: suspend (T) -> Unit,
    ): WebhookEvents {
        handlers[type] = { verified -> handler(verified.json(deserializer, json)) }
        return this
    }

    /**
     * Runs the handler of an event's type; `false` where there is none.
     *
     * @throws SerializationException where the body is of another shape than the handler's model. What a handler throws, this throws.
     */
    public suspend fun dispatch(verified: Verified): Boolean = dispatch(verified, typeOf(verified))

    /**
     * As the other [dispatch], with a type that is not in the body, such as GitHub's in the header `X-GitHub-Event`. No signature covers that
     * header: it picks the handler, and proves nothing.
     */
    public suspend fun dispatch(
        verified: Verified,
        type: String?,
    ): Boolean {
        val handler = type?.let(handlers::get) ?: return false
        handler(verified)
        return true
    }
}

private fun typeMember(verified: Verified): String? {
    val event = runCatching { verified.json(JsonObject.serializer()) }.getOrNull()
    return (event?.get("type") as? JsonPrimitive)?.takeIf { it.isString }?.content
}
