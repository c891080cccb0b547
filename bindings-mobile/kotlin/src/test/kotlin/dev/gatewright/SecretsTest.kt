package dev.gatewright

import kotlinx.coroutines.flow.first
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import java.io.ByteArrayOutputStream
import java.io.ObjectOutputStream
import java.net.URLEncoder
import java.util.Base64
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds

/** A secret goes onto the wire and nowhere else. */
class SecretsTest {
    private val canary = "canary-s3cret/+&="
    private val spellings =
        listOf(
            canary,
            URLEncoder.encode(canary, "UTF-8"),
            Base64.getEncoder().encodeToString(canary.encodeToByteArray()),
            Base64.getEncoder().encodeToString("me:$canary".encodeToByteArray()),
            "canary-s3cret",
        )

    private val auths =
        listOf(
            Auth.bearer(canary),
            Auth.basic("me", canary),
            Auth.apiKey(canary),
            Auth.apiKeyQuery(canary, "sig"),
            Auth.apiKeyCookie("canary-s3cret", "session"),
            Auth.token { Token(canary, expiresIn = 1.hours) },
        )

    private fun check(vararg things: Any?) {
        for (thing in things) {
            val shown = mutableListOf("$thing")
            if (thing is Throwable) {
                shown += thing.stackTraceToString()
                val bytes = ByteArrayOutputStream()
                ObjectOutputStream(bytes).use { it.writeObject(thing) }
                shown += bytes.toString(Charsets.ISO_8859_1)
            }
            if (thing is GatewrightException) {
                shown += listOf(thing.timeline(), "${thing.problem}", thing.body.decodeToString(), "${thing.attempts}", "${thing.url}")
            }
            for (text in shown) {
                for (spelling in spellings) {
                    assertFalse(spelling in text, text)
                }
            }
        }
    }

    @TestFactory
    fun `no failure, no success and no mistake shows a secret`(): List<DynamicTest> =
        auths.map { auth ->
            dynamicTest("$auth") {
                checked {
                    failures(auth)
                    successes(auth)
                    mistakes(auth)
                }
            }
        }

    private suspend fun failures(auth: Auth) {
        for (fault in listOf("reset", "503", "401", "422", "short", "bad-chunk", "lost", "422;body=\"you sent $canary\"")) {
            val session = Session()
            session.set("""{"auth": "off"}""")
            session.script("contacts.create", fault, fault)
            val client =
                session.client {
                    this.auth = auth
                    retry = Retry(maxAttempts = 2, backoffBase = 1.milliseconds, backoffCap = 1.milliseconds)
                    beforeAttempt { check(it, it.url, it.headers, it.headers.toMap()) }
                    afterAttempt { check(it, it.url, it.error, it.headers) }
                }
            check(thrown<GatewrightException> { client.post("/v1/contacts") { json(emptyMap<String, String>()) } })
            check(client, client.baseUrl, client.state())
        }
    }

    private suspend fun successes(auth: Auth) {
        val session = Session()
        // An answer, whatever the gateway thinks of the key.
        val client =
            session.client {
                this.auth = auth
                throwOnError = false
            }
        val response = client.get("/v1/whoami") { header("x-mock-fault", "once:503") }
        check(response, response.url, response.attempts, response.timeline(), response.headers.toMap())
        client.stream("GET", "/v1/whoami").use { check(it, it.url, it.attempts) }
        check(client.pages("/v1/contacts"), client.events("/v1/ticks"))
        runCatching { client.pages("/v1/contacts").first() }.onFailure { check(it) }
    }

    private suspend fun mistakes(auth: Auth) {
        val wrong: List<ClientConfig.() -> Unit> =
            listOf(
                { timeout = (-1).milliseconds },
                { header("a b", canary) },
                { header("a", "$canary\n") },
                { quota = "lots" },
                { caCertificates = canary },
            )
        for (mistake in wrong) {
            check(
                thrown<InvalidConfigException> {
                    Client("https://h.example") {
                        this.auth = auth
                        mistake()
                    }
                },
            )
        }
        val client =
            Client("http://127.0.0.1:1") {
                this.auth = auth
                retry = Retry.none
            }
        check(thrown<GatewrightException> { client.get("/x") })
        check(thrown<InvalidRequestException> { client.get("/x") { header("a", "$canary\u0001") } })
        check(thrown<InvalidRequestException> { client.get("/x") { header("a", "$canary€") } })
    }

    @Test
    fun `an auth that cannot be is refused without being shown`() {
        for (auth in listOf(Auth.bearer("$canary\n"), Auth.apiKey("$canary\n"), Auth.basic("a:b", canary), Auth.apiKey(canary, "a b"))) {
            check(thrown<InvalidConfigException> { Client("https://h.example") { this.auth = auth } })
        }
        check(Token(canary), Proxy.Url("http://me:$canary@proxy.example"), Body.text(canary), Headers.of("a" to canary))
        check(thrown<InvalidConfigException> { Client("https://h.example") { proxy = Proxy.Url("socks://me:$canary@::") } })
    }

    @Test
    fun `no error shows the password of a URL`() {
        val password = URLEncoder.encode(canary, "UTF-8")
        for (url in listOf("ftp://me:$password@h.example", "http://me:$password@h.example", "https://me:$password@h.example")) {
            check(thrown<GatewrightException> { Client(url) })
        }
    }

    @Test
    fun `a token that is wrong is not shown by the error`() =
        checked {
            for (token in listOf("$canary\n", "$canary\u0000", "")) {
                val client = Session().client { auth = Auth.token { Token(token) } }
                check(thrown<TokenException> { client.get("/v1/whoami") })
            }
        }

    @Test
    fun `the base URL is all that a client shows, and a webhook shows nothing`() {
        assertEquals("Client(https://h.example/v1)", Client("https://h.example/v1") { auth = Auth.bearer(canary) }.toString())
        val secret = Webhook.generateSecret()
        val webhook = Webhook(secret)
        val headers = Headers.of(webhook.sign("{}", "m"))
        val key = secret.removePrefix("whsec_").take(8)
        val wrong = thrown<WebhookVerificationException> { webhook.verify("{}!", headers) }
        val broken = thrown<WebhookKeyException> { Webhook("$secret%") }
        for (thing in listOf(
            webhook,
            webhook.verify("{}", headers),
            wrong.stackTraceToString(),
            broken.stackTraceToString(),
            webhook.explain("x", headers),
        )) {
            assertFalse(key in thing.toString(), thing.toString())
        }
    }
}
