package dev.gatewright.internal

import dev.gatewright.Attempt
import dev.gatewright.Body
import dev.gatewright.Download
import dev.gatewright.DownloadConfig
import dev.gatewright.Downloaded
import dev.gatewright.JsonLinesConfig
import dev.gatewright.Response
import dev.gatewright.UploadConfig
import dev.gatewright.UploadPosition
import dev.gatewright.Uploaded
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.launch
import kotlinx.serialization.DeserializationStrategy
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import java.io.File
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

// Streams of JSON lines, downloads that go on where they break, and resumable uploads, as calls of the native half.

/** The lines of a stream, a batch at a time. */
internal suspend fun OpenClient.lines(
    path: String,
    config: JsonLinesConfig,
    asText: Boolean,
    use: suspend (ByteArray) -> Unit,
) {
    val list = Calls.nextNumber()
    val body = config.body?.prepared()
    val bytes = (body as? WholeBody)?.bytes
    Native.jsonLines(number, list, config.method, path, optionsOf(config, body), bytes, config.style(asText))
    walk<ByteArray>(list, Native::nextEvents) { use(it) }
}

/** The values of a batch of JSON lines, and how many; [before] were there before it. */
internal suspend fun <T> decodeLines(
    json: Json,
    deserializer: DeserializationStrategy<T>,
    batch: ByteArray,
    before: Long,
    use: suspend (T) -> Unit,
): Int {
    // The native half has checked that they are JSON.
    val values = INTERNAL_JSON.parseToJsonElement(batch.decodeToString()) as JsonArray
    for ((index, value) in values.withIndex()) {
        use(
            try {
                json.decodeFromJsonElement(deserializer, value)
            } catch (e: IllegalArgumentException) {
                val what = "value ${before + index + 1} of the JSON lines is not what is wanted of it: ${firstLine(e)}"
                throw exceptionOf(Failure.of("decode", what, "look at that line"), e)
            },
        )
    }
    return values.size
}

/** The texts of a batch of lines. */
internal fun textsOf(batch: ByteArray): List<String> = INTERNAL_JSON.decodeFromString<List<String>>(batch.decodeToString())

/** A download whose head is there. */
internal suspend fun OpenClient.download(
    path: String,
    config: DownloadConfig,
): Download {
    val call = Calls.nextNumber()
    val options = JsonText().beginObject().also(config::write).endObject()
    val head =
        Calls.await<Head>(call, this, { Calls.giveUp(call) }) {
            Native.start(number, call, "GET", path, DOWNLOAD, options.toString(), null)
        }
    return Download(head.meta, Incoming(call, this))
}

/** The mode of [Native.start] for downloads. */
private const val DOWNLOAD = 2

/** A download into a file. */
internal suspend fun OpenClient.downloadTo(
    path: String,
    file: File,
    config: DownloadConfig,
): Downloaded {
    val call = Calls.nextNumber()
    val options = JsonText().beginObject().also(config::write).endObject()
    val told =
        try {
            Calls.await<ByteArray>(call, this) { Native.downloadTo(number, call, path, file.path, options.toString()) }
        } finally {
            Calls.finish(call)
        }
    val done = INTERNAL_JSON.decodeFromString<DownloadedJson>(told.decodeToString())
    return Downloaded(
        done.length,
        done.resumedFrom,
        headersOf(done.headers),
        done.attempts.map(AttemptJson::attempt),
        done.elapsedMs.milliseconds,
    )
}

@Serializable
private class DownloadedJson(
    val length: Long,
    val resumedFrom: Long,
    val elapsedMs: Double,
    val headers: List<List<String>>,
    val attempts: List<AttemptJson>,
)

/** What is told with the end of a download. */
@Serializable
internal class EndJson(
    private val elapsedMs: Double,
    @kotlinx.serialization.SerialName("attempts") private val told: List<AttemptJson>,
) {
    val elapsed: Duration
        get() = elapsedMs.milliseconds

    val attempts: List<Attempt>
        get() = told.map(AttemptJson::attempt)
}

/** An upload to its end. */
internal suspend fun OpenClient.upload(
    path: String,
    body: Body,
    config: UploadConfig,
): Uploaded {
    val progress = config.progress ?: return uploaded(Calls.nextNumber(), path, body, config)
    val call = Calls.nextNumber()
    return coroutineScope {
        val positions = Progress.watch(call)
        launch {
            for (position in positions) {
                progress(position)
            }
        }
        try {
            uploaded(call, path, body, config)
        } finally {
            // Who is told comes to its end first: this scope waits for it.
            Progress.end(call)
        }
    }
}

private suspend fun OpenClient.uploaded(
    call: Int,
    path: String,
    body: Body,
    config: UploadConfig,
): Uploaded {
    // The native half reads files by itself, from anywhere in them.
    val file = (body as? FileBody)?.file
    val source = if (file == null) body.prepared() else null
    val options = JsonText().beginObject().also(config::write)
    body.contentType?.let { options.name("contentType").string(it) }
    val style = styleOf(config, source, file)
    val stream = source as? StreamBody
    if (stream != null) {
        Uploads.keep(call, stream, currentCoroutineContext())
    }
    try {
        val bytes = (source as? WholeBody)?.bytes
        val response =
            Calls.await<Response>(call, this) {
                Native.upload(number, call, config.method, path, options.endObject().toString(), bytes, style)
            }
        return Uploaded(response, response.meta.resumable, response.meta.answerLost)
    } finally {
        if (stream != null) {
            // Where it was cancelled before it began, nothing else does.
            Uploads.close(call)
        }
    }
}

private fun styleOf(
    config: UploadConfig,
    source: Body.Prepared?,
    file: File?,
): String {
    val json = JsonText().beginObject()
    json.name("chunkSize").number(config.chunkSize)
    config.resume?.let { json.name("resume").string(it) }
    json.name("assumeResumable").boolean(config.assumeResumable)
    json.name("progress").boolean(config.progress != null)
    file?.let { json.name("file").string(it.path) }
    if (source is StreamBody) {
        json.name("stream")
        source.write(json)
    }
    return json.endObject().toString()
}

/** A stream as a body: `{replayable, length}`. */
internal fun StreamBody.write(json: JsonText) {
    json.beginObject()
    json.name("replayable").boolean(replayable)
    length?.let { json.name("length").number(it) }
    json.endObject()
}

/** Who is told how far an upload is. The native half tells in the thread that drives all calls, so it is handed on. */
internal object Progress {
    private val watched = ConcurrentHashMap<Int, Channel<UploadPosition>>()

    /** The positions of an upload. */
    fun watch(call: Int): Channel<UploadPosition> = Channel<UploadPosition>(Channel.UNLIMITED).also { watched[call] = it }

    /** The native half tells how far an upload is. */
    fun note(
        call: Int,
        position: UploadPosition,
    ) {
        watched[call]?.trySend(position)
    }

    /** The call is over. */
    fun end(call: Int) {
        watched.remove(call)?.close()
    }
}
