package dev.gatewright

import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.serialization.json.JsonObject
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.ByteArrayOutputStream
import java.security.MessageDigest
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Answers whose body comes in as it is read. */
class StreamsTest {
    /** Waits until the gateway sends nothing any more. */
    private suspend fun over(session: Session) = until { session.inProgress() == 0 }

    private fun sum(bytes: ByteArray): String = MessageDigest.getInstance("SHA-256").digest(bytes).joinToString("") { "%02x".format(it) }

    @Test
    fun `the head comes first, the body as it is read`() =
        checked {
            val session = Session()
            session.client().stream("GET", "/v1/drip?bytes=60&interval_ms=50").use { response ->
                assertEquals(listOf(200, true, "GET", 1), listOf(response.status, response.ok, response.method, response.attempts.size))
                assertTrue(response.toString().startsWith("StreamResponse(status=200, method=GET, requestId="), response.toString())
                val pieces = response.body.toList()
                assertEquals("*".repeat(60), pieces.joinToString("") { it.decodeToString() })
                assertTrue(pieces.size > 1, "it came in one piece")
            }
        }

    @Test
    fun `a body of every size, read in every way`() =
        checked {
            val session = Session()
            val client = session.client { auth = COUNTED }
            for (size in listOf(0, 1, 100_000, 8_000_000)) {
                val expected = client.get("/v1/bytes/$size").headers["x-content-sha256"]
                assertEquals(expected, sum(client.stream("GET", "/v1/bytes/$size").use { it.bytes() }))
                val whole = ByteArrayOutputStream()
                client.stream("GET", "/v1/bytes/$size").body.collect(whole::write)
                assertEquals(expected, sum(whole.toByteArray()))
            }
            over(session)
        }

    @Test
    fun `text and json read to the end`() =
        checked {
            val client = Session().client()
            assertEquals(
                3,
                client
                    .stream("GET", "/v1/lines/3")
                    .use { it.text() }
                    .trim()
                    .lines()
                    .size,
            )
            assertEquals("unlimited", client.stream("GET", "/v1/whoami").use { it.json<JsonObject>() }.text("tier"))
            thrown<DecodeException> { client.stream("GET", "/v1/lines/2").use { it.json<JsonObject>() } }
        }

    @Test
    fun `a body is read once`() =
        checked {
            val response = Session().client().stream("GET", "/v1/lines/3")
            response.text()
            thrown<IllegalStateException> { response.text() }
            thrown<IllegalStateException> { response.bytes() }
            thrown<IllegalStateException> { response.body.toList() }
            response.close()
            response.close()
        }

    @Test
    fun `error statuses are thrown, after retries`() =
        checked {
            val session = Session()
            val client = session.client { auth = COUNTED }
            assertEquals("not_found", thrown<NotFoundException> { client.stream("GET", "/v1/contacts/nope") }.problem?.text("code"))
            session.script("lines", "503", "ok")
            client.stream("GET", "/v1/lines/1").use { response ->
                assertEquals(2, response.attempts.size)
                assertTrue(response.timeline().contains("503"))
            }
            val handed = client.stream("GET", "/v1/contacts/nope") { throwOnError = false }
            assertEquals("not_found", handed.json<JsonObject>().text("code"))
            over(session)
        }

    @Test
    fun `a collector that stops, closing and leaving a block end the request`() =
        checked {
            val session = Session()
            val client = session.client { auth = COUNTED }
            val first = client.stream("GET", "/v1/drip?bytes=1000&interval_ms=50").body.first()
            assertTrue(first.size in 1..<1000, "${first.size}")
            over(session)
            client.stream("GET", "/v1/drip?bytes=100&interval_ms=60000").use { assertEquals(200, it.status) }
            over(session)
            val response = client.stream("GET", "/v1/drip?bytes=100&interval_ms=60000")
            val reading = async { thrown<ClosedException> { response.text() } }
            delay(20)
            response.close()
            assertTrue(reading.await().message.contains("the stream was closed"))
            thrown<IllegalStateException> { response.body.first() }
            over(session)
            val closed = client.stream("GET", "/v1/drip?bytes=100&interval_ms=60000")
            closed.close()
            thrown<ClosedException> { closed.body.first() }
            idle(client)
        }

    @Test
    fun `what a collector throws ends the request, and is thrown`() =
        checked {
            val session = Session()
            val client = session.client { auth = COUNTED }
            val error =
                thrown<IllegalArgumentException> {
                    client
                        .stream(
                            "GET",
                            "/v1/drip?bytes=100&interval_ms=20",
                        ).body
                        .collect { throw IllegalArgumentException("mine") }
                }
            assertEquals("mine", error.message)
            over(session)
        }

    @Test
    fun `a body that breaks off is an error, and what came before stays good`() =
        checked {
            val session = Session()
            session.script("bytes", "reset@30000")
            val client = session.client()
            val came = ByteArrayOutputStream()
            thrown<ConnectionLostException> { client.stream("GET", "/v1/bytes/100000?chunk=1000").body.collect(came::write) }
            val whole = client.get("/v1/bytes/100000?chunk=1000").bytes()
            assertTrue(came.size() in 1..<30_000)
            assertArrayEquals(whole.copyOf(came.size()), came.toByteArray())
        }

    @Test
    fun `the deadline covers the body, and null lifts it`() =
        checked {
            val client = Session().client { timeout = 400.milliseconds }
            thrown<TimeoutException> { client.stream("GET", "/v1/drip?bytes=100&interval_ms=50").use { it.text() } }
            assertEquals("*".repeat(12), client.stream("GET", "/v1/drip?bytes=12&interval_ms=50") { timeout = null }.use { it.text() })
        }

    @Test
    fun `reading ahead stops where nobody collects`() =
        checked {
            val session = Session()
            // The gateway makes the whole body before it sends any of it, which takes its time on a busy machine.
            val client =
                session.client {
                    auth = COUNTED
                    timeout = null
                    attemptTimeout = null
                }
            client.stream("GET", "/v1/bytes/50000000").use { response ->
                response.body.take(1).collect {
                    val before = resident()
                    delay(300)
                    val grown = resident() - before
                    assertTrue(grown < 25_000_000, "$grown bytes came without being asked for")
                }
            }
            over(session)
        }

    @Test
    fun `a stream that nobody holds any more gives its connection back`() =
        checked {
            val session = Session()
            val client = session.client { auth = COUNTED }
            hold(session, client)
            until {
                System.gc()
                client.get("/v1/whoami")
                session.inProgress() == 0
            }
        }

    private suspend fun hold(
        session: Session,
        client: Client,
    ) {
        val held = List(5) { client.stream("GET", "/v1/drip?bytes=1000&interval_ms=1000") { timeout = null } }
        assertEquals(5, session.inProgress())
        assertTrue(held.all { it.status == 200 })
    }

    @Test
    fun `an upload goes on while the answer comes in`() =
        checked {
            val numbers = flow { repeat(100) { emit("$it\n".encodeToByteArray()) } }
            val sunk = Session().client().stream("POST", "/v1/sink") { body = Body.stream(numbers) }.use { it.json<JsonObject>() }
            assertEquals(290, sunk.number("body_length"))
        }

    @Test
    fun `events come as they were sent, and go on after a connection that broke`() =
        checked {
            val session = Session()
            val client = session.client { auth = COUNTED }
            val events = client.events("/v1/ticks?count=20&per_connection=7&retry_ms=1").toList()
            assertEquals((1..20).map { "$it" }, events.map { it.id })
            assertTrue(events.all { it.event == "tick" && it.json<JsonObject>().number("tick") == it.id.toInt() }, events.toString())
            assertEquals("ServerEvent(event=tick, data={\"tick\":1}, id=1)", events[0].toString())
            session.script("ticks", "fin@3000", "fin@2000", "ok")
            assertEquals((1..200).map { "$it" }, client.events("/v1/ticks?count=200&retry_ms=1").toList().map { it.id })
            // Two that broke, the rest, and the answer that there are no more.
            assertEquals(4, session.journal().count { "count=200" in it.text("query") })
            assertEquals(listOf("18", "19", "20"), client.events("/v1/ticks?count=20") { lastEventId = "17" }.toList().map { it.id })
            thrown<DecodeException> { events[0].json<Int>() }
            over(session)
        }

    @Test
    fun `a collector that stops, and a coroutine that is cancelled, end a stream of events`() =
        checked {
            val session = Session()
            val client = session.client { auth = COUNTED }
            assertEquals("1", client.events("/v1/ticks?count=100&interval_ms=50").first().id)
            over(session)
            var seen = 0
            val listening = async { client.events("/v1/ticks?count=100&interval_ms=60000") { idleTimeout = 90.seconds }.collect { seen += 1 } }
            until { inFlight(client) || session.inProgress() > 0 }
            listening.cancel()
            listening.join()
            over(session)
            thrown<NotFoundException> { client.events("/v1/contacts/nope").toList() }
        }
}
