package dev.gatewright

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What a client says of itself: explanations, its state, and how the cache took part. */
class ExplainTest {
    @Test
    fun `it says what would be done and sends nothing`() =
        checked {
            val session = Session()
            val client = session.client()
            val request = Supposition.Request(path = "/v1/contacts")
            val explained = client.explain(Supposition.status(503, mapOf("retry-after" to "7"), request = request))
            val retry = explained.decision as Explanation.Decision.Retry
            assertTrue(retry.leastWait >= 7.seconds && retry.mostWait >= retry.leastWait, retry.toString())
            assertEquals(7.seconds, explained.retryAfter)
            assertTrue(explained.repeatable && explained.reasons.isNotEmpty())
            assertEquals(Explanation.Count.FAILURE, explained.counted)
            assertTrue("503" in explained.toString(), explained.toString())
            val post = Supposition.Request(method = "POST", hasIdempotencyKey = false)
            val given = client.explain(Supposition.failure(Supposition.Failure.CONNECTION_LOST, post))
            assertTrue(given.decision is Explanation.Decision.GiveUp, given.toString())
            assertEquals(Explanation.Decision.Return, client.explain(Supposition.status(200)).decision)
            assertEquals(0, session.journal().size)
        }

    @Test
    fun `what cannot be supposed is refused`() {
        thrown<InvalidRequestException> { Session().client().explain(Supposition.status(42)) }
    }

    @Test
    fun `the state has breaker, slots, regions and cache`() =
        checked {
            val session = Session()
            val client =
                session.client {
                    retry = Retry.none
                    breaker = Breaker(failureRate = 1.0, minimumCalls = 1, open = 60.seconds)
                    maxConcurrency = 3
                    cache = Cache(maxBytes = 1_000_000)
                    regions = listOf("http://127.0.0.1:1")
                }
            val before = client.state()
            assertEquals(BreakerState.Phase.CLOSED, before.breaker?.phase)
            assertEquals(3, before.concurrency?.limit)
            assertEquals(1_000_000L, before.cache?.maxBytes)
            val names = listOf(session.url.removePrefix("http://"), "127.0.0.1:1")
            assertEquals(names.map { it to true }, before.regions.map { it.name to it.healthy })
            session.script("contacts.list", "500")
            thrown<ServerException> { client.get("/v1/contacts") }
            val region = client.state().regions.first()
            val broken = checkNotNull(region.breaker)
            assertEquals(BreakerState.Phase.OPEN, broken.phase)
            assertNotNull(broken.retryAfter)
            assertNotNull(broken.lastFailure)
            val plain = session.client { breaker = null }.state()
            assertEquals(listOf(null, null, null), listOf(plain.breaker, plain.concurrency, plain.cache))
            assertTrue(plain.regions.isEmpty())
        }

    @Test
    fun `an answer says what part the cache had`() =
        checked {
            val session = Session()
            session.set("""{"response_headers": [{"op": "contacts.list", "set": {"cache-control": "max-age=60"}}]}""")
            val client = session.client { cache = Cache() }
            val modes = listOf(null, null, CacheMode.RELOAD, CacheMode.NO_STORE, CacheMode.ONLY_IF_CACHED)
            val answers = modes.map { mode -> client.get("/v1/contacts") { cache = mode } }
            val statuses = listOf(CacheStatus.MISS, CacheStatus.HIT, CacheStatus.MISS, null, CacheStatus.HIT)
            assertEquals(statuses, answers.map { it.cacheStatus })
            assertEquals(statuses.map { it == CacheStatus.HIT }, answers.map { it.fromCache })
            assertEquals(2L, client.state().cache?.hits)
            client.clearCache()
            assertEquals(0L, client.state().cache?.entries)
            thrown<NotCachedException> { client.get("/v1/contacts") { cache = CacheMode.ONLY_IF_CACHED } }
            assertNull(session.client().get("/v1/contacts").cacheStatus)
        }

    @Test
    fun `a call may have hedging of its own`() =
        checked {
            val session = Session()
            session.script("contacts.list", "latency=15000", "ok")
            val hedged = session.client().get("/v1/contacts") { hedge = Hedge.After(20.milliseconds) }
            assertEquals(listOf(false, true), hedged.attempts.map { it.hedge })
            session.script("contacts.list", "latency=200", "ok")
            val eager = session.client { hedge = Hedge.After(20.milliseconds) }
            val plain = eager.get("/v1/contacts") { hedge = Hedge.Never }
            assertEquals(listOf(false), plain.attempts.map { it.hedge })
        }
}
