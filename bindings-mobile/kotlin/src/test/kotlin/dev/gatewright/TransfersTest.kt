package dev.gatewright

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.ByteArrayOutputStream
import java.io.File
import java.io.IOException
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** JSON lines, downloads that go on where they break, and resumable uploads. */
class TransfersTest {
    @Serializable
    private data class Line(
        val index: Int,
    )

    @TempDir
    lateinit var folder: File

    private fun names(): List<String> = folder.list().orEmpty().sorted()

    @Test
    fun `values are decoded as they come`() =
        checked {
            val session = Session()
            val lines = session.client().jsonLines<Line>("/v1/lines/5").toList()
            assertEquals(listOf(0, 1, 2, 3, 4), lines.map { it.index })
            assertTrue(
                session
                    .last()
                    .headers
                    .getValue("accept")
                    .contains("application/jsonl"),
            )
        }

    @Test
    fun `a bad line is named, and what came before it was handed over`() =
        checked {
            val client = Session().client()
            val came = mutableListOf<JsonElement>()
            val error =
                thrown<DecodeException> {
                    client
                        .jsonLines<JsonElement>("/v1/exports") {
                            query("items", 5)
                            query("bad_at", 3)
                        }.collect { came += it }
                }
            assertTrue(error.message.contains("line 3"), error.message)
            assertEquals(2, came.size)

            @Serializable
            data class Other(
                val other: Int,
            )
            val shape = thrown<DecodeException> { client.jsonLines<Other>("/v1/lines/2").toList() }
            assertTrue(shape.message.contains("value 1 of the JSON lines"), shape.message)
            assertTrue(shape.cause is IllegalArgumentException)
        }

    @Test
    fun `lines can be read as texts`() =
        checked {
            val texts = Session().client().textLines("/v1/lines/2").toList()
            assertEquals(2, texts.size)
            assertTrue(texts[1].startsWith("{\"index\":1"), texts[1])
        }

    @Test
    fun `a line has a limit, and silence has one`() =
        checked {
            val client = Session().client()
            val long = thrown<ProtocolException> { client.jsonLines<JsonElement>("/v1/lines/2") { maxLineBytes = 8 }.toList() }
            assertTrue(long.message.contains("line 1 is longer than 8 bytes"), long.message)
            thrown<TimeoutException> {
                client
                    .jsonLines<JsonElement>("/v1/lines/3") {
                        query("interval_ms", 5000)
                        idleTimeout = 100.milliseconds
                    }.toList()
            }
            thrown<InvalidConfigException> { client.jsonLines<JsonElement>("/v1/lines/2") { idleTimeout = Duration.ZERO }.toList() }
        }

    @Test
    fun `a collector of lines that stops ends the request`() =
        checked {
            val session = Session()
            val client = session.client { auth = COUNTED }
            client.jsonLines<JsonElement>("/v1/lines/1000") { query("interval_ms", 20) }.first()
            until { session.inProgress() == 0 }
        }

    @Test
    fun `a download that breaks goes on where it broke`() =
        checked {
            val session = Session()
            val client = session.client()
            val whole = client.get("/v1/files/gen-200000-7/content").bytes()
            session.script("files.content", "reset@90000", "ok")
            val came = ByteArrayOutputStream()
            client.download("/v1/files/gen-200000-7/content").use { download ->
                assertEquals(200_000, download.total)
                assertEquals("bytes", download.headers["accept-ranges"])
                download.body.collect(came::write)
                assertEquals(200_000, download.position)
                assertEquals(listOf(200, 206), download.attempts.map { it.status })
                assertEquals(Decision.RETRY, download.attempts.first().decision)
                thrown<IllegalStateException> { download.body.collect() }
            }
            assertArrayEquals(whole, came.toByteArray())
            val ranges = session.journal().map { it.headers["range"] }
            assertEquals(listOf(null, null), ranges.take(2))
            assertTrue(Regex("bytes=[1-9][0-9]*-").matches(ranges[2].orEmpty()), ranges[2])
        }

    @Test
    fun `another version is never mixed in`() =
        checked {
            val session = Session()
            val client = session.client()
            val id = client.post("/v1/files") { body = Body.bytes(ByteArray(100_000) { 1 }) }.json<JsonObject>().text("id")
            session.script("files.content", "reset@30000", "ok")
            var came = 0
            thrown<PreconditionFailedException> {
                client.download("/v1/files/$id/content") { query("chunk", 1000) }.body.collect { piece ->
                    if (came == 0) {
                        client.put("/v1/files/$id/content") { body = Body.bytes(ByteArray(100_000) { 2 }) }
                    }
                    assertTrue(piece.all { it == 1.toByte() })
                    came += piece.size
                }
            }
            assertTrue(came < 100_000)
        }

    @Test
    fun `who stops, closes or is cancelled ends a download`() =
        checked {
            val session = Session()
            val client = session.client { auth = COUNTED }
            val path = "/v1/files/gen-1000000-7/content?chunk=1000&interval_ms=50"
            client.download(path).body.first()
            until { session.inProgress() == 0 }
            val download = client.download(path)
            download.close()
            thrown<ClosedException> { download.body.collect() }
            until { session.inProgress() == 0 }
            val job = launch { client.download(path).body.collect() }
            until { session.inProgress() == 1 }
            job.cancel()
            until { session.inProgress() == 0 }
        }

    @Test
    fun `a file is there once it is whole, and a later run goes on`() =
        checked {
            val session = Session()
            val client = session.client { retry = Retry.none }
            val file = File(folder, "report.bin")
            session.script("files.content", "reset@90000", "ok")
            thrown<ConnectionLostException> { client.downloadTo("/v1/files/gen-200000-7/content", file) }
            assertEquals(listOf("report.bin.part", "report.bin.part.version"), names())
            val done = client.downloadTo("/v1/files/gen-200000-7/content", file.toPath())
            assertEquals(200_000, done.length)
            assertTrue(done.resumedFrom > 0)
            assertEquals(listOf(206), done.attempts.map { it.status })
            assertEquals(listOf("report.bin"), names())
            assertArrayEquals(client.get("/v1/files/gen-200000-7/content").bytes(), file.readBytes())
        }

    @Test
    fun `what cannot be downloaded says why`() =
        checked {
            val session = Session()
            val client = session.client()
            thrown<InvalidRequestException> { client.download("/v1/bytes/10") { header("range", "bytes=5-") } }
            thrown<NotFoundException> { client.download("/v1/files/nope/content") }
            thrown<InvalidRequestException> { client.downloadTo("/v1/bytes/10", File(folder, "no/such/file")) }
            assertEquals(listOf("/v1/files/nope/content"), session.journal().map { it.text("path") })
        }

    private val content = ByteArray(1000) { it.toByte() }

    private fun pieces() = flowOf(content.copyOfRange(0, 1), content.copyOfRange(1, 700), content.copyOfRange(700, 1000))

    @Test
    fun `a file is uploaded piece by piece, and progress is told`() =
        checked {
            val session = Session()
            val file = File(folder, "film.bin").also { it.writeBytes(content) }
            val told = CopyOnWriteArrayList<UploadPosition>()
            val uploaded =
                session.client().upload("/v1/files", Body.file(file, "video/mp4")) {
                    chunkSize = 400
                    onProgress { told += it }
                }
            assertEquals(
                listOf(201, true, false, 5),
                listOf(uploaded.response.status, uploaded.resumable, uploaded.answerLost, uploaded.attempts.size),
            )
            assertEquals(1000, uploaded.response.json<JsonObject>().number("size"))
            assertEquals(listOf(0L, 0, 400, 800, 1000), told.map { it.offset })
            assertEquals(1000, told.last().length)
            assertFalse(told.last().toString().contains(checkNotNull(told.last().location)))
            val journal = session.journal()
            assertEquals(listOf("OPTIONS", "POST", "PATCH", "PATCH", "PATCH"), journal.map { it.text("method") })
            assertEquals(listOf(null, null, "0", "400", "800"), journal.map { it.headers["upload-offset"] })
            assertEquals("video/mp4", journal[1].headers["content-type"])
            assertArrayEquals(content, journal.drop(2).fold(ByteArray(0)) { all, request -> all + request.body })
        }

    @Test
    fun `a break costs no more than is lost, whatever the source`() =
        checked {
            for (body in listOf(Body.bytes(content), Body.replayable { pieces() }, Body.stream(pieces()))) {
                val session = Session()
                session.script("uploads.append", "ok", "cut-upload@40", "ok")
                val uploaded = session.client().upload("/v1/files", body) { chunkSize = 400 }
                assertEquals(1000, uploaded.response.json<JsonObject>().number("size"))
                assertEquals(
                    listOf("OPTIONS", "POST", "PATCH", "PATCH", "HEAD", "PATCH", "PATCH"),
                    session.journal().map { it.text("method") },
                )
            }
        }

    @Test
    fun `an upload goes on where an earlier one ended`() =
        checked {
            val session = Session()
            val client = session.client { retry = Retry.none }
            session.script("uploads.append", "ok", "403")
            val error = thrown<PermissionDeniedException> { client.upload("/v1/files", Body.bytes(content)) { chunkSize = 400 } }
            val position = checkNotNull(error.upload)
            assertEquals(listOf(400L, 1000L), listOf(position.offset, position.length))
            val location = checkNotNull(position.location)
            assertFalse(position.toString().contains(location))
            session.faults("")
            client.upload("/v1/files", Body.bytes(content)) {
                resume = location
                chunkSize = 1000
            }
            val journal = session.journal().takeLast(2)
            assertEquals(listOf("HEAD", "PATCH"), journal.map { it.text("method") })
            assertArrayEquals(content.copyOfRange(400, 1000), journal.last().body)
        }

    @Test
    fun `what cannot be uploaded says why`() =
        checked {
            val session = Session()
            val client = session.client()
            val size = thrown<InvalidRequestException> { client.upload("/v1/files", Body.bytes(content)) { chunkSize = 0 } }
            assertTrue(size.message.contains("`chunkSize` is 0"), size.message)
            thrown<InvalidRequestException> { client.upload("/v1/files", Body.file(File(folder, "nothing"))) }
            assertEquals(0, session.journal().size)
            val failing = Body.replayable { flow { throw IOException("the disk is gone") } }
            assertTrue(thrown<InvalidRequestException> { client.upload("/v1/files", failing) }.cause is IOException)
            val told = IllegalStateException("enough")
            val thrown = thrown<IllegalStateException> { client.upload("/v1/files", Body.bytes(content)) { onProgress { throw told } } }
            assertEquals("enough", thrown.message)
        }

    @Test
    fun `cancelling ends an upload`() =
        checked {
            val session = Session()
            val client = session.client()
            val endless =
                Body.replayable {
                    flow {
                        while (true) {
                            delay(1)
                            emit(ByteArray(1000))
                        }
                    }
                }
            val upload = async { runCatching { client.upload("/v1/files", endless) { chunkSize = 1000 } } }
            until { session.journal().any { it.text("method") == "PATCH" } }
            upload.cancel()
            thrown<CancellationException> { upload.await() }
            idle(client)
        }
}
