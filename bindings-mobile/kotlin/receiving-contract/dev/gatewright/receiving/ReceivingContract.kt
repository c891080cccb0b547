package dev.gatewright.receiving

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestInstance

/**
 * What the module of every framework does with the requests of senders.
 *
 * Its test starts a server with these routes, all of which keep what was verified in [receiver]: `/stripe` and `/read-before` (with a
 * middleware that reads the body first) with [Senders.stripe], `/github` with an event per `X-GitHub-Event`, `/standard` and `/fails` with a
 * replay guard, `/slack`, `/square` and `/small`; `/stripe`, `/github`, `/small` and `/read-before` log to [receiver].
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ReceivingContract(
    protected val receiver: Receiver = Receiver(),
) {
    /** Sends to the server. */
    protected abstract val deliveries: Deliveries

    @BeforeEach
    fun forget() {
        receiver.handled.clear()
        receiver.log.clear()
    }

    @Test
    fun `Stripe, GitHub, Standard Webhooks and a scheme that signs the URL are handled`() {
        val body = """{"type":"user.created","id":"evt_1"}"""
        assertEquals(200, deliveries.send("/stripe", Senders.stripe, body).statusCode())
        assertEquals(200, deliveries.send("/standard", Senders.standard, body, "msg_1").statusCode())
        assertEquals(200, deliveries.send("/square", Senders.square, body).statusCode())
        assertEquals(listOf(body, body, body), receiver.handled)
        val event = mapOf("X-GitHub-Event" to "push")
        assertEquals(200, deliveries.send("/github", Senders.github, """{"ref":"main"}""", "d1", event).statusCode())
        assertEquals("""push of "main"""", receiver.handled.last())
    }

    @Test
    fun `a body that was parsed and written again is refused, and only the log says why`() {
        for ((path, webhook) in mapOf("/stripe" to Senders.stripe, "/github" to Senders.github)) {
            receiver.log.clear()
            val answer = deliveries.send(path, webhook, """{"id": "evt_1", "n": 1.0}""") { """{"id":"evt_1","n":1.0}""" }
            assertEquals(400, answer.statusCode())
            assertEquals("webhook verification failed", answer.body())
            val line = receiver.log.single()
            assertTrue("bad_signature" in line, line)
            assertTrue("parsed" in line || "reserialized" in line || "serialized" in line, line)
            assertFalse(Senders.PLAIN in line || Senders.STRIPE_SECRET in line, line)
        }
        assertEquals(emptyList<String>(), receiver.handled)
    }

    @Test
    fun `a message that is sent again is answered 200, and handled once`() {
        repeat(3) {
            assertEquals(200, deliveries.send("/standard", Senders.standard, "{}", "msg_again").statusCode())
        }
        assertEquals(1, receiver.handled.size)
    }

    @Test
    fun `a handler that fails is tried again with the sender's next attempt`() {
        assertEquals(500, deliveries.send("/fails", Senders.standard, "{}", "msg_fails").statusCode())
        assertEquals(200, deliveries.send("/fails", Senders.standard, "{}", "msg_fails").statusCode())
        assertEquals(200, deliveries.send("/fails", Senders.standard, "{}", "msg_fails").statusCode())
        assertEquals(2, receiver.handled.size)
    }

    @Test
    fun `a question of Slack's is answered, and is no event`() {
        val answer = deliveries.send("/slack", Senders.slack, """{"type":"url_verification","challenge":"3eZbrw1aB"}""")
        assertEquals(200 to "3eZbrw1aB", answer.statusCode() to answer.body())
        assertEquals(emptyList<String>(), receiver.handled)
    }

    @Test
    fun `a body above the cap is refused with 413`() {
        assertEquals(413, deliveries.send("/small", Senders.standard, "x".repeat(101), "msg_1").statusCode())
        assertEquals(200, deliveries.send("/small", Senders.standard, "x".repeat(100), "msg_1").statusCode())
        assertTrue("100 bytes" in receiver.log.single(), receiver.log.single())
    }

    @Test
    fun `a body that was read before is refused with the words what to do`() {
        assertEquals(400, deliveries.send("/read-before", Senders.stripe, "{}").statusCode())
        assertTrue("let nothing read it before" in receiver.log.single(), receiver.log.single())
    }

    @Test
    fun `what is not signed is refused`() {
        assertEquals(400, deliveries.post("/stripe", "{}").statusCode())
        assertEquals(emptyList<String>(), receiver.handled)
    }
}
