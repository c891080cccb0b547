package dev.gatewright

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.Collections
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds

/** Token callbacks and hooks. */
class CallbacksTest {
    @Test
    fun `a token is fetched once, however many calls wait for it, and not before the first`() =
        checked {
            val session = Session()
            val asked = AtomicInteger()
            val client =
                session.client {
                    auth =
                        Auth.token {
                            asked.incrementAndGet()
                            delay(20)
                            Token(KEY, expiresIn = 1.hours)
                        }
                }
            assertEquals(0, asked.get())
            together(50) { client.get("/v1/whoami") }
            client.get("/v1/whoami")
            assertEquals(1, asked.get())
        }

    @Test
    fun `a token that is refused is fetched anew, once`() =
        checked {
            val session = Session()
            val old = session.admin("POST", "tokens", """{"tier": "pro", "tenant": "acme", "ttl_ms": 1}""") as JsonObject
            session.admin("POST", "clock", """{"advance_ms": 10}""")
            val tokens = Collections.synchronizedList(mutableListOf(old.getValue("token").jsonPrimitive.content, "sk_test_pro_acme"))
            val client = session.client { auth = Auth.token { Token(tokens.removeAt(0)) } }
            assertTrue(together(10) { client.get("/v1/whoami") }.all { it.ok })
            assertTrue(tokens.isEmpty())
        }

    @Test
    fun `what a token callback throws is the cause of a TokenException, for all that wait`() =
        checked {
            val session = Session()
            val thrown = IllegalArgumentException("the vault is shut")
            val client =
                session.client {
                    auth =
                        Auth.token {
                            delay(5)
                            throw thrown
                        }
                }
            for (error in together(20) { thrown<TokenException> { client.get("/v1/whoami") } }) {
                assertSame(thrown, error.cause)
                assertTrue(error.message.contains("the vault is shut"), error.message)
            }
            val wrong = session.client { auth = Auth.token { Token(KEY, expiresIn = (-1).hours) } }
            thrown<TokenException> { wrong.get("/v1/whoami") }
            assertEquals(0, session.journal().size)
        }

    @Test
    fun `a timeout inside of a callback is a failure of the callback`() =
        checked {
            val session = Session()
            val client = session.client { auth = Auth.token { withTimeout(5.milliseconds) { awaitCancellation() } } }
            val error = thrown<TokenException> { client.get("/v1/whoami") }
            assertInstanceOf(TimeoutCancellationException::class.java, error.cause)
            idle(client)
        }

    @Test
    fun `a callback may use another client`() =
        checked {
            val session = Session()
            val other = session.client()
            val client = session.client { auth = Auth.token { Token(if (other.get("/v1/whoami").ok) KEY else "") } }
            assertTrue(client.get("/v1/whoami").ok)
        }

    @Test
    fun `hooks see every attempt, may change headers, and see no credential`() =
        checked {
            val session = Session()
            session.script("whoami", "503", "reset", "ok")
            val before = mutableListOf<List<Any?>>()
            val after = mutableListOf<List<Any?>>()
            val client =
                session.client {
                    header("x-gone", "1")
                    beforeAttempt { attempt ->
                        before += listOf(attempt.number, attempt.method, attempt.url, attempt.headers["authorization"])
                        attempt.headers["X-Trace"] = "attempt-${attempt.number}"
                        attempt.headers.add("x-more", "a")
                        attempt.headers.remove("X-Gone")
                    }
                    afterAttempt { attempt ->
                        delay(1)
                        after += listOf(attempt.number, attempt.status, attempt.error == null, attempt.headers?.get("request-id") != null)
                    }
                }
            client.get("/v1/whoami")
            assertEquals((1..3).map { listOf(it, "GET", "${session.url}/v1/whoami", null) }, before)
            assertEquals(listOf(listOf(1, 503, true, true), listOf(2, null, false, false), listOf(3, 200, true, true)), after)
            val sent = session.journal().map { it.headers }
            assertEquals(listOf("attempt-1", "attempt-2", "attempt-3"), sent.map { it["x-trace"] })
            assertTrue(sent.all { it["x-more"] == "a" && "x-gone" !in it })
        }

    @Test
    fun `an authorization that a hook sets wins`() =
        checked {
            val client = Session().client { beforeAttempt { it.headers["Authorization"] = "Bearer sk_test_pro_globex" } }
            assertEquals("globex", client.get("/v1/whoami").json<JsonObject>().text("tenant"))
        }

    @Test
    fun `what a hook throws is the cause of a HookException`() =
        checked {
            val thrown = IllegalStateException("not today")
            val before = Session()
            val early = before.client { beforeAttempt { throw thrown } }
            val error = thrown<HookException> { early.get("/v1/whoami") }
            assertSame(thrown, error.cause)
            assertTrue(error.message.contains("not today"), error.message)
            assertNull(error.status)
            assertEquals(0, before.journal().size)
            idle(early)
            val after = Session()
            val late = after.client { afterAttempt { throw thrown } }
            assertSame(thrown, thrown<HookException> { late.get("/v1/whoami") }.cause)
            assertEquals(1, after.journal().size)
            val session = Session()
            val wrong = session.client { beforeAttempt { it.headers["a b"] = "c" } }
            thrown<HookException> { wrong.get("/v1/whoami") }
            val error2 = session.client { beforeAttempt { throw StackOverflowError() } }
            assertInstanceOf(StackOverflowError::class.java, thrown<HookException> { error2.get("/v1/whoami") }.cause)
            assertEquals(0, session.journal().size)
        }

    @Test
    fun `a callback that never answers ends with the deadline, and a hook is cancelled`() =
        checked {
            val session = Session()
            val begun = AtomicInteger()
            val ended = AtomicInteger()
            val withToken =
                session.client {
                    timeout = A_WHILE
                    auth =
                        Auth.token {
                            begun.incrementAndGet()
                            awaitCancellation()
                        }
                }
            val withHook =
                session.client {
                    timeout = A_WHILE
                    beforeAttempt {
                        begun.incrementAndGet()
                        try {
                            awaitCancellation()
                        } finally {
                            ended.incrementAndGet()
                        }
                    }
                }
            val clients = listOf(withToken, withHook)
            together(clients.size) { number -> thrown<TimeoutException> { clients[number].get("/v1/whoami") } }
            clients.forEach { idle(it) }
            assertEquals(2, begun.get())
            // A token is of use for the next call, too: its callback goes on until the client is gone.
            until { ended.get() == 1 }
        }

    @Test
    fun `a token that comes too late for one call is there for the next`() =
        checked {
            val session = Session()
            val asked = AtomicInteger()
            val come = CompletableDeferred<Token>()
            val client =
                session.client {
                    auth =
                        Auth.token {
                            asked.incrementAndGet()
                            come.await()
                        }
                }
            thrown<TimeoutException> { client.get("/v1/whoami") { timeout = A_WHILE } }
            assertEquals(1, asked.get())
            come.complete(Token(KEY))
            assertTrue(client.get("/v1/whoami").ok)
            assertEquals(1, asked.get())
        }

    @Test
    fun `callbacks run in the context of their call, and never in the thread that drives`() =
        checked {
            val seen = Collections.synchronizedList(mutableListOf<String?>())
            val threads = Collections.synchronizedSet(mutableSetOf<String>())
            val client =
                Session().client {
                    beforeAttempt {
                        seen += kotlin.coroutines.coroutineContext[CoroutineName]?.name
                        threads += Thread.currentThread().name
                    }
                }
            together(3) { number -> withContext(CoroutineName("call $number")) { client.get("/v1/whoami") } }
            assertEquals(listOf("call 0", "call 1", "call 2"), seen.sortedBy { it })
            assertFalse(threads.any { it.startsWith("gatewright") }, threads.toString())
        }

    @Test
    fun `callbacks of a client that is not held any more are still called for its calls`() =
        checked {
            val session = Session()
            val asked = AtomicInteger()
            val answers =
                together(20) {
                    val client =
                        session.client {
                            auth =
                                Auth.token {
                                    System.gc()
                                    delay(2)
                                    asked.incrementAndGet()
                                    Token(KEY)
                                }
                        }
                    client.get("/v1/whoami")
                }
            assertTrue(answers.all { it.ok })
            assertEquals(20, asked.get())
        }
}
