package dev.gatewright.spring

import dev.gatewright.MemoryReplayGuard
import dev.gatewright.Verified
import dev.gatewright.Webhook
import dev.gatewright.WebhookEvents
import dev.gatewright.WebhookScheme
import jakarta.servlet.Filter
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.json.JsonObject
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance
import org.springframework.boot.SpringApplication
import org.springframework.boot.autoconfigure.EnableAutoConfiguration
import org.springframework.boot.web.server.context.WebServerApplicationContext
import org.springframework.boot.web.servlet.FilterRegistrationBean
import org.springframework.context.annotation.Bean
import org.springframework.context.annotation.Configuration
import org.springframework.web.servlet.function.RouterFunction
import org.springframework.web.servlet.function.ServerResponse
import java.util.concurrent.CopyOnWriteArrayList

private val STRIPE = Webhook(WebhookScheme.STRIPE, Secrets.STRIPE)
private val GITHUB = Webhook(WebhookScheme.GITHUB, Secrets.PLAIN)
private val STANDARD = Webhook(Secrets.STANDARD)
private val SLACK = Webhook(WebhookScheme.SLACK, Secrets.PLAIN)
private val SQUARE = Webhook(WebhookScheme.SQUARE, Secrets.PLAIN)
private val HANDLED = CopyOnWriteArrayList<String>()
private val LOG = CopyOnWriteArrayList<String>()
private val EVENTS = WebhookEvents().on<JsonObject>("push") { event -> HANDLED += "push of ${event["ref"]}" }

/** An application as Spring Boot makes one. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
open class Application {
    private val keep = WebhookHandler { verified: Verified, _ -> HANDLED += verified.text() }
    private val logged = WebhookSettings { it.log = LOG::add }
    private val once = WebhookSettings { it.replayGuard = MemoryReplayGuard() }

    @Bean
    open fun stripe(): RouterFunction<ServerResponse> = WebhookRoutes.post("/stripe", STRIPE, logged, keep)

    @Bean
    open fun github(): RouterFunction<ServerResponse> =
        WebhookRoutes.post("/github", GITHUB, logged) { verified, request ->
            runBlocking { EVENTS.dispatch(verified, request.headers().firstHeader("X-GitHub-Event")) }
        }

    @Bean
    open fun standard(): RouterFunction<ServerResponse> = WebhookRoutes.post("/standard", STANDARD, once, keep)

    @Bean
    open fun fails(): RouterFunction<ServerResponse> =
        WebhookRoutes.post("/fails", STANDARD, once) { verified, _ ->
            HANDLED += verified.text()
            if (HANDLED.size == 1) error("the handler fails once")
        }

    @Bean
    open fun slack(): RouterFunction<ServerResponse> = WebhookRoutes.post("/slack", SLACK, handler = keep)

    @Bean
    open fun square(): RouterFunction<ServerResponse> = WebhookRoutes.post("/square", SQUARE, handler = keep)

    @Bean
    open fun small(): RouterFunction<ServerResponse> = WebhookRoutes.post("/small", Webhook(Secrets.STANDARD, maxBody = 100), logged, keep)

    @Bean
    open fun readBefore(): RouterFunction<ServerResponse> = WebhookRoutes.post("/read-before", STRIPE, logged, keep)

    @Bean
    open fun reader(): FilterRegistrationBean<Filter> =
        FilterRegistrationBean<Filter>(
            Filter { request, response, chain ->
                request.inputStream.readAllBytes()
                chain.doFilter(request, response)
            },
        ).apply { addUrlPatterns("/read-before") }
}

/** Routes in Spring MVC on Tomcat, on a port of its own, called as senders do. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WebhookRoutesTest {
    private val context =
        SpringApplication(Application::class.java).run(
            "--server.port=0",
            "--server.address=127.0.0.1",
            "--spring.main.banner-mode=off",
            "--logging.level.root=off",
        )
    private val deliveries =
        Deliveries("http://127.0.0.1:${(context as WebServerApplicationContext).webServer!!.port}")

    @AfterAll
    fun stop() = context.close()

    @BeforeEach
    fun forget() {
        HANDLED.clear()
        LOG.clear()
    }

    @Test
    fun `Stripe, GitHub, Standard Webhooks and a scheme that signs the URL are handled`() {
        val body = """{"type":"user.created","id":"evt_1"}"""
        assertEquals(200, deliveries.send("/stripe", STRIPE, body).statusCode())
        assertEquals(200, deliveries.send("/standard", STANDARD, body, "msg_1").statusCode())
        assertEquals(200, deliveries.send("/square", SQUARE, body).statusCode())
        assertEquals(listOf(body, body, body), HANDLED)
        val event = mapOf("X-GitHub-Event" to "push")
        assertEquals(200, deliveries.send("/github", GITHUB, """{"ref":"main"}""", "d1", event).statusCode())
        assertEquals("""push of "main"""", HANDLED.last())
    }

    @Test
    fun `a body that was parsed and written again is refused, and only the log says why`() {
        for ((path, webhook) in mapOf("/stripe" to STRIPE, "/github" to GITHUB)) {
            LOG.clear()
            val answer = deliveries.send(path, webhook, """{"id": "evt_1", "n": 1.0}""") { """{"id":"evt_1","n":1.0}""" }
            assertEquals(400, answer.statusCode())
            assertEquals("webhook verification failed", answer.body())
            val line = LOG.single()
            assertTrue("bad_signature" in line, line)
            assertTrue("parsed" in line || "reserialized" in line || "serialized" in line, line)
            assertFalse(Secrets.PLAIN in line || Secrets.STRIPE in line, line)
        }
        assertEquals(emptyList<String>(), HANDLED)
    }

    @Test
    fun `a message that is sent again is answered 200, and handled once`() {
        repeat(3) {
            assertEquals(200, deliveries.send("/standard", STANDARD, "{}", "msg_again").statusCode())
        }
        assertEquals(1, HANDLED.size)
    }

    @Test
    fun `a handler that fails is tried again with the sender's next attempt`() {
        assertEquals(500, deliveries.send("/fails", STANDARD, "{}", "msg_fails").statusCode())
        assertEquals(200, deliveries.send("/fails", STANDARD, "{}", "msg_fails").statusCode())
        assertEquals(200, deliveries.send("/fails", STANDARD, "{}", "msg_fails").statusCode())
        assertEquals(2, HANDLED.size)
    }

    @Test
    fun `a question of Slack's is answered, and is no event`() {
        val answer = deliveries.send("/slack", SLACK, """{"type":"url_verification","challenge":"3eZbrw1aB"}""")
        assertEquals(200 to "3eZbrw1aB", answer.statusCode() to answer.body())
        assertEquals(emptyList<String>(), HANDLED)
    }

    @Test
    fun `a body above the cap is refused with 413`() {
        assertEquals(413, deliveries.send("/small", STANDARD, "x".repeat(101), "msg_1").statusCode())
        assertEquals(200, deliveries.send("/small", STANDARD, "x".repeat(100), "msg_1").statusCode())
        assertTrue("100 bytes" in LOG.single(), LOG.single())
    }

    @Test
    fun `a body that was read before is refused with the words what to do`() {
        assertEquals(400, deliveries.send("/read-before", STRIPE, "{}").statusCode())
        assertTrue("let nothing read it before" in LOG.single(), LOG.single())
    }

    @Test
    fun `what is not signed is refused`() {
        assertEquals(400, deliveries.post("/stripe", "{}").statusCode())
        assertEquals(emptyList<String>(), HANDLED)
    }
}
