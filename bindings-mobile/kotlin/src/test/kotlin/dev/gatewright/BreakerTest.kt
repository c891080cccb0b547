package dev.gatewright

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** The breaker, regions, hedging and the cache, as they are set. */
class BreakerTest {
    @Test
    fun `a breaker opens as it is set`() =
        checked {
            val session = Session()
            session.script("contacts.list", "500", "500", "500")
            val client =
                session.client {
                    retry = Retry.none
                    breaker = Breaker(failureRate = 1.0, minimumCalls = 2, open = 60.seconds)
                }
            repeat(2) { thrown<ServerException> { client.get("/v1/contacts") } }
            val open = thrown<CircuitOpenException> { client.get("/v1/contacts") }
            assertNotNull(open.retryAfter)
            assertEquals(2, session.journal().size)
        }

    @Test
    fun `without a breaker everything is sent`() =
        checked {
            val session = Session()
            session.script("contacts.list", *Array(40) { "500" })
            val client =
                session.client {
                    retry = Retry.none
                    breaker = null
                }
            repeat(40) { thrown<ServerException> { client.get("/v1/contacts") } }
            assertEquals(40, session.journal().size)
        }

    @Test
    fun `a region that is down is left for another`() =
        checked {
            val session = Session()
            val client =
                Client("http://127.0.0.1:1") {
                    auth = Auth.bearer(KEY)
                    retry = SOON
                    header("x-mock-session", session.id)
                    regions = listOf(session.url)
                }
            val regions = client.get("/v1/contacts").attempts.map { it.region }
            assertEquals(listOf("127.0.0.1:1", session.url.removePrefix("http://")), regions)
        }

    @Test
    fun `a slow answer is hedged`() =
        checked {
            val session = Session()
            session.script("contacts.list", "latency=15000", "ok")
            val client = session.client { hedge = Hedge.After(20.milliseconds) }
            assertEquals(listOf(false, true), client.get("/v1/contacts").attempts.map { it.hedge })
        }

    @Test
    fun `a fresh answer is sent once`() =
        checked {
            val session = Session()
            session.set("""{"response_headers": [{"op": "contacts.list", "set": {"cache-control": "max-age=60"}}]}""")
            val client = session.client { cache = Cache(maxBytes = 1_000_000) }
            val first = client.get("/v1/contacts").bytes()
            assertArrayEquals(first, client.get("/v1/contacts").bytes())
            assertEquals(1, session.journal().size)
        }

    @Test
    fun `wrong settings are named`() {
        val wrong: List<Pair<ClientConfig.() -> Unit, String>> =
            listOf(
                Pair({ breaker = Breaker(failureRate = 2.0) }, "breaker.failureRate"),
                Pair({ maxConcurrency = 0 }, "maxConcurrency"),
                Pair({ hedge = Hedge.After(Duration.ZERO) }, "hedge"),
            )
        for ((change, name) in wrong) {
            val error = thrown<InvalidConfigException> { Session().client(configure = change) }
            assertTrue(name in error.message, error.message)
        }
    }
}
