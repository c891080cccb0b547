package dev.gatewright

import dev.gatewright.internal.Incoming
import dev.gatewright.internal.Meta
import dev.gatewright.internal.decodeJson
import dev.gatewright.internal.textOf
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.json.Json
import kotlinx.serialization.serializer
import java.util.concurrent.atomic.AtomicBoolean

/**
 * An answer whose body comes in as it is read, once. Retries are over: a body that breaks off throws, what came before stays good. The
 * deadline covers the body too; lift it for long streams with `timeout = null`.
 *
 * ```
 * client.stream("GET", "/v1/export").use { answer ->
 *     answer.body.collect { piece -> file.write(piece) }
 * }
 * ```
 *
 * Close it, or read it to its end: until then it holds its connection. Cancelling the coroutine that reads ends the request.
 */
public class StreamResponse internal constructor(
    status: Int,
    override val meta: Meta,
    private val incoming: Incoming,
    @PublishedApi internal val json: Json,
) : Answer(status),
    AutoCloseable {
    private val used = AtomicBoolean()

    /**
     * The body, a piece each time the collector asks for one. It is collected once; a collector that stops ends the request.
     *
     * @throws IllegalStateException where it is read a second time.
     */
    public val body: Flow<ByteArray> =
        flow {
            use()
            incoming.use {
                while (true) {
                    emit(incoming.next() ?: break)
                }
            }
        }

    /** Reads the body to its end. */
    public suspend fun bytes(): ByteArray {
        use()
        return incoming.use { it.rest() }
    }

    /** Reads the body to its end, as text in UTF-8: a byte order mark is dropped, wrong bytes become U+FFFD. */
    public suspend fun text(): String = bytes().let { textOf(it, 0, it.size) }

    /**
     * Reads the body to its end, and decodes it from JSON by the client's [ClientConfig.json].
     *
     * @throws DecodeException where it is no JSON, or JSON of another shape.
     */
    public suspend inline fun <reified T> json(): T = json(json.serializersModule.serializer<T>())

    /** As the other [json], by a deserializer. */
    public suspend fun <T> json(deserializer: DeserializationStrategy<T>): T = decodeJson(json, deserializer, text(), meta)

    /** Ends the request without reading on. Whoever reads gets a [ClosedException]. */
    override fun close() {
        incoming.close()
    }

    override fun toString(): String = "StreamResponse(${shown()})"

    private fun use() {
        check(used.compareAndSet(false, true)) { "the body of a streamed answer is read once, and it was read before" }
    }
}
