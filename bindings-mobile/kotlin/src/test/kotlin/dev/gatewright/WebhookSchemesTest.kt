package dev.gatewright

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.serialization.Serializable
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.util.Base64
import kotlin.time.Clock
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.Instant

/** The schemes of webhooks beside the default one, and what goes with a verified request. The verdicts are in the conformance corpus. */
class WebhookSchemesTest {
    private val now = Instant.fromEpochSeconds(1_700_000_000)
    private val fixed =
        object : Clock {
            override fun now(): Instant = now
        }

    private fun webhook(
        scheme: WebhookScheme,
        vararg secrets: String,
        configure: WebhookConfig.() -> Unit = {},
    ) = Webhook(scheme, *secrets) {
        clock = fixed
        configure()
    }

    @Test
    fun `what a scheme signs here verifies here, whole and in pieces, at the injected time`() {
        val url = "https://example.com/hooks?x=1"
        val plain = "5f3c2b1a09f8e7d65f3c2b1a09f8e7d6"
        val standard = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        val ofCustom: WebhookConfig.() -> Unit = {
            template =
                WebhookTemplate("acme-signature", "{timestamp}.{body}", timestampItem = "t=", prefix = "v1=", separator = ',')
        }
        val cases =
            listOf<Triple<WebhookScheme, String, WebhookConfig.() -> Unit>>(
                Triple(WebhookScheme.STANDARD_WEBHOOKS, standard) {},
                Triple(WebhookScheme.SVIX, standard) {},
                Triple(WebhookScheme.STRIPE, "whsec_5f3c2b1a09f8e7d6") {},
                Triple(WebhookScheme.GITHUB, plain) {},
                Triple(WebhookScheme.SLACK, plain) {},
                Triple(WebhookScheme.ZOOM, plain) {},
                Triple(WebhookScheme.SHOPIFY, plain) {},
                Triple(WebhookScheme.SQUARE, plain) {},
                Triple(WebhookScheme.TWILIO, plain) {},
                Triple(WebhookScheme.PADDLE, "pdl_ntfset_$plain") {},
                Triple(WebhookScheme.HTTP_SIGNATURE, standard) {},
                Triple(WebhookScheme.CUSTOM, plain, ofCustom),
            )
        for ((scheme, secret, configure) in cases) {
            val webhook = webhook(scheme, secret, configure = configure)
            val body = if (scheme == WebhookScheme.TWILIO) "A=1&B=2" else """{"type":"ping"}"""
            val signed = webhook.signRequest(body.encodeToByteArray(), messageId = "msg_1", url = url)
            val verified = webhook.verify(signed.body, signed.headers, url = signed.url)
            assertEquals(scheme, verified.scheme)
            assertEquals(if (scheme == WebhookScheme.TWILIO) BodyBound.FIELDS else BodyBound.FULL, verified.bodyBound)
            assertEquals(body, verified.text())
            val verifier = webhook.verifier(signed.headers, url = signed.url)
            signed.body.forEach { verifier.update(byteArrayOf(it)) }
            assertEquals(verified.toString(), verifier.finish().toString())
            assertEquals("verifier_finished", thrown<WebhookException> { verifier.finish() }.code)
            val tampered = body.replace('1', '3').replace("ping", "pong")
            val error = thrown<WebhookVerificationException> { webhook.verify(tampered, signed.headers, url = signed.url) }
            assertEquals("bad_signature", error.code, scheme.id)
        }
        assertEquals(
            WebhookScheme.entries.size,
            WebhookScheme.entries
                .map { it.id }
                .toSet()
                .size,
        )
    }

    @Test
    fun `a URL that is signed can be configured, and what of it is left out is the request's`() {
        val signed =
            webhook(WebhookScheme.SQUARE, "square-key").signRequest("{}".encodeToByteArray(), url = "https://example.com/hook")
        val behindProxy = webhook(WebhookScheme.SQUARE, "square-key") { url = "https://example.com" }
        assertTrue(behindProxy.verify("{}", signed.headers, url = "http://10.0.0.1:8080/hook").urlBound)
        val other = webhook(WebhookScheme.SQUARE, "square-key")
        assertEquals("missing_url", thrown<WebhookVerificationException> { other.verify("{}", signed.headers) }.code)
        val diagnosis = other.diagnose("{}".encodeToByteArray(), signed.headers, url = "http://example.com/hook")
        assertEquals("url_changed", diagnosis.code)
        assertEquals(diagnosis.message, other.explain("{}", signed.headers, url = "http://example.com/hook"))
    }

    @Test
    fun `what was done to a body is named`() {
        val github = webhook(WebhookScheme.GITHUB, "It's a Secret to Everybody")
        val headers = Headers.of(mapOf("X-Hub-Signature-256" to "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"))
        assertFalse(github.verify("Hello, World!", headers).idSigned)
        assertEquals("body_changed", github.diagnose("Hello, World!\n".encodeToByteArray(), headers).code)
        assertEquals("valid", github.diagnose("Hello, World!".encodeToByteArray(), headers).code)
    }

    @Test
    fun `a setting that cannot be used is refused`() {
        thrown<WebhookKeyException> { Webhook(WebhookScheme.CUSTOM, "a secret") }
        thrown<WebhookKeyException> { Webhook(WebhookScheme.SNS) }
        thrown<WebhookKeyException> { Webhook(WebhookScheme.PAYPAL) }
        thrown<WebhookKeyException> { Webhook(WebhookScheme.GITHUB) }
        thrown<WebhookKeyException> { Webhook(WebhookScheme.GITHUB, "a secret") { tolerance = (-1).seconds } }
        thrown<WebhookKeyException> { Webhook(WebhookScheme.STRIPE, "whsec_5f3c2b1a09f8e7d6").sign("{}", "a\nb") }
        thrown<WebhookKeyException> { MemoryReplayGuard(entries = 0) }
        thrown<WebhookKeyException> { webhook(WebhookScheme.DISCORD, "00".repeat(32)) }
    }

    @Test
    fun `a body that is too large is refused while it comes, and one that came in pieces is not kept`() {
        val webhook = webhook(WebhookScheme.GITHUB, "a secret") { maxBody = 10 }
        val headers = webhook.signRequest(ByteArray(10)).headers
        val verifier = webhook.verifier(headers)
        verifier.update(ByteArray(10))
        assertEquals("body_too_large", thrown<WebhookVerificationException> { verifier.update(ByteArray(1)) }.code)
        val other = webhook.verifier(headers)
        other.update(ByteArray(10))
        val verified = other.finish()
        thrown<IllegalStateException> { verified.text() }
        assertNull(webhook.challenge(verified))
        assertEquals("missing_header", thrown<WebhookVerificationException> { webhook.verifier(Headers.empty) }.code)
    }

    @Test
    fun `questions to the endpoint are answered, events are not`() {
        val zoom = webhook(WebhookScheme.ZOOM, "zoom-secret")
        val asked = """{"event":"endpoint.url_validation","payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"}}"""
        val answer = zoom.challenge(zoom.verify(asked, zoom.signRequest(asked.encodeToByteArray()).headers))
        checkNotNull(answer)
        assertEquals(200 to "application/json", answer.status to answer.contentType)
        assertTrue(Regex("""\{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"[0-9a-f]{64}"}""").matches(answer.body))
        assertFalse(answer.body in answer.toString())
        val event = """{"event":"meeting.started"}"""
        assertNull(zoom.challenge(zoom.verify(event, zoom.signRequest(event.encodeToByteArray()).headers)))
        val slack = webhook(WebhookScheme.SLACK, "slack-secret")
        val question = """{"type":"url_verification","challenge":"3eZbrw1aB"}"""
        assertEquals("3eZbrw1aB", slack.challenge(slack.verify(question, slack.signRequest(question.encodeToByteArray()).headers))?.body)
    }

    @Test
    fun `a missing certificate is fetched once, and kept`() =
        checked {
            val case = snsCase()
            val fetched = mutableListOf<String>()
            val sns =
                Webhook(WebhookScheme.SNS) {
                    topicArn = case.topic
                    certificates =
                        CertificateFetcher { url ->
                            fetched += url
                            case.certificate.encodeToByteArray()
                        }
                }
            repeat(2) {
                val verified = sns.receive(case.body, Headers.empty, case.now)
                assertEquals(BodyBound.FIELDS, verified.bodyBound)
                assertTrue(verified.idSigned)
            }
            assertEquals(1, fetched.size)
            assertTrue(fetched.single().startsWith("https://sns."))
            val without = Webhook(WebhookScheme.SNS) { topicArn = case.topic }
            val error = thrown<MissingCertificateException> { without.receive(case.body, Headers.empty, case.now) }
            assertEquals(fetched.single(), error.url)
            val wrong = thrown<WebhookVerificationException> { without.addCertificate(error.url, "no PEM".encodeToByteArray(), case.now) }
            assertEquals("bad_certificate", wrong.code)
            val foreign = "https://example.com/a.pem"
            val elsewhere = thrown<WebhookVerificationException> { without.addCertificate(foreign, case.certificate.encodeToByteArray(), case.now) }
            assertEquals("bad_certificate_url", elsewhere.code)
        }

    private class SnsCase(
        val body: ByteArray,
        val topic: String,
        val certificate: String,
        val now: Instant,
    )

    /** The first honest message of the corpus. */
    private fun snsCase(): SnsCase {
        val corpus = File("../../conformance/webhooks/sns.json").readText()
        val case =
            Json
                .parseToJsonElement(corpus)
                .jsonArray
                .map { it.jsonObject }
                .first { it.text("kind") == "valid" }
        val settings = case.getValue("settings").jsonObject
        return SnsCase(
            Base64.getDecoder().decode(case.text("body")),
            settings.text("topic_arn"),
            settings.text("certificate"),
            Instant.fromEpochSeconds(case.text("now").toLong()),
        )
    }

    @Test
    fun `a message is handled once`() =
        checked {
            val webhook = webhook(WebhookScheme.STANDARD_WEBHOOKS, Webhook.generateSecret())
            val verified = webhook.verify("{}", Headers.of(webhook.sign("{}", "msg_1")))
            val key = verified.replayKey("billing")
            assertTrue(Regex("[0-9a-f]{64}").matches(key))
            assertNotEquals(key, verified.replayKey("other"))
            val again = webhook.verify("{}", Headers.of(webhook.sign("{}", "msg_1", now + 60.seconds)))
            assertEquals(key, again.replayKey("billing"))
            assertEquals(key, verified.replayKey("billing", "msg_1"))
            val github = webhook(WebhookScheme.GITHUB, "a secret")
            val unsigned = github.verify("{}", github.signRequest("{}".encodeToByteArray()).headers)
            assertNotEquals(unsigned.replayKey("billing"), unsigned.replayKey("billing", "evt_1"))
            assertNotEquals(unsigned.replayKey("billing", "evt_1"), unsigned.replayKey("billing", "evt_2"))
            thrown<IllegalArgumentException> { unsigned.replayKey("billing", "a\nb") }

            val guard = MemoryReplayGuard()
            var handled = 0
            thrown<IllegalArgumentException> { guard.once(key, fixed) { throw IllegalArgumentException() } }
            val begun = CompletableDeferred<Unit>()
            val given =
                launch {
                    guard.once(key, fixed) {
                        begun.complete(Unit)
                        CompletableDeferred<Unit>().await()
                    }
                }
            begun.await()
            assertEquals(Once.IN_PROGRESS, guard.once(key, fixed) { handled++ })
            given.cancelAndJoin()
            assertEquals(Once.HANDLED, guard.once(key, fixed) { handled++ })
            assertEquals(Once.ALREADY_DONE, guard.once(key, fixed) { handled++ })
            assertEquals(1, handled)
            assertEquals(listOf(200, 200, 503, 503), Once.entries.map { it.status })
        }

    @Test
    fun `a lease ends, and a store that is full says so`() =
        checked {
            val guard = MemoryReplayGuard(entries = 1, lease = 1.minutes)
            val (a, b) = "a".repeat(64) to "b".repeat(64)
            val first = guard.reserve(a, now) as Reserved.New
            assertEquals(Reserved.InProgress(now + 60.seconds), guard.reserve(a, now))
            assertEquals(Reserved.Full, guard.reserve(b, now))
            val second = guard.reserve(a, now + 61.seconds) as Reserved.New
            assertFalse(guard.commit(a, first.token, now + 61.seconds))
            assertTrue(guard.release(a, second.token, now + 61.seconds))
            assertEquals("bad_replay_key", thrown<WebhookKeyException> { guard.reserve("x", now) }.code)
        }

    @Test
    fun `a store of one's own guards as well`() =
        checked {
            val states = HashMap<String, Boolean>()
            val own =
                object : ReplayGuard {
                    override suspend fun reserve(
                        key: String,
                        now: Instant,
                    ) = when (states[key]) {
                        null -> Reserved.New("t").also { states[key] = false }
                        true -> Reserved.AlreadyDone
                        false -> Reserved.InProgress(now)
                    }

                    override suspend fun commit(
                        key: String,
                        token: String,
                        now: Instant,
                    ) = states.put(key, true) == false

                    override suspend fun release(
                        key: String,
                        token: String,
                        now: Instant,
                    ) = states.remove(key) == false
                }
            assertEquals(Once.HANDLED, own.once("k") {})
            assertEquals(Once.ALREADY_DONE, own.once("k") { error("handled twice") })
        }

    @Serializable
    data class Created(
        val type: String,
        val name: String,
    )

    @Test
    fun `events go to the handler of their type, as the model it takes`() =
        checked {
            val webhook = webhook(WebhookScheme.GITHUB, "a secret")

            fun verified(body: String) = webhook.verify(body, webhook.signRequest(body.encodeToByteArray()).headers)
            val came = mutableListOf<Created>()
            val events = WebhookEvents().on<Created>("user.created") { came += it }
            assertTrue(events.dispatch(verified("""{"type":"user.created","name":"Ada","more":1}""")))
            assertEquals(listOf(Created("user.created", "Ada")), came)
            for (body in listOf("""{"type":"user.deleted"}""", """{"type":1}""", "[]", "no json")) {
                assertFalse(events.dispatch(verified(body)), body)
            }
            thrown<SerializationException> { events.dispatch(verified("""{"type":"user.created"}""")) }
        }
}
