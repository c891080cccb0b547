package dev.gatewright

import kotlinx.serialization.Serializable
import kotlinx.serialization.builtins.serializer
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.security.MessageDigest
import kotlin.time.Duration

/** What is known of an answer. */
class ResponsesTest {
    @Test
    fun `an answer has all its facts`() =
        checked {
            val session = Session()
            session.script("whoami", "503", "ok")
            val response = session.client().get("/v1/whoami")
            assertEquals(200, response.status)
            assertTrue(response.ok)
            assertEquals("${session.url}/v1/whoami", response.url)
            assertEquals("GET", response.method)
            assertEquals(response.headers["Request-Id"], response.requestId)
            assertTrue(response.elapsed > Duration.ZERO)
            assertEquals(listOf(503, 200), response.attempts.map { it.status })
            assertEquals(listOf(Decision.RETRY, Decision.RETURN), response.attempts.map { it.decision })
            val (first, second) = response.attempts
            assertNotNull(first.wait)
            assertNull(second.wait)
            assertTrue(second.started >= first.started + first.took, response.attempts.toString())
            assertTrue(response.timeline().contains("503"), response.timeline())
            assertEquals(
                2,
                response
                    .timeline()
                    .trim()
                    .lines()
                    .size,
            )
            val shown = response.toString()
            assertTrue(shown.startsWith("Response(status=200, method=GET, requestId=${response.requestId}, elapsed="), shown)
        }

    @Test
    fun `headers are found in any case, and listed in order`() =
        checked {
            val session = Session()
            val headers = session.client().get("/v1/whoami").headers
            assertEquals("application/json", headers["CONTENT-TYPE"]?.substringBefore(';'))
            assertTrue("content-type" in headers && "x-none" !in headers)
            assertNull(headers["x-none"])
            assertEquals(headers.size, headers.count())
            assertEquals(headers.names, headers.toMap().keys)
            assertEquals(listOf(headers["request-id"]), headers.all("Request-ID"))
            assertFalse(headers.toString().contains(headers["request-id"].orEmpty()))
        }

    @Serializable
    data class Whoami(
        val tenant: String,
        val tier: String,
        val scopes: List<String> = emptyList(),
    )

    @Test
    fun `a body is read in every way, any number of times`() =
        checked {
            val response = Session().client().get("/v1/whoami")
            repeat(2) {
                assertEquals("unlimited", response.json<Whoami>().tier)
                assertEquals("acme", response.json<JsonObject>().text("tenant"))
                assertEquals(response.json(Whoami.serializer()), response.json<Whoami>())
                assertArrayEquals(response.bytes(), response.text().encodeToByteArray())
            }
            response.bytes().fill(0)
            assertEquals("acme", response.json<Whoami>().tenant)
        }

    @Test
    fun `a body of every size is whole`() =
        checked {
            val client = Session().client()
            for (size in listOf(0, 1, 16 * 1024, 16 * 1024 + 1, 5_000_000)) {
                val response = client.get("/v1/bytes/$size")
                assertEquals(size, response.bytes().size)
                val sum = MessageDigest.getInstance("SHA-256").digest(response.bytes()).joinToString("") { "%02x".format(it) }
                assertEquals(response.headers["x-content-sha256"], sum)
                assertEquals(size.toString(), response.headers["content-length"] ?: size.toString())
            }
        }

    @Test
    fun `many answers that come together are each its own`() =
        checked {
            val client = Session().client()
            val sizes = together(200) { number -> number to client.get("/v1/bytes/${number * 150}") }
            for ((number, response) in sizes) {
                assertEquals(number * 150, response.bytes().size)
                assertTrue(response.url.endsWith("/v1/bytes/${number * 150}"))
            }
        }

    @Test
    fun `a byte order mark is no part of a text, and wrong bytes are replaced`() =
        checked {
            val session = Session()
            session.script("whoami", "200;body=\"\uFEFF{}\"")
            val marked = session.client().get("/v1/whoami")
            assertEquals("{}", marked.text())
            assertEquals(5, marked.bytes().size)
            assertEquals("{}", marked.json<JsonObject>().toString())
        }

    @Serializable
    class Strict(
        val missing: Int,
    )

    @Test
    fun `a body that is not what is wanted is a DecodeException that says of which answer`() =
        checked {
            val session = Session()
            val client = session.client()
            val lines = client.get("/v1/lines/2")
            val error = thrown<DecodeException> { lines.json<Whoami>() }
            assertTrue(error.message.startsWith("decode: GET ${session.url}/v1/lines/2 was answered 200 OK with a body"), error.message)
            assertEquals(200, error.status)
            assertEquals(lines.requestId, error.requestId)
            assertNotNull(error.cause)
            assertEquals(1, error.attempts.size)
            val whoami = client.get("/v1/whoami")
            val other = thrown<DecodeException> { whoami.json<Strict>() }
            assertTrue(other.message.contains("missing"), other.message)
            assertFalse("unlimited" in other.stackTraceToString(), other.stackTraceToString())
            thrown<DecodeException> { whoami.json<List<String>>() }
            thrown<DecodeException> { client.get("/v1/drip?bytes=3&interval_ms=0").json<JsonElement>() }
            thrown<DecodeException> { client.head("/v1/whoami").json(Int.serializer()) }
        }

    @Test
    fun `what is known of limits and budget`() =
        checked {
            val session = Session()
            val client = session.client { auth = Auth.bearer("sk_test_pro_acme") }
            val fresh = client.state()
            assertEquals(listOf(500, 500), listOf(fresh.budgetLeft, fresh.budgetCapacity))
            assertEquals(emptyList<LimitsState>(), fresh.limits)
            client.get("/v1/whoami")
            val limits = client.state().limits.single()
            assertEquals(listOf(0, 0, null), listOf(limits.inFlight, limits.queued, limits.pausedFor))
            assertTrue(limits.quotas.isNotEmpty() && limits.quotas.all { it.limit > 0 && it.remaining <= it.limit }, limits.toString())
            session.script("whoami", "503", "503", "503")
            thrown<ServerException> { client.get("/v1/whoami") }
            assertTrue(client.state().budgetLeft < 500)
        }
}
