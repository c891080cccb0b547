package dev.gatewright

import dev.gatewright.internal.FORGIVING_JSON
import dev.gatewright.internal.FileBody
import dev.gatewright.internal.StreamBody
import dev.gatewright.internal.WholeBody
import dev.gatewright.internal.encodeJson
import dev.gatewright.internal.formEncoded
import kotlinx.coroutines.flow.Flow
import kotlinx.serialization.SerializationStrategy
import kotlinx.serialization.json.Json
import kotlinx.serialization.serializer
import java.io.File
import java.nio.file.Path

/**
 * A request's body; see [RequestConfig.body]. The content type goes into the header `content-type`, unless the request has one of its own.
 *
 * All but [stream] can be sent again by a retry.
 */
public abstract class Body internal constructor() {
    internal abstract val contentType: String?

    /** This body as it is sent: what has to be looked up first, such as a file's length, is looked up now. */
    internal open suspend fun prepared(): Prepared = this as Prepared

    /** A body as it is sent. */
    internal abstract class Prepared : Body()

    /** Shows nothing of what is in it. */
    override fun toString(): String = "Body(contentType=$contentType)"

    /** The kinds there are. */
    public companion object {
        /**
         * A [value] encoded as JSON. Within a request, [RequestConfig.json] does so by the client's own [Json].
         *
         * @throws InvalidRequestException where it cannot be encoded.
         */
        public inline fun <reified T> json(
            value: T,
            json: Json = FORGIVING_JSON,
        ): Body = json(json.serializersModule.serializer<T>(), value, json)

        /** As the other [json], by a serializer. */
        public fun <T> json(
            serializer: SerializationStrategy<T>,
            value: T,
            json: Json = FORGIVING_JSON,
        ): Body = WholeBody(encodeJson(json, serializer, value), "application/json")

        /** A text, in UTF-8. */
        public fun text(
            text: String,
            contentType: String = "text/plain;charset=UTF-8",
        ): Body = WholeBody(text.encodeToByteArray(), contentType)

        /** Bytes as they are. They are read when the call begins. */
        public fun bytes(
            bytes: ByteArray,
            contentType: String? = null,
        ): Body = WholeBody(bytes, contentType)

        /** A form of names and values, as a browser sends it (`application/x-www-form-urlencoded`). */
        public fun form(vararg fields: Pair<String, String>): Body = form(fields.asList())

        /** A form of names and values, as a browser sends it (`application/x-www-form-urlencoded`). */
        public fun form(fields: Iterable<Pair<String, String>>): Body =
            WholeBody(formEncoded(fields), "application/x-www-form-urlencoded;charset=UTF-8")

        /** A file, read anew for each attempt, with its length. */
        public fun file(
            file: File,
            contentType: String? = null,
        ): Body = FileBody(file, contentType)

        /** A file, read anew for each attempt, with its length. Android has paths since level 26. */
        public fun file(
            path: Path,
            contentType: String? = null,
        ): Body = FileBody(path.toFile(), contentType)

        /**
         * A stream that can be sent once: when sending has begun, the request is not retried. A piece is collected when the connection takes
         * it, on `Dispatchers.Default` (`flowOn` is for what blocks); what the flow throws ends the call, and is its error's `cause`.
         *
         * @param length The length in bytes, where it is known. Without it, the body is sent chunked.
         */
        public fun stream(
            flow: Flow<ByteArray>,
            length: Long? = null,
            contentType: String? = null,
        ): Body = StreamBody(replayable = false, length, contentType) { flow }

        /** A stream that [open] makes anew for each attempt; otherwise as [stream]. */
        public fun replayable(
            length: Long? = null,
            contentType: String? = null,
            open: () -> Flow<ByteArray>,
        ): Body = StreamBody(replayable = true, length, contentType, open)

        /** A form with files (`multipart/form-data`). Files are read anew for each attempt. */
        public fun multipart(configure: Multipart.() -> Unit): Body = Multipart().apply(configure).body()
    }
}
