package dev.gatewright

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.serialization.json.JsonElement
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import kotlin.time.Duration.Companion.milliseconds

/** Traces, floors of throughput, the queue's limit, and the observer of calls. */
class ObserverTest {
    private val parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test
    fun `each attempt is a span of the caller's trace`() =
        checked {
            val session = Session()
            session.script("contacts.get", "503", "ok")
            session.client().get("/v1/contacts/ct_000001") {
                traceContext = TraceContext(parent, "vendor=abc,other=1")
                urlTemplate = "/v1/contacts/{id}"
            }
            val sent = session.journal().map { it.headers.getValue("traceparent") }
            assertEquals(2, sent.distinct().size)
            assertTrue(sent.all { it.startsWith(parent.take(36)) && it.endsWith("-01") && it != parent }, "$sent")
            assertEquals(listOf("vendor=abc,other=1", "vendor=abc,other=1"), session.journal().map { it.headers["tracestate"] })
        }

    @Test
    fun `a trace that is none is refused before anything is sent`() =
        checked {
            val session = Session()
            val error = thrown<InvalidRequestException> { session.client().get("/v1/whoami") { traceContext = TraceContext("canary") } }
            assertTrue(error.message.contains("`traceparent`"), error.message)
            assertFalse(error.stackTraceToString().contains("canary"))
            assertEquals(0, session.journal().size)
        }

    @Test
    fun `transfers and lines carry the trace, too`() =
        checked {
            val session = Session()
            val client = session.client()
            val trace = TraceContext(parent)
            client.jsonLines<JsonElement>("/v1/lines/1") { traceContext = trace }.toList()
            client.download("/v1/bytes/10") { traceContext = trace }.use { it.body.collect() }
            client.upload("/v1/files", Body.text("hello")) { traceContext = trace }
            val sent = session.journal().map { it.headers.getValue("traceparent") }
            assertTrue(sent.size >= 5 && sent.distinct().size == sent.size, "$sent")
            assertTrue(sent.all { it.startsWith(parent.take(36)) }, "$sent")
        }

    @Test
    fun `a body slower than the floor is a timeout`() =
        checked {
            val session = Session()
            val floor = MinThroughput(bytesPerSecond = 1000, grace = 300.milliseconds)
            val strict =
                session.client {
                    minThroughput = floor
                    retry = Retry.none
                }
            val endless = "/v1/drip?bytes=1000&interval_ms=50"
            val slow = "/v1/drip?bytes=12&interval_ms=50"
            val error = thrown<TimeoutException> { strict.stream("GET", endless).use { it.text() } }
            assertTrue(error.message.contains("where at least 1000 bytes/s are wanted"), error.message)
            assertTrue(error.message.contains("`minThroughput`"), error.message)
            assertEquals(12, strict.stream("GET", slow) { minThroughput = MinThroughput.off }.use { it.text() }.length)
            val usual = session.client()
            thrown<TimeoutException> {
                usual
                    .stream("GET", endless) {
                        minThroughput = floor
                        maxAttempts = 1
                    }.use { it.text() }
            }
            thrown<InvalidRequestException> { usual.get("/v1/whoami") { minThroughput = MinThroughput(bytesPerSecond = -1) } }
        }

    @Test
    fun `more calls than the queue takes are refused`() =
        checked {
            val session = Session()
            val client =
                session.client {
                    quota = "1/min"
                    maxQueue = 0
                }
            client.get("/v1/whoami")
            thrown<RateLimitedException> { client.get("/v1/whoami") }
            val wrong = thrown<InvalidConfigException> { session.client { maxQueue = -1 } }
            assertTrue(wrong.message.contains("`maxQueue` is -1"), wrong.message)
        }

    @Test
    fun `an observer is told of each call that is over`() =
        checked {
            val session = Session()
            session.script("contacts.get", "503", "ok")
            val calls = Channel<ObservedCall>(Channel.UNLIMITED)
            val client = session.client { observer { calls.trySend(it) } }
            client.get("/v1/contacts/ct_000001") {
                traceContext = TraceContext(parent)
                urlTemplate = "/v1/contacts/{id}"
            }
            val call = calls.receive()
            assertEquals(
                listOf("GET", "/v1/contacts/{id}", parent, "127.0.0.1", 200),
                listOf(call.method, call.urlTemplate, call.traceparent, call.host, call.status),
            )
            assertNull(call.error)
            assertEquals(listOf(503, 200), call.attempts.map { it.status })
            assertEquals(listOf("503", null), call.attempts.map { it.error })
            assertNotNull(call.attempts.last().started)
            val job = launch { client.get("/v1/delay/60000") }
            until { session.journal().size == 3 }
            job.cancel()
            val cancelled = calls.receive()
            assertEquals("cancelled", cancelled.error)
            assertEquals(listOf("cancelled"), cancelled.attempts.map { it.error })
        }
}
