package dev.gatewright

import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.emptyFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOf
import kotlinx.coroutines.launch
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.io.IOException
import java.net.ServerSocket
import java.nio.file.Path
import java.security.MessageDigest
import kotlin.io.path.writeBytes
import kotlin.random.Random

/** Bodies of requests of every kind, compared with what arrived. */
class BodiesTest {
    @TempDir
    lateinit var folder: Path

    private val text = "tëxt \uD83E\uDD80"
    private val bytes = text.encodeToByteArray()

    private fun pieces(vararg parts: String): Flow<ByteArray> = flowOf(*parts.map { it.encodeToByteArray() }.toTypedArray())

    @Test
    fun `a body of every kind arrives as it is`() =
        checked {
            val file = folder.resolve("body.txt")
            file.writeBytes(bytes)
            val form = "application/x-www-form-urlencoded;charset=UTF-8"
            val bodies =
                listOf(
                    Triple(Body.text(text), bytes, "text/plain;charset=UTF-8"),
                    Triple(Body.text(""), byteArrayOf(), "text/plain;charset=UTF-8"),
                    Triple(Body.text("<a/>", "text/xml"), "<a/>".encodeToByteArray(), "text/xml"),
                    Triple(Body.bytes(bytes), bytes, null),
                    Triple(Body.bytes(bytes, "image/png"), bytes, "image/png"),
                    Triple(Body.form("a" to "x y", "b" to "ä&"), "a=x+y&b=%C3%A4%26".encodeToByteArray(), form),
                    Triple(Body.file(file), bytes, null),
                    Triple(Body.file(file.toFile(), "text/csv"), bytes, "text/csv"),
                    Triple(Body.stream(pieces("tëxt ", "", "\uD83E\uDD80")), bytes, null),
                    Triple(Body.stream(pieces(text), length = bytes.size.toLong(), contentType = "a/b"), bytes, "a/b"),
                    Triple(Body.stream(emptyFlow()), byteArrayOf(), null),
                    Triple(Body.replayable { pieces(text) }, bytes, null),
                )
            for ((body, arrived, type) in bodies) {
                val session = Session()
                session.client().post("/v1/echo") { this.body = body }
                val entry = session.last()
                assertArrayEquals(arrived, entry.body)
                assertEquals("true", entry.text("body_complete"))
                assertEquals(type, entry.headers["content-type"])
            }
        }

    @Serializable
    data class Contact(
        val name: String,
        val tags: List<String> = emptyList(),
        val note: String? = null,
    )

    @Test
    fun `json by the client's own settings`() =
        checked {
            val session = Session()
            val client = session.client { json = Json { encodeDefaults = true } }
            client.put("/v1/echo") { json(Contact("Zoë")) }
            assertEquals("""{"name":"Zoë","tags":[],"note":null}""", session.last().body.decodeToString())
            assertEquals("application/json", session.last().headers["content-type"])
            session.client().put("/v1/echo") { json(listOf(Contact("Zoë", listOf("a")))) }
            assertEquals("""[{"name":"Zoë","tags":["a"]}]""", session.last().body.decodeToString())
            client.put("/v1/echo") { json<String?>(null) }
            assertEquals("null", session.last().body.decodeToString())
            client.patch("/v1/echo") {
                body = Body.json(mapOf("a" to 1))
                header("Content-Type", "application/merge-patch+json")
            }
            assertEquals("application/merge-patch+json", session.last().headers["content-type"])
        }

    @Test
    fun `a form with files, in memory and from disk`() =
        checked {
            val session = Session()
            val file = folder.resolve("d\"ä.csv")
            file.writeBytes("one,two\n".encodeToByteArray())
            session.client().post("/v1/echo") {
                body =
                    Body.multipart {
                        field("name", "Zoë")
                        file("small", "s.bin", byteArrayOf(65, 66))
                        file("file", file.toFile(), contentType = "text/csv")
                        part("meta", Body.json(Contact("x")))
                    }
            }
            val entry = session.last()
            val type = entry.headers.getValue("content-type")
            assertTrue(type.startsWith("multipart/form-data; boundary="), type)
            val boundary = type.substringAfter("boundary=")
            val expected =
                listOf(
                    "--$boundary\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\nZoë",
                    "content-disposition: form-data; name=\"small\"; filename=\"s.bin\"\r\ncontent-type: application/octet-stream\r\n\r\nAB",
                    "content-disposition: form-data; name=\"file\"; filename=\"d%22ä.csv\"\r\ncontent-type: text/csv\r\n\r\none,two\n",
                    "content-disposition: form-data; name=\"meta\"\r\ncontent-type: application/json\r\n\r\n{\"name\":\"x\"}",
                ).joinToString("\r\n--$boundary\r\n") + "\r\n--$boundary--\r\n"
            assertEquals(expected, entry.body.decodeToString())
            assertEquals(expected.encodeToByteArray().size.toString(), entry.headers["content-length"])
            session.client().post("/v1/echo") { body = Body.multipart { field("a", "b") } }
            assertTrue(
                session
                    .last()
                    .body
                    .decodeToString()
                    .contains("name=\"a\"\r\n\r\nb\r\n--"),
            )
        }

    @Test
    fun `large bodies arrive whole, with their length`() =
        checked {
            val session = Session()
            val client = session.client()
            val large = Random(1).nextBytes(5_000_000)
            val file = folder.resolve("large.bin").toFile()
            file.writeBytes(large)
            val sum = MessageDigest.getInstance("SHA-256").digest(large).joinToString("") { "%02x".format(it) }
            for (body in listOf(Body.bytes(large), Body.file(file), Body.replayable(large.size.toLong()) { flowOf(large) })) {
                val sunk: Sunk = client.post("/v1/sink") { this.body = body }.json()
                assertEquals(Sunk(large.size, sum), sunk)
                assertEquals(large.size.toString(), session.last().headers["content-length"])
            }
        }

    @Serializable
    data class Sunk(
        val body_length: Int,
        val body_sha256: String,
    )

    @Test
    fun `what can be made anew is sent again by a retry, and a stream is not`() =
        checked {
            val file = folder.resolve("again.txt").toFile()
            file.writeBytes(bytes)
            var opened = 0
            val replayable =
                Body.replayable {
                    opened += 1
                    pieces(text)
                }
            for (body in listOf(replayable, Body.file(file), Body.text(text), Body.multipart { file("f", file) })) {
                val session = Session()
                session.script("echo", "503", "ok")
                val response = session.client().post("/v1/echo") { this.body = body }
                assertEquals(2, response.attempts.size)
                val (first, second) = session.journal()
                assertArrayEquals(first.body, second.body)
                assertTrue(second.body.isNotEmpty())
            }
            assertEquals(2, opened)
            val session = Session()
            session.script("echo", "503", "ok")
            val error = thrown<ServerException> { session.client().post("/v1/echo") { body = Body.stream(pieces(text)) } }
            assertEquals(1, error.attempts.size)
        }

    @Test
    fun `a piece is taken from the flow when the connection takes it`() =
        checked {
            var made = 0
            val endless =
                flow {
                    while (true) {
                        made += 1
                        emit(ByteArray(64 * 1024))
                    }
                }
            // It takes the connection, and reads nothing.
            ServerSocket(0).use { deaf ->
                val client = Client("http://127.0.0.1:${deaf.localPort}")
                val sending = launch { client.post("/") { body = Body.stream(endless) } }
                until { made > 0 }
                delay(400)
                sending.cancelAndJoin()
            }
            // A few megabytes are in the buffers of the system; without back pressure it would be gigabytes.
            assertTrue(made <= 400, "$made pieces were taken")
        }

    @Test
    fun `what a flow throws is the cause, and ends the call`() =
        checked {
            val session = Session()
            val thrown = IOException("the disk is gone")
            val body =
                Body.stream(
                    flow {
                        emit(bytes)
                        throw thrown
                    },
                )
            val client = session.client()
            val error = thrown<GatewrightException> { client.post("/v1/sink") { this.body = body } }
            assertSame(thrown, error.cause)
            assertTrue(error.message.contains("the disk is gone"), error.message)
            idle(client)
        }

    @Test
    fun `a file that is not there, a stream within a form, and a value that has no JSON are refused, and nothing is sent`() =
        checked {
            val session = Session()
            val client = session.client()
            val missing = thrown<InvalidRequestException> { client.post("/v1/sink") { body = Body.file(File("/nowhere/x.bin")) } }
            assertTrue(missing.message.contains("/nowhere/x.bin"), missing.message)
            val form = Body.multipart { part("x", Body.stream(emptyFlow())) }
            assertTrue(thrown<InvalidRequestException> { client.post("/v1/sink") { body = form } }.message.contains("`x`"))
            val infinite = thrown<InvalidRequestException> { client.post("/v1/sink") { json(Double.NaN) } }
            assertTrue(infinite.message.contains("`json` cannot be encoded"), infinite.message)
            assertEquals(emptyList<Any>(), session.journal())
            assertFalse(inFlight(client))
        }
}
