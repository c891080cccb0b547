package dev.gatewright.internal

import dev.gatewright.Body
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.withContext
import kotlinx.serialization.SerializationException
import kotlinx.serialization.SerializationStrategy
import kotlinx.serialization.json.Json
import java.io.File
import java.net.URLEncoder
import kotlin.random.Random

// Bodies as they are sent: whole, or as streams.

/** A body in memory. */
internal class WholeBody(
    val bytes: ByteArray,
    override val contentType: String?,
) : Body.Prepared()

/** A body that comes in pieces; [open] makes the flow of them. */
internal class StreamBody(
    val replayable: Boolean,
    val length: Long?,
    override val contentType: String?,
    val open: () -> Flow<ByteArray>,
) : Body.Prepared()

/** A file, whose length is looked up when a call begins. */
internal class FileBody(
    val file: File,
    override val contentType: String?,
) : Body() {
    override suspend fun prepared(): Prepared {
        val length =
            withContext(Dispatchers.IO) {
                if (!file.isFile || !file.canRead()) {
                    throw invalidRequest("the file of the body, $file, cannot be read")
                }
                file.length()
            }
        return StreamBody(replayable = true, length, contentType) { piecesOf(file) }
    }
}

private const val PIECE = 64 * 1024

private fun piecesOf(file: File): Flow<ByteArray> =
    flow {
        file.inputStream().use { input ->
            val buffer = ByteArray(PIECE)
            while (true) {
                val size = input.read(buffer)
                if (size < 0) {
                    break
                }
                emit(buffer.copyOf(size))
            }
        }
    }.flowOn(Dispatchers.IO)

/** Parts with a boundary between them. In memory as long as all parts are. */
internal class MultipartBody(
    private val parts: List<Part>,
) : Body() {
    /** One part: a field, or a file where it has a name for that. */
    class Part(
        val name: String,
        val fileName: String?,
        val body: Body,
    )

    private val boundary = "gatewright-" + Random.nextLong().toULong().toString(16) + Random.nextLong().toULong().toString(16)

    override val contentType: String
        get() = "multipart/form-data; boundary=$boundary"

    override suspend fun prepared(): Prepared {
        val pieces = ArrayList<Prepared>(parts.size * 2 + 1)
        for ((index, part) in parts.withIndex()) {
            pieces += WholeBody(headOf(part, first = index == 0).encodeToByteArray(), null)
            pieces += part.body.prepared().also { sendable(part, it) }
        }
        pieces += WholeBody((if (parts.isEmpty()) "--$boundary--\r\n" else "\r\n--$boundary--\r\n").encodeToByteArray(), null)
        if (pieces.all { it is WholeBody }) {
            return WholeBody(concatenated(pieces.map { (it as WholeBody).bytes }), contentType)
        }
        return StreamBody(replayable = true, lengthOf(pieces), contentType) { inTurn(pieces) }
    }

    private fun sendable(
        part: Part,
        body: Prepared,
    ) {
        if (body is StreamBody && !body.replayable) {
            throw invalidRequest("the part `${part.name}` of the form is a stream that can be sent once; make it with `Body.replayable`")
        }
    }

    private fun headOf(
        part: Part,
        first: Boolean,
    ): String {
        val file = part.fileName?.let { "; filename=\"${quoted(it)}\"" }.orEmpty()
        val type =
            part.body.contentType
                ?.let { "content-type: ${oneLine(it)}\r\n" }
                .orEmpty()
        val before = if (first) "" else "\r\n"
        return "$before--$boundary\r\ncontent-disposition: form-data; name=\"${quoted(part.name)}\"$file\r\n$type\r\n"
    }

    /** As browsers write names. */
    private fun quoted(name: String): String = name.replace("\r", "%0D").replace("\n", "%0A").replace("\"", "%22")

    private fun oneLine(text: String): String = text.filterNot { it == '\r' || it == '\n' }
}

private fun lengthOf(pieces: List<Body.Prepared>): Long? {
    var length = 0L
    for (piece in pieces) {
        length +=
            when (piece) {
                is WholeBody -> piece.bytes.size.toLong()
                is StreamBody -> piece.length ?: return null
                else -> return null
            }
    }
    return length
}

private fun inTurn(pieces: List<Body.Prepared>): Flow<ByteArray> =
    flow {
        for (piece in pieces) {
            emitAll(if (piece is StreamBody) piece.open() else flowOf((piece as WholeBody).bytes))
        }
    }

/** These arrays as one. */
internal fun concatenated(pieces: List<ByteArray>): ByteArray {
    pieces.singleOrNull()?.let { return it }
    val whole = ByteArray(pieces.sumOf { it.size })
    var at = 0
    for (piece in pieces) {
        piece.copyInto(whole, at)
        at += piece.size
    }
    return whole
}

/** A value as JSON, in UTF-8. */
internal fun <T> encodeJson(
    json: Json,
    serializer: SerializationStrategy<T>,
    value: T,
): ByteArray {
    val text =
        try {
            json.encodeToString(serializer, value)
        } catch (e: SerializationException) {
            throw invalidRequest("`json` cannot be encoded as JSON: ${firstLine(e)}", e)
        }
    return text.encodeToByteArray()
}

/** What went wrong, in one line that goes on. */
internal fun firstLine(thrown: Throwable): String = (thrown.message ?: thrown.javaClass.name).lineSequence().first().trimEnd('.', ' ')

/** Names and values as a browser's form has them. */
internal fun formEncoded(fields: Iterable<Pair<String, String>>): ByteArray =
    fields
        .joinToString("&") { (name, value) -> "${URLEncoder.encode(name, "UTF-8")}=${URLEncoder.encode(value, "UTF-8")}" }
        .encodeToByteArray()
