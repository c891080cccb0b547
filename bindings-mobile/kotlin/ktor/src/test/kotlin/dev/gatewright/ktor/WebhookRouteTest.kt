package dev.gatewright.ktor

import dev.gatewright.MemoryReplayGuard
import dev.gatewright.Verified
import dev.gatewright.Webhook
import dev.gatewright.WebhookEvents
import dev.gatewright.WebhookScheme
import io.ktor.server.application.ApplicationCallPipeline
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.ktor.server.request.header
import io.ktor.server.request.path
import io.ktor.server.request.receiveText
import io.ktor.server.routing.routing
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.JsonObject
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import java.util.concurrent.CopyOnWriteArrayList

/** Routes in a Ktor server on a port of its own, called as senders do. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WebhookRouteTest {
    private val stripe = Webhook(WebhookScheme.STRIPE, Secrets.STRIPE)
    private val github = Webhook(WebhookScheme.GITHUB, Secrets.PLAIN)
    private val standard = Webhook(Secrets.STANDARD)
    private val slack = Webhook(WebhookScheme.SLACK, Secrets.PLAIN)
    private val square = Webhook(WebhookScheme.SQUARE, Secrets.PLAIN)
    private val handled = CopyOnWriteArrayList<String>()
    private val log = CopyOnWriteArrayList<String>()
    private val events = WebhookEvents().on<JsonObject>("push") { event -> handled += "push of ${event["ref"]}" }

    private val server =
        embeddedServer(CIO, port = 0, host = "127.0.0.1") {
            intercept(ApplicationCallPipeline.Plugins) {
                if (context.request.path() == "/read-before") context.receiveText()
            }
            routing {
                val keep: suspend (Verified) -> Unit = { verified -> handled += verified.text() }
                webhook("/stripe", stripe, { log = this@WebhookRouteTest.log::add }) { keep(it) }
                webhook("/github", github, { log = this@WebhookRouteTest.log::add }) { verified ->
                    events.dispatch(verified, call.request.header("X-GitHub-Event"))
                }
                webhook("/standard", standard, { replayGuard = MemoryReplayGuard() }) { keep(it) }
                webhook("/fails", standard, { replayGuard = MemoryReplayGuard() }) { verified ->
                    keep(verified)
                    if (handled.size == 1) error("the handler fails once")
                }
                webhook("/slack", slack) { keep(it) }
                webhook("/square", square) { keep(it) }
                webhook("/small", Webhook(Secrets.STANDARD, maxBody = 100), { log = this@WebhookRouteTest.log::add }) { keep(it) }
                webhook("/read-before", stripe, { log = this@WebhookRouteTest.log::add }) { keep(it) }
            }
        }.start()
    private val deliveries =
        Deliveries(
            "http://127.0.0.1:${runBlocking {
                server.engine
                    .resolvedConnectors()
                    .first()
                    .port
            }}",
        )

    @AfterAll
    fun stop() = server.stop(0, 0)

    @BeforeEach
    fun forget() {
        handled.clear()
        log.clear()
    }

    @Test
    fun `Stripe, GitHub, Standard Webhooks and a scheme that signs the URL are handled`() {
        val body = """{"type":"user.created","id":"evt_1"}"""
        assertEquals(200, deliveries.send("/stripe", stripe, body).statusCode())
        assertEquals(200, deliveries.send("/standard", standard, body, "msg_1").statusCode())
        assertEquals(200, deliveries.send("/square", square, body).statusCode())
        assertEquals(listOf(body, body, body), handled)
        val event = mapOf("X-GitHub-Event" to "push")
        assertEquals(200, deliveries.send("/github", github, """{"ref":"main"}""", "d1", event).statusCode())
        assertEquals("""push of "main"""", handled.last())
    }

    @Test
    fun `a body that was parsed and written again is refused, and only the log says why`() {
        for ((path, webhook) in mapOf("/stripe" to stripe, "/github" to github)) {
            log.clear()
            val answer = deliveries.send(path, webhook, """{"id": "evt_1", "n": 1.0}""") { """{"id":"evt_1","n":1.0}""" }
            assertEquals(400, answer.statusCode())
            assertEquals("webhook verification failed", answer.body())
            val line = log.single()
            assertTrue("bad_signature" in line, line)
            assertTrue("parsed" in line || "reserialized" in line || "serialized" in line, line)
            assertFalse(Secrets.PLAIN in line || Secrets.STRIPE in line, line)
        }
        assertEquals(emptyList<String>(), handled)
    }

    @Test
    fun `a message that is sent again is answered 200, and handled once`() {
        repeat(3) {
            assertEquals(200, deliveries.send("/standard", standard, "{}", "msg_again").statusCode())
        }
        assertEquals(1, handled.size)
    }

    @Test
    fun `a handler that fails is tried again with the sender's next attempt`() {
        assertEquals(500, deliveries.send("/fails", standard, "{}", "msg_fails").statusCode())
        assertEquals(200, deliveries.send("/fails", standard, "{}", "msg_fails").statusCode())
        assertEquals(200, deliveries.send("/fails", standard, "{}", "msg_fails").statusCode())
        assertEquals(2, handled.size)
    }

    @Test
    fun `a question of Slack's is answered, and is no event`() {
        val answer = deliveries.send("/slack", slack, """{"type":"url_verification","challenge":"3eZbrw1aB"}""")
        assertEquals(200 to "3eZbrw1aB", answer.statusCode() to answer.body())
        assertEquals(emptyList<String>(), handled)
    }

    @Test
    fun `a body above the cap is refused with 413`() {
        assertEquals(413, deliveries.send("/small", standard, "x".repeat(101), "msg_1").statusCode())
        assertEquals(200, deliveries.send("/small", standard, "x".repeat(100), "msg_1").statusCode())
        assertTrue("100 bytes" in log.single(), log.single())
    }

    @Test
    fun `a body that was read before is refused with the words what to do`() {
        assertEquals(400, deliveries.send("/read-before", stripe, "{}").statusCode())
        assertTrue("let nothing read it before" in log.single(), log.single())
    }

    @Test
    fun `what is not signed is refused`() {
        assertEquals(400, deliveries.post("/stripe", "{}").statusCode())
        assertEquals(emptyList<String>(), handled)
    }
}
