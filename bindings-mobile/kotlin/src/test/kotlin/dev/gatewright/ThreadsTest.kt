package dev.gatewright

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.Collections
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.coroutines.Continuation
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.startCoroutine

/** Which threads there are, and on which a program goes on. */
class ThreadsTest {
    /** Runs a program of these tests in a JVM of its own; what it prints. */
    private fun program(main: String): List<String> {
        val java = "${System.getProperty("java.home")}/bin/java"
        val process =
            ProcessBuilder(java, "-Xshare:auto", "-cp", System.getProperty("java.class.path"), "dev.gatewright.$main", Gateway.url)
                .redirectErrorStream(true)
                .start()
        val lines = process.inputStream.bufferedReader().readLines()
        assertTrue(process.waitFor(60, TimeUnit.SECONDS))
        assertEquals(0, process.exitValue(), lines.joinToString("\n"))
        return lines
    }

    @Test
    fun `none before the first call, at most two after, none after closing`() {
        val lines = program("ThreadsProgramKt").associate { it.substringBefore(": ") to it.substringAfter(": ") }
        assertEquals("[]", lines["client"])
        assertEquals("[gatewright]", lines["call"])
        assertTrue(lines["name"] in setOf("[gatewright]", "[gatewright, gatewright-dns]"), lines["name"])
        assertEquals("[]", lines["closed"])
        assertEquals("[gatewright]", lines["again"])
    }

    @Test
    fun `a suspending main goes on off the thread that drives, and a program ends with an open client`() {
        val lines = program("SuspendingProgramKt")
        assertEquals(listOf("200", "200", "false", "true"), lines)
    }

    @Test
    fun `a coroutine without a dispatcher may block`() =
        checked {
            val client = Session().client()
            val names = Collections.synchronizedList(mutableListOf<String>())
            withContext(Dispatchers.Unconfined) {
                client.get("/v1/whoami")
                names += Thread.currentThread().name
                // On the thread that drives this would wait for itself.
                runBlocking { assertTrue(client.get("/v1/whoami").ok) }
                client.stream("GET", "/v1/bytes/100000").body.collect { names += Thread.currentThread().name }
            }
            assertFalse(names.any { it.startsWith("gatewright") }, names.toString())
        }

    @Test
    fun `a coroutine goes on in its own dispatcher`() =
        checked {
            val client = Session().client()
            Executors.newSingleThreadExecutor { thread(start = false, name = "mine", block = it::run) }.asCoroutineDispatcher().use { mine ->
                withContext(mine) {
                    client.get("/v1/whoami")
                    assertTrue(Thread.currentThread().name.startsWith("mine"))
                    thrown<NotFoundException> { client.get("/v1/contacts/nope") }
                    assertTrue(Thread.currentThread().name.startsWith("mine"))
                }
            }
        }

    @Test
    fun `one client serves many threads and coroutines at once`() =
        checked {
            val session = Session()
            val client = session.client()
            val failures = Collections.synchronizedList(mutableListOf<Throwable>())
            val threads =
                List(16) {
                    thread {
                        runCatching { runBlocking { repeat(50) { check(client.get("/v1/bytes/$it").bytes().size == it) } } }.onFailure(failures::add)
                    }
                }
            together(100) { number -> repeat(10) { check(client.get("/v1/bytes/$number").bytes().size == number) } }
            threads.forEach(Thread::join)
            assertEquals(emptyList<Throwable>(), failures)
            assertEquals(1_800, session.journal().size)
        }

    @Test
    fun `the thread that drives comes back, however often it went`() =
        checked {
            val session = Session()
            repeat(300) { session.client().use { client -> assertTrue(client.get("/v1/whoami").ok) } }
            together(8) { repeat(60) { session.client().use { client -> assertTrue(client.get("/v1/whoami").ok) } } }
        }

    @Test
    fun `a closed client refuses, and lets go on what is under way`() =
        checked {
            val client = Session().client()
            val gate = CompletableDeferred<Unit>()
            val numbers = flow<ByteArray> { gate.await() }
            val under = launch(start = CoroutineStart.UNDISPATCHED) { assertTrue(client.post("/v1/sink") { body = Body.stream(numbers) }.ok) }
            until { inFlight(client) }
            client.close()
            client.close()
            thrown<ClosedException> { client.get("/v1/whoami") }
            thrown<ClosedException> { client.stream("GET", "/v1/whoami") }
            gate.complete(Unit)
            under.join()
            assertFalse(under.isCancelled)
            assertEquals("${Gateway.url}/", client.baseUrl)
            assertEquals(500, client.state().budgetCapacity)
        }

    @Test
    fun `a callback style start without any context gets its answer`() {
        val client = Session().client()
        val answer = java.util.concurrent.CompletableFuture<Response>()
        val call: suspend () -> Response = { client.get("/v1/whoami") }
        call.startCoroutine(Continuation(EmptyCoroutineContext) { result -> result.fold(answer::complete, answer::completeExceptionally) })
        assertEquals(200, answer.get(30, TimeUnit.SECONDS).status)
    }
}
