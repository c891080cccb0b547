package dev.gatewright

import kotlinx.serialization.Serializable
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** What goes onto the wire. */
class RequestsTest {
    private val verbs: Map<String, suspend Client.(String) -> Response> =
        mapOf(
            "GET" to { get(it) },
            "HEAD" to { head(it) },
            "OPTIONS" to { options(it) },
            "POST" to { post(it) },
            "PUT" to { put(it) },
            "PATCH" to { patch(it) },
            "DELETE" to { delete(it) },
        )

    @Test
    fun `each function sends its method`() =
        checked {
            val session = Session()
            val client = session.client()
            for ((method, send) in verbs) {
                val response = client.send("/v1/echo")
                assertEquals(method, response.method)
                assertTrue(response.ok)
            }
            assertEquals(verbs.keys.toList(), session.journal().map { it.text("method") })
        }

    @Test
    fun `request sends any method`() =
        checked {
            val session = Session()
            val client = session.client { throwOnError = false }
            client.request("purge", "/v1/echo")
            client.request("PATCH", "/v1/echo") { json(1) }
            assertEquals(listOf("PURGE", "PATCH"), session.journal().map { it.text("method") })
        }

    @Test
    fun `queries of all types`() =
        checked {
            val session = Session()
            val client = session.client()
            val queries: List<Pair<RequestConfig.() -> Unit, String>> =
                listOf(
                    Pair({ query("a" to 1, "b" to "x y", "c" to 1.5, "d" to 1234567890123456789L) }, "a=1&b=x+y&c=1.5&d=1234567890123456789"),
                    Pair({ query(mapOf("yes" to true, "nothing" to null)) }, "yes=true"),
                    Pair({ query("many", listOf("a", "b", null, 3)) }, "many=a&many=b&many=3"),
                    Pair({ query("ints", intArrayOf(1, 2)) }, "ints=1&ints=2"),
                    Pair({ query("array", arrayOf("x", "y")) }, "array=x&array=y"),
                    Pair({ query("lazy", sequenceOf(1L, 2L)) }, "lazy=1&lazy=2"),
                    Pair({ query("kind", Decision.RETRY) }, "kind=RETRY"),
                    Pair({ query("utf8", "ä&=+\u0000") }, "utf8=%C3%A4%26%3D%2B%00"),
                )
            for ((query, sent) in queries) {
                client.get("/v1/echo", query)
                assertEquals(sent, session.last().text("query"))
                client.get("/v1/echo?first=0", query)
                assertEquals("first=0&$sent", session.last().text("query"))
            }
        }

    @Test
    fun `a header of the call replaces that of the client, and several of a name are sent`() =
        checked {
            val session = Session()
            val client = session.client { headers("x-a" to "client", "x-b" to "client") }
            client.get("/v1/echo") {
                header("X-A", "call")
                headers("x-many" to "1", "x-many" to "2")
            }
            val entry = session.last()
            assertEquals("call", entry.headers["x-a"])
            assertEquals("client", entry.headers["x-b"])
            assertTrue(entry.toString().contains("""["x-many","1"],["x-many","2"]"""), entry.toString())
        }

    @Test
    fun `posts and patches carry an idempotency key, others none`() =
        checked {
            val session = Session()
            val client = session.client()
            for (send in verbs.values) {
                client.send("/v1/echo")
            }
            assertEquals(listOf("POST", "PATCH"), session.journal().filter { "idempotency-key" in it.headers }.map { it.text("method") })
            client.post("/v1/echo") { idempotencyKey = "mine" }
            assertEquals("mine", session.last().headers["idempotency-key"])
            session.client { idempotencyKeys = false }.post("/v1/echo")
            assertFalse("idempotency-key" in session.last().headers)
            session.client { idempotencyHeader = "x-once" }.post("/v1/echo")
            assertTrue(
                session
                    .last()
                    .headers
                    .getValue("x-once")
                    .length > 8,
            )
            session.client { idempotencyQuoted = true }.post("/v1/echo") { idempotencyKey = "q" }
            assertEquals("\"q\"", session.last().headers["idempotency-key"])
        }

    @Serializable
    class Whoami(
        val tenant: String,
        val tier: String,
    )

    @Test
    fun `every kind of auth`() =
        checked {
            val key = "sk_test_pro_acme"
            val auths =
                listOf(
                    Auth.bearer(key),
                    Auth.basic(key, ""),
                    Auth.apiKey(key),
                    Auth.apiKey(key, header = "x-api-key"),
                    Auth.apiKeyQuery(key, "api_key"),
                    Auth.apiKeyCookie(key, "api_key"),
                    Auth.token { Token(key) },
                    Auth.token { Token(key, expiresIn = Duration.INFINITE) },
                )
            for (auth in auths) {
                val session = Session()
                val whoami: Whoami = session.client { this.auth = auth }.get("/v1/whoami").json()
                assertEquals("pro", whoami.tier, auth.toString())
            }
            assertEquals(
                "missing_credentials",
                thrown<AuthenticationException> { Session().client { auth = Auth.none }.get("/v1/whoami") }.problem?.text("code"),
            )
        }

    @Test
    fun `paths are joined to the base URL`() =
        checked {
            val session = Session()
            val client = session.client("/v1")
            assertEquals("${session.url}/v1/whoami", client.get("whoami").url)
            client.get("/whoami")
            assertEquals(listOf("/v1/whoami", "/v1/whoami"), session.journal().map { it.text("path") })
            assertEquals("${session.url}/v1", client.baseUrl)
        }

    @Test
    fun `settings of one call`() =
        checked {
            val session = Session()
            val client = session.client()
            session.script("whoami", "503", "503", "503")
            val one =
                client.get("/v1/whoami") {
                    maxAttempts = 1
                    throwOnError = false
                }
            assertEquals(listOf(503, false, 1), listOf(one.status, one.ok, one.attempts.size))
            thrown<TimeoutException> { client.get("/v1/delay/60000") { timeout = 30.milliseconds } }
            val attempts =
                thrown<TimeoutException> {
                    client.get("/v1/delay/60000") {
                        attemptTimeout = 20.milliseconds
                        maxAttempts = 2
                    }
                }
            assertEquals(2, attempts.attempts.size)
            val hasty = session.client { timeout = 10.milliseconds }
            assertTrue(hasty.get("/v1/delay/50") { timeout = null }.ok)
            assertTrue(hasty.get("/v1/delay/50") { timeout = Duration.INFINITE }.ok)
            assertEquals(
                1,
                thrown<ServerException> { session.client { retry = Retry.none }.get("/v1/whoami") { header("x-mock-fault", "503") } }.attempts.size,
            )
        }

    @Test
    fun `a request's settings show those of the client`() =
        checked {
            val session = Session()
            session.client { timeout = 7000.milliseconds }.get("/v1/echo") {
                assertEquals(7000.milliseconds, timeout)
                assertEquals(20_000.milliseconds, attemptTimeout)
            }
            assertEquals(1, session.journal().size)
        }

    @Test
    fun `the body that was given is what is sent, whatever happens to it later`() =
        checked {
            val session = Session()
            session.script("echo", "503", "ok")
            val bytes = byteArrayOf(1, 2, 3)
            val client =
                session.client {
                    afterAttempt { bytes.fill(9) }
                }
            client.post("/v1/echo") { body = Body.bytes(bytes) }
            assertArrayEquals(byteArrayOf(1, 2, 3), session.last().body)
        }
}
