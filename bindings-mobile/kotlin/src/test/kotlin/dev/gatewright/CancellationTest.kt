package dev.gatewright

import dev.gatewright.internal.Calls
import dev.gatewright.internal.Questions
import dev.gatewright.internal.Uploads
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import java.net.Socket
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** Cancelling ends a call at once, wherever that call is, and gives its place back. */
class CancellationTest {
    /** Begins a call, waits until it is where it is wanted, and cancels it. */
    private suspend fun CoroutineScope.cancelledAtOnce(
        client: Client,
        there: suspend () -> Boolean,
        call: suspend () -> Unit,
    ) {
        var caught: Throwable? = null
        val launched = CompletableDeferred<Unit>()
        val job: Job =
            launch {
                launched.complete(Unit)
                try {
                    call()
                } catch (
                    @Suppress("TooGenericExceptionCaught") e: Throwable,
                ) {
                    caught = e
                    throw e
                }
            }
        launched.await()
        until(there)
        val begun = TimeSource.Monotonic.markNow()
        job.cancelAndJoin()
        // A machine that has more to do than it can is no failure; a call that goes on until its end, none of which is near, would be.
        assertTrue(begun.elapsedNow() < 20.seconds, "it took ${begun.elapsedNow()}")
        assertTrue(caught is CancellationException, "$caught")
        idle(client)
    }

    @Test
    fun `a coroutine that is cancelled already sends nothing`() =
        checked {
            val session = Session()
            val client = session.client()
            var read = false
            val job =
                launch {
                    coroutineContext[Job]?.cancel()
                    thrown<CancellationException> { client.get("/v1/whoami") }
                    val body =
                        flow {
                            read = true
                            emit(byteArrayOf(1))
                        }
                    thrown<CancellationException> { client.post("/v1/sink") { this.body = Body.stream(body) } }
                    thrown<CancellationException> { client.stream("GET", "/v1/whoami") }
                    thrown<CancellationException> { client.pages("/v1/contacts").toList() }
                }
            job.join()
            assertFalse(read)
            assertEquals(0, session.journal().size)
            idle(client)
        }

    @Test
    fun `in the moment in which it was begun`() =
        checked {
            val client = Session().client()
            repeat(100) {
                val job = launch { client.get("/v1/whoami") }
                job.cancelAndJoin()
            }
            idle(client)
        }

    @Test
    fun `while it is queued`() =
        checked {
            val session = Session()
            val client = session.client { quota = "1/min, burst 1" }
            client.get("/v1/whoami")
            cancelledAtOnce(client, { client.state().limits[0].queued == 1 }) { client.get("/v1/whoami") { timeout = null } }
            assertEquals(1, session.journal().size)
        }

    @Test
    fun `while it waits to be retried`() =
        checked {
            val session = Session()
            session.faults("""{"random": {"p": 1, "kinds": ["503;ra=30"]}}""")
            val client = session.client { retry = Retry() }
            cancelledAtOnce(client, { client.state().budgetLeft < 500 }) { client.get("/v1/whoami") }
            assertEquals(1, session.journal().size)
        }

    @Test
    fun `while it connects`() =
        checked {
            // A queue of connections that is full: connecting takes for ever.
            ServerSocket(0, 1, InetAddress.getByName("127.0.0.1")).use { listener ->
                val fillers = List(8) { Socket() }
                fillers.forEach { filler -> runCatching { filler.connect(InetSocketAddress("127.0.0.1", listener.localPort), 50) } }
                val client = Client("https://127.0.0.1:${listener.localPort}") { connectTimeout = null }
                cancelledAtOnce(client, { inFlight(client) }) { client.get("/") }
                fillers.forEach(Socket::close)
            }
        }

    @Test
    fun `while it waits for its answer, and while it reads that`() =
        checked {
            val session = Session()
            val client = session.client { auth = COUNTED }
            cancelledAtOnce(client, { session.inProgress() == 1 }) { client.get("/v1/delay/60000") }
            until { session.inProgress() == 0 }
            cancelledAtOnce(client, { session.inProgress() == 1 }) { client.get("/v1/drip?bytes=1000&interval_ms=1000") }
            until { session.inProgress() == 0 }
        }

    @Test
    fun `while it sends its body, and the flow is told so`() =
        checked {
            val client = Session().client()
            val sent = AtomicInteger()
            val ended = AtomicInteger()
            val body =
                flow {
                    try {
                        while (true) {
                            emit(byteArrayOf(1))
                            sent.incrementAndGet()
                            delay(5)
                        }
                    } finally {
                        ended.incrementAndGet()
                    }
                }
            cancelledAtOnce(client, { sent.get() > 2 }) { client.post("/v1/sink") { this.body = Body.stream(body) } }
            cancelledAtOnce(client, { sent.get() > 6 }) { client.stream("POST", "/v1/sink") { this.body = Body.replayable { body } } }
            until { ended.get() == 2 }
        }

    @Test
    fun `while a token callback or a hook is asked, and the hook is cancelled`() =
        checked {
            val session = Session()
            val begun = AtomicInteger()
            val ended = AtomicInteger()
            val asked: suspend () -> Nothing = {
                begun.incrementAndGet()
                try {
                    awaitCancellation()
                } finally {
                    ended.incrementAndGet()
                }
            }
            val withToken = session.client { auth = Auth.token { asked() } }
            cancelledAtOnce(withToken, { begun.get() == 1 }) { withToken.get("/v1/whoami") }
            val withHook = session.client { beforeAttempt { asked() } }
            cancelledAtOnce(withHook, { begun.get() == 2 }) { withHook.get("/v1/whoami") }
            until { ended.get() == 1 }
            assertEquals(0, session.journal().size)
        }

    @Test
    fun `while a stream waits for its head, and for its next piece`() =
        checked {
            val session = Session()
            val client = session.client { auth = COUNTED }
            cancelledAtOnce(client, { session.inProgress() == 1 }) { client.stream("GET", "/v1/delay/60000") }
            until { session.inProgress() == 0 }
            val response = client.stream("GET", "/v1/drip?bytes=100&interval_ms=60000")
            cancelledAtOnce(client, { session.inProgress() == 1 }) { response.text() }
            until { session.inProgress() == 0 }
            response.close()
            cancelledAtOnce(client, { session.inProgress() == 1 }) {
                client.stream("GET", "/v1/drip?bytes=100&interval_ms=20").body.collect { awaitCancellation() }
            }
            until { session.inProgress() == 0 }
        }

    @Test
    fun `before the next piece of a stream is asked for, which ends the request`() =
        checked {
            val session = Session()
            val client = session.client { auth = COUNTED }
            for (read in listOf<suspend (StreamResponse) -> Unit>({ it.text() }, { it.body.collect() })) {
                val response = client.stream("GET", "/v1/drip?bytes=100&interval_ms=60000") { timeout = null }
                val reading =
                    launch {
                        coroutineContext[Job]?.cancel()
                        thrown<CancellationException> { read(response) }
                    }
                reading.join()
                until { session.inProgress() == 0 }
                // It is held, and not closed: what ended the request was the cancellation.
                thrown<IllegalStateException> { response.text() }
            }
            val pieces =
                launch {
                    client.stream("GET", "/v1/drip?bytes=10000&interval_ms=20") { timeout = null }.body.collect { coroutineContext[Job]?.cancel() }
                }
            pieces.join()
            assertTrue(pieces.isCancelled)
            until { session.inProgress() == 0 }
            idle(client)
        }

    @Test
    fun `while a page is under way, and between two`() =
        checked {
            val session = Session()
            session.script("contacts.list", "ok", "hang")
            val client = session.client()
            var pages = 0
            cancelledAtOnce(client, { pages == 1 && inFlight(client) }) { client.pages("/v1/contacts") { query("limit", 20) }.collect { pages += 1 } }
            val other = Session().client()
            cancelledAtOnce(other, { pages == 2 }) {
                other.pages("/v1/contacts") { query("limit", 20) }.collect {
                    pages += 1
                    awaitCancellation()
                }
            }
        }

    @Test
    fun `withTimeout ends a call, and is no error of the client's`() =
        checked {
            val client = Session().client()
            thrown<TimeoutCancellationException> { withTimeout(20.milliseconds) { client.get("/v1/delay/60000") } }
            assertNull(withTimeoutOrNull(20.milliseconds) { client.get("/v1/delay/60000") })
            idle(client)
        }

    @Test
    fun `a call that is cancelled gives its place in the queue to the next`() =
        checked {
            val session = Session()
            // The last of them would come after a minute.
            val client = session.client { quota = "1/s, burst 1" }
            client.get("/v1/whoami")
            val queued = List(60) { launch { client.get("/v1/whoami") { timeout = null } } }
            until { client.state().limits[0].queued + queued.count { it.isCompleted } == 60 }
            val last = async { client.get("/v1/whoami") { timeout = null } }
            until { client.state().limits[0].queued + queued.count { it.isCompleted } == 61 }
            queued.forEach { it.cancel() }
            val begun = TimeSource.Monotonic.markNow()
            assertTrue(last.await().ok)
            assertTrue(begun.elapsedNow() < 20.seconds, "${begun.elapsedNow()}")
        }

    @Test
    fun `a cancelled parent ends all its calls, and no others`() =
        checked {
            val session = Session()
            val client = session.client { auth = COUNTED }
            val parent = launch { repeat(30) { launch { client.get("/v1/delay/60000") } } }
            val gate = CompletableDeferred<Unit>()
            val other = async { client.post("/v1/sink") { body = Body.stream(flow<ByteArray> { gate.await() }) } }
            until { session.inProgress() > 20 }
            parent.cancelAndJoin()
            gate.complete(Unit)
            assertTrue(other.await().ok)
            idle(client)
            until { session.inProgress() == 0 }
        }

    @Test
    fun `calls cancelled at every moment leave nothing`() =
        checked {
            // A token callback of another test may still be asked.
            val asked = Questions.size
            val session = Session()
            val client = session.client()
            repeat(20) { round ->
                val jobs =
                    List(50) { number ->
                        launch {
                            when (number % 4) {
                                0 -> client.get("/v1/whoami")
                                1 -> client.get("/v1/delay/60000")
                                2 -> client.stream("GET", "/v1/bytes/200000").use { it.bytes() }
                                else -> client.post("/v1/sink") { body = Body.replayable { flow { repeat(20) { emit(ByteArray(1000)) } } } }
                            }
                        }
                    }
                delay(Duration.ZERO + (round % 5).milliseconds)
                jobs.forEach { it.cancel() }
                jobs.forEach { it.join() }
            }
            idle(client)
            until { Calls.size == 0 && Uploads.size == 0 && Questions.size <= asked }
            assertTrue(client.get("/v1/whoami").ok)
        }
}
