package dev.gatewright

import dev.gatewright.internal.FORGIVING_JSON
import dev.gatewright.internal.Native
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.serializer
import kotlin.time.Instant

/**
 * What was really proven about a request; see [Webhook.verify].
 *
 * @property scheme How the sender signs.
 * @property algorithm The algorithm of the signature that fitted.
 * @property keyIndex Which of the secrets fitted, 0 for the first.
 * @property timestamp When it was sent; `null` where the scheme has no time.
 * @property messageId The message's id; the same when it is sent again. `null` where the scheme has none.
 * @property bodyBound How the signature binds the body.
 * @property timestampSigned Whether the signature covers the time; if not, anybody on the way could have set it.
 * @property idSigned Whether the signature covers the id; the same holds.
 * @property urlBound Whether the signature covers the URL.
 */
public class Verified internal constructor(
    public val scheme: WebhookScheme,
    public val algorithm: WebhookAlgorithm,
    public val keyIndex: Int,
    public val timestamp: Instant?,
    public val messageId: String?,
    public val bodyBound: BodyBound,
    public val timestampSigned: Boolean,
    public val idSigned: Boolean,
    public val urlBound: Boolean,
    /** `null` where it came in pieces. */
    internal val body: ByteArray?,
    /** What the native half said. */
    internal val told: String,
) {
    /**
     * The body as text, in UTF-8.
     *
     * @throws IllegalStateException where the body came in pieces, and was not kept.
     */
    public fun text(): String = checkNotNull(body) { "a body that comes in pieces is not kept" }.decodeToString()

    /**
     * The key under which a [ReplayGuard] remembers this message: made of what was signed alone, the id, or else the time and the body. Where no
     * id is signed, a replay has the same key, but a retry that was signed anew has another.
     *
     * @param sender Your own name for who sends: ids are unique within one sender only.
     */
    public fun replayKey(sender: String): String = Native.replayKey(sender, told)

    /**
     * The same by an id of your own choice, for schemes that sign none: that of the event, read from the verified body. Then a retry that was signed
     * anew has the same key, too.
     *
     * @throws IllegalArgumentException for an id that is empty or has a line end.
     */
    public fun replayKey(
        sender: String,
        messageId: String,
    ): String {
        require(messageId.isNotEmpty() && '\n' !in messageId) { "a message's id is a line of text" }
        return Native.replayKey(sender, "$scheme\n$algorithm\n0\n\n$messageId\nfull\n010")
    }

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
