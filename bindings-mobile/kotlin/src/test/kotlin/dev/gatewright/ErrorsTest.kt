package dev.gatewright

import dev.gatewright.internal.Failure
import dev.gatewright.internal.Native
import dev.gatewright.internal.exceptionOf
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertInstanceOf
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.ObjectInputStream
import java.io.ObjectOutputStream
import java.net.InetSocketAddress
import java.net.Socket
import kotlin.reflect.KClass
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Which error says what, and how it looks. */
class ErrorsTest {
    @Test
    fun `every code has a class of its own, and there is none without a code`() {
        val codes = Native.errorCodes().toList()
        assertTrue(codes.size >= 25)
        val classes =
            codes.map { code ->
                val exception = exceptionOf(Failure.of(code, "what happened", "do this"), null)
                assertEquals(code, exception.code)
                assertEquals("$code: what happened; do this", exception.message)
                val name = code.split('_').joinToString("") { it.replaceFirstChar(Char::uppercase) }
                assertEquals("dev.gatewright.${name}Exception", exception.javaClass.name)
                exception.javaClass
            }
        val permitted =
            GatewrightException::class.java.`package`.name
                .let { sealedClasses() }
        assertEquals(permitted.toSet(), classes.toSet() + UnrecognizedException::class.java)
        assertInstanceOf(UnrecognizedException::class.java, exceptionOf(Failure.of("of_a_later_version", "what", "do"), null))
    }

    /** The classes that the compiler knows as those of the sealed class: `when` needs no `else`. */
    private fun sealedClasses(): List<Class<*>> {
        val source = java.io.File("src/main/kotlin/dev/gatewright/Exceptions.kt").readText()
        return Regex("public class (\\w+)").findAll(source).map { Class.forName("dev.gatewright.${it.groupValues[1]}") }.toList()
    }

    @Test
    fun `statuses have their classes`() =
        checked {
            val statuses: Map<Int, KClass<out GatewrightException>> =
                mapOf(
                    400 to BadRequestException::class,
                    401 to AuthenticationException::class,
                    402 to BadRequestException::class,
                    403 to PermissionDeniedException::class,
                    404 to NotFoundException::class,
                    408 to TimeoutException::class,
                    409 to ConflictException::class,
                    410 to NotFoundException::class,
                    412 to PreconditionFailedException::class,
                    422 to UnprocessableException::class,
                    428 to PreconditionFailedException::class,
                    429 to RateLimitedException::class,
                    500 to ServerException::class,
                    503 to ServerException::class,
                )
            val client = Session().client { retry = Retry.none }
            for ((status, kind) in statuses) {
                val error = thrown<GatewrightException> { client.get("/v1/whoami") { header("x-mock-fault", "$status") } }
                assertEquals(kind, error::class)
                assertEquals(status, error.status)
            }
        }

    @Test
    fun `an error has all its facts`() =
        checked {
            val session = Session()
            val error = thrown<AuthenticationException> { session.client { auth = Auth.bearer("sk_wrong_key") }.get("/v1/whoami") }
            val detail = error.problem?.text("detail")
            val pattern =
                Regex(
                    Regex.escape("authentication: GET ${session.url}/v1/whoami was answered 401 Unauthorized: $detail (1 attempt, ") +
                        "[0-9.]+ m?s" + Regex.escape(", request id ${error.requestId}); check the API key or token"),
                )
            assertTrue(pattern.matches(error.message), error.message)
            assertEquals(listOf("authentication", 401, "GET", "${session.url}/v1/whoami"), listOf(error.code, error.status, error.method, error.url))
            assertEquals(error.problem?.text("request_id"), error.requestId)
            assertEquals(Retryability.PERMANENT, error.retryability)
            assertEquals("another attempt would not change it", error.noRetry)
            assertEquals("check the API key or token", error.advice)
            assertNull(error.retryAfter)
            assertTrue(error.elapsed > Duration.ZERO)
            assertTrue(error.headers?.contains("www-authenticate") == true)
            assertTrue(error.body.decodeToString().contains("invalid_api_key"))
            assertEquals(listOf(401 to Decision.GIVE_UP), error.attempts.map { it.status to it.decision })
            assertTrue(Regex("#1 at [\\d.]+ m?s: 401").containsMatchIn(error.timeline()), error.timeline())
            assertNull(error.cause)
        }

    @Test
    fun `Retry-After is told, and a longer one is not waited out`() =
        checked {
            val error = thrown<RateLimitedException> { Session().client().get("/v1/whoami") { header("x-mock-fault", "429;ra=120") } }
            assertEquals(120.seconds, error.retryAfter)
            assertEquals(1, error.attempts.size)
        }

    @Test
    fun `a refused connection is retried, and then a ConnectException`() =
        checked {
            // It has the port, so that nobody else gets it, and does not listen.
            val bound = Socket().apply { bind(InetSocketAddress("127.0.0.1", 0)) }
            val port = bound.localPort
            val client = Client("http://127.0.0.1:$port") { retry = SOON.copy(maxAttempts = 2) }
            val error = bound.use { thrown<ConnectException> { client.get("/x") } }
            assertTrue(error.message.startsWith("connect: GET http://127.0.0.1:$port/x failed: no connection (Connection refused"), error.message)
            assertTrue(error.message.endsWith("check the address, and that the server runs and can be reached"), error.message)
            assertEquals(listOf(null, null, null, null), listOf(error.status, error.headers, error.problem, error.requestId))
            assertEquals(0, error.body.size)
            assertEquals(Retryability.EXHAUSTED, error.retryability)
        }

    @Test
    fun `failures of transport have classes of their own`() =
        checked {
            val session = Session()
            val client =
                session.client {
                    retry = Retry.none
                    idempotencyKeys = false
                    maxRedirects = 2
                    maxResponseBytes = 1000
                }
            val fault: suspend (String) -> Unit = { client.get("/v1/whoami") { header("x-mock-fault", it) } }
            thrown<ProtocolException> { fault("garbage") }
            thrown<ConnectionLostException> { fault("reset") }
            thrown<DecodeException> { fault("truncated-gzip") }
            val lost =
                thrown<OutcomeUnknownException> {
                    client.post("/v1/contacts") {
                        json(mapOf("name" to "Ada"))
                        header("x-mock-fault", "lost")
                    }
                }
            assertTrue(lost.message.contains("look whether it took effect"), lost.message)
            thrown<TlsException> { Client(session.url.replace("http:", "https:")) { retry = Retry.none }.get("/x") }
            thrown<CrossOriginException> { client.get("/v1/redirect/302") { query("to", "http://127.0.0.1:1/") } }
            thrown<RedirectException> { client.get("/v1/redirect/307") { query("to", "/v1/redirect/307?to=/v1/redirect/307?to=/v1/whoami") } }
            val large = thrown<ResponseTooLargeException> { client.get("/v1/bytes/1001") }
            assertTrue(large.message.contains("raise `maxResponseBytes`"), large.message)
        }

    @Test
    fun `timeouts say which`() =
        checked {
            val session = Session()
            val late = thrown<TimeoutException> { session.client { timeout = 50.milliseconds }.get("/v1/delay/60000") }
            assertTrue(late.message.contains("its deadline was 50 ms"), late.message)
            val client =
                session.client {
                    attemptTimeout = 20.milliseconds
                    retry = SOON.copy(maxAttempts = 2)
                }
            val slow = thrown<TimeoutException> { client.get("/v1/delay/60000") }
            assertTrue(slow.message.contains("an attempt may take 20 ms"), slow.message)
            assertEquals(2, slow.attempts.size)
        }

    private suspend fun whereItIsCalled(client: Client): Response {
        val response = client.get("/v1/contacts/ct_999999")
        return response.also { println(it) }
    }

    private suspend fun whereItStreams(client: Client): Int = client.stream("GET", "/v1/contacts/ct_999999").use { it.status + 1 }

    private suspend fun whereItLists(client: Client): Int = client.pages("/v1/contacts/ct_999999").toList().size + 1

    @Test
    fun `the stack shows where it was called, and nothing of the thread that drives`() =
        checked {
            val client = Session().client()
            val called = thrown<NotFoundException> { whereItIsCalled(client) }
            assertEquals("whereItIsCalled", called.stackTrace.first().methodName)
            assertTrue(called.stackTrace.any { it.fileName == "ErrorsTest.kt" && it.lineNumber > 0 })
            assertFalse(called.stackTraceToString().contains("internal.Driver"), called.stackTraceToString())
            assertTrue(thrown<NotFoundException> { whereItStreams(client) }.stackTrace.any { it.methodName == "whereItStreams" })
            assertTrue(thrown<NotFoundException> { whereItLists(client) }.stackTrace.any { it.methodName == "whereItLists" })
            val wrong = thrown<InvalidRequestException> { whereItIsWrong(client) }
            assertTrue(wrong.stackTrace.any { it.methodName.contains("whereItIsWrong") }, wrong.stackTraceToString())
            val decoded = thrown<DecodeException> { client.get("/v1/whoami").json<Int>() }
            assertEquals("dev.gatewright.Response", decoded.stackTrace.first().className)
        }

    private suspend fun whereItIsWrong(client: Client): Response {
        val response = client.get("http://elsewhere.example/\u0000") { query("a", Double.NaN) }
        return response.also { println(it) }
    }

    @Test
    fun `printed, it is its class, its message and the timeline where there was more than one attempt`() =
        checked {
            val session = Session()
            val client = session.client()
            val error = thrown<NotFoundException> { client.get("/v1/contacts/ct_999999") }
            assertEquals("dev.gatewright.NotFoundException: ${error.message}", error.toString())
            assertEquals(error.toString(), error.stackTraceToString().lines().first())
            session.script("contacts.get", "503", "503", "503")
            val retried = thrown<ServerException> { client.get("/v1/contacts/ct_999999") }.stackTraceToString().lines()
            assertTrue(retried[0].startsWith("dev.gatewright.ServerException: server: GET "), retried[0])
            for (number in 1..3) {
                assertTrue(Regex("  .*#$number at [\\d.]+ m?s: 503 .*").matches(retried[number]), retried[number])
            }
            assertTrue(retried[4].startsWith("\tat "), retried[4])
        }

    @Test
    fun `an error thrown to several coroutines' parent is itself`() =
        checked {
            val client = Session().client()
            val error =
                thrown<NotFoundException> {
                    coroutineScope {
                        launch { client.get("/v1/delay/60000") }
                        launch { client.get("/v1/contacts/ct_999999") }
                    }
                }
            assertEquals(404, error.status)
            idle(client)
        }

    @Test
    fun `an error is serialized with all its facts`() =
        checked {
            val session = Session()
            val error = thrown<NotFoundException> { session.client().get("/v1/contacts/ct_999999") }
            val bytes = ByteArrayOutputStream()
            ObjectOutputStream(bytes).use { it.writeObject(error) }
            val read = ObjectInputStream(ByteArrayInputStream(bytes.toByteArray())).use { it.readObject() as NotFoundException }
            assertEquals(error.message, read.message)
            assertEquals(listOf(error.requestId, error.problem, error.attempts), listOf(read.requestId, read.problem, read.attempts))
            assertNotNull(read.headers)
            assertSame(NotFoundException::class.java, read.javaClass)
        }
}
