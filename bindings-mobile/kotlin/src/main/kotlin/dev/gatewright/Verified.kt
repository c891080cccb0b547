package dev.gatewright

import dev.gatewright.internal.FORGIVING_JSON
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.serializer
import kotlin.time.Instant

/**
 * What was really proven about a request; see [Webhook.verify].
 *
 * @property scheme The scheme, such as `standard-webhooks`.
 * @property algorithm `hmac-sha256` or `ed25519`.
 * @property keyIndex Which of the secrets fitted, 0 for the first.
 * @property timestamp When it was sent; `null` where the scheme has no time.
 * @property messageId The message's id; the same when it is sent again. `null` where the scheme has none.
 * @property bodyBound How the signature binds the body.
 * @property timestampSigned Whether the signature covers the time.
 * @property idSigned Whether the signature covers the id.
 * @property urlBound Whether the signature covers the URL.
 */
public class Verified internal constructor(
    public val scheme: String,
    public val algorithm: String,
    public val keyIndex: Int,
    public val timestamp: Instant?,
    public val messageId: String?,
    public val bodyBound: String,
    public val timestampSigned: Boolean,
    public val idSigned: Boolean,
    public val urlBound: Boolean,
    private val body: ByteArray,
) {
    /** The body as text, in UTF-8. */
    public fun text(): String = body.decodeToString()

    /**
     * The body decoded from JSON; a sender may add fields.
     *
     * @throws SerializationException where it is no JSON, or JSON of another shape.
     */
    public inline fun <reified T> json(json: Json = FORGIVING_JSON): T = json(json.serializersModule.serializer<T>(), json)

    /** As the other [json], by a deserializer. */
    public fun <T> json(
        deserializer: DeserializationStrategy<T>,
        json: Json = FORGIVING_JSON,
    ): T = json.decodeFromString(deserializer, text())

    override fun toString(): String =
        "Verified(scheme=$scheme, algorithm=$algorithm, keyIndex=$keyIndex, timestamp=$timestamp, messageId=$messageId, " +
            "bodyBound=$bodyBound, timestampSigned=$timestampSigned, idSigned=$idSigned, urlBound=$urlBound)"
}
