package dev.gatewright

import com.sun.net.httpserver.HttpServer
import kotlinx.coroutines.CompletableDeferred
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.net.InetSocketAddress
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.Instant

/** Verification and signing of webhooks. */
class WebhooksTest {
    // The vector of the Standard Webhooks specification.
    private val secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    private val body = """{"test": 2432232314}"""
    private val now = Instant.fromEpochSeconds(1614265330)
    private val signed =
        mapOf(
            "webhook-id" to "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp" to "1614265330",
            "webhook-signature" to "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        )

    @Serializable
    data class Event(
        val test: Long,
    )

    @Test
    fun `what was signed verifies, headers in any shape`() {
        val webhook = Webhook(secret)
        val shapes =
            listOf(
                Headers.of(signed),
                Headers.of(signed.mapKeys { it.key.uppercase() }),
                Headers.of(signed.mapValues { listOf(it.value) } + ("set-cookie" to listOf("a=b", "c=d"))),
                Headers.of("cookie" to "ü\ud800", "" to "x", *signed.toList().toTypedArray()),
            )
        for (headers in shapes) {
            for (verified in listOf(webhook.verify(body, headers, now), webhook.verify(body.encodeToByteArray(), headers, now))) {
                assertEquals(
                    "Verified(scheme=standard-webhooks, algorithm=hmac-sha256, keyIndex=0, timestamp=2021-02-25T15:02:10Z, " +
                        "messageId=msg_p5jXN8AQM9LWM0D4loKWxJek, bodyBound=full, timestampSigned=true, idSigned=true, urlBound=false)",
                    verified.toString(),
                )
                assertEquals(now, verified.timestamp)
                assertEquals(Event(2432232314), verified.json<Event>())
                assertEquals(body, verified.text())
            }
        }
    }

    @Test
    fun `what was tampered with is refused`() {
        val webhook = Webhook(secret)

        fun changed(vararg changes: Pair<String, String?>): Headers =
            Headers.of(
                (
                    signed +
                        changes.map { (name, value) ->
                            "webhook-$name" to value
                        }
                ).mapNotNull { (name, value) -> value?.let { name to it } }.toMap(),
            )
        val refused =
            listOf(
                Triple("bad_signature", "$body ", Headers.of(signed)) to now,
                Triple("bad_signature", "", Headers.of(signed)) to now,
                Triple("bad_signature", body, changed("signature" to "v1,AAAA")) to now,
                Triple("bad_signature", body, changed("id" to "msg_other")) to now,
                Triple("bad_signature", body, changed("timestamp" to "1614265331")) to now,
                Triple("too_old", body, Headers.of(signed)) to now + 301.seconds,
                Triple("too_new", body, Headers.of(signed)) to now - 301.seconds,
                Triple("bad_timestamp", body, changed("timestamp" to "yesterday")) to now,
                Triple("missing_header", body, changed("signature" to null)) to now,
                Triple("empty_header", body, changed("id" to "")) to now,
                Triple("repeated_header", body, Headers.of(*signed.toList().toTypedArray(), "Webhook-Id" to "x")) to now,
                Triple("body_too_large", "x".repeat(1024 * 1024 + 1), Headers.of(signed)) to now,
            )
        for ((request, time) in refused) {
            val (code, body, headers) = request
            val error = thrown<WebhookVerificationException> { webhook.verify(body, headers, time) }
            assertEquals(code, error.code)
            assertTrue(error.message.length > 10)
            assertTrue(webhook.explain(body, headers, time).length > 10)
        }
    }

    @Test
    fun `tolerance and the largest body can be said`() {
        val patient = Webhook(secret, tolerance = 600.seconds, maxBody = 10)
        assertEquals("body_too_large", thrown<WebhookVerificationException> { patient.verify(body, Headers.of(signed), now) }.code)
        assertEquals(now, Webhook(secret, tolerance = 600.seconds).verify(body, Headers.of(signed), now + 599.seconds).timestamp)
        thrown<WebhookKeyException> { Webhook(secret, tolerance = (-1).milliseconds) }
        thrown<WebhookKeyException> { Webhook(secret, maxBody = -1) }
    }

    @Test
    fun `what is signed here verifies here, by any of several secrets`() {
        val old = Webhook.generateSecret()
        val new = Webhook.generateSecret()
        assertTrue(new.startsWith("whsec_") && old != new)
        val headers = Headers.of(Webhook(new).sign(body, "msg_1", now))
        assertEquals(setOf("webhook-id", "webhook-timestamp", "webhook-signature"), headers.names)
        assertEquals(1, Webhook(old, new).verify(body, headers, now).keyIndex)
        assertEquals("bad_signature", thrown<WebhookVerificationException> { Webhook(old).verify(body, headers, now) }.code)
        val fresh = Headers.of(Webhook(new).sign(body.encodeToByteArray(), "msg_2"))
        assertEquals("msg_2", Webhook(new).verify(body, fresh).messageId)
        thrown<SerializationException> { Webhook(new).verify("no json", Headers.of(Webhook(new).sign("no json", "m"))).json<Event>() }
    }

    @Test
    fun `a secret that cannot be used is refused`() {
        for (wrong in listOf("", "whsec_", "whsec_%%%", "sk_live_1", "whpk_short")) {
            assertTrue(thrown<WebhookKeyException> { Webhook(wrong) }.code.isNotEmpty())
        }
        thrown<WebhookKeyException> { Webhook() }
    }

    @Test
    fun `a delivery of the gateway verifies`() =
        checked {
            val session = Session()
            val came = CompletableDeferred<Pair<ByteArray, Headers>>()
            val server = HttpServer.create(InetSocketAddress("127.0.0.1", 0), 0)
            server.createContext("/hook") { exchange ->
                came.complete(exchange.requestBody.readBytes() to Headers.of(exchange.requestHeaders as Map<String, List<String>>))
                exchange.sendResponseHeaders(204, -1)
                exchange.close()
            }
            server.start()
            try {
                val endpoint = session.admin("POST", "webhooks/endpoints", """{"url": "http://127.0.0.1:${server.address.port}/hook"}""").jsonObject
                session.client().post("/v1/contacts") { json(mapOf("name" to "Ada")) }
                val (body, headers) = came.await()
                val verified = Webhook(endpoint.text("secret")).verify(body, headers)
                val event = verified.json<JsonObject>()
                assertEquals("contact.created", event.text("type"))
                assertFalse(verified.messageId.isNullOrEmpty())
                assertEquals(event, verified.json(JsonObject.serializer(), Json))
            } finally {
                server.stop(0)
            }
        }
}
