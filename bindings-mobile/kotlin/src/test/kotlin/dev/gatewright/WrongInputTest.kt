package dev.gatewright

import kotlinx.coroutines.flow.first
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What is wrong with a client or a request is said before anything is sent, and where. */
class WrongInputTest {
    private fun refused(
        says: String,
        url: String = "https://h.example",
        configure: ClientConfig.() -> Unit = {},
    ): DynamicTest =
        dynamicTest(says) {
            val error = thrown<InvalidConfigException> { Client(url, configure) }
            assertTrue(error.message.startsWith("invalid_config: ") && says in error.message, error.message)
            assertEquals(emptyList<Attempt>(), error.attempts)
            assertEquals("", error.timeline())
        }

    @TestFactory
    fun `settings that cannot be`(): List<DynamicTest> =
        listOf(
            refused("`baseUrl` is no URL", url = "not a url"),
            refused("`baseUrl` has the scheme \"ftp\"; it must be https (or http)", url = "ftp://example.com"),
            refused("`timeout` is 0 ms; it must be a time above zero, or null for none") { timeout = Duration.ZERO },
            refused("`readTimeout` is -1 ms;") { readTimeout = (-1).milliseconds },
            refused("`attemptTimeout` is -Infinity ms;") { attemptTimeout = -Duration.INFINITE },
            refused("`connectTimeout` is 0 ms;") { connectTimeout = Duration.ZERO },
            refused("`auth`: the credential is empty") { auth = Auth.bearer("") },
            refused("`auth`: the credential has a character that no HTTP header can carry") { auth = Auth.bearer("line\nbreak") },
            refused("`auth.header` is no header name") { auth = Auth.apiKey("k", header = "a b") },
            refused("the value of the header x-a has a character that no header can carry") { header("x-a", "line\nbreak") },
            refused("\"a b\" is no header name") { header("a b", "c") },
            refused("`retry.maxAttempts` is 0; it must be a whole number from 1") { retry = Retry(maxAttempts = 0) },
            refused("`retry.maxAttempts` is -1; it must be a whole number from 1") { retry = Retry(maxAttempts = -1) },
            refused("`retry.backoffBase` is -1") { retry = Retry(backoffBase = (-1).milliseconds) },
            refused("`retry.maxRetryAfter` is Infinity") { retry = Retry(maxRetryAfter = Duration.INFINITE) },
            refused("`retry.budget` is -5") { retry = Retry(budget = -5) },
            refused("`quota`: got \"lots\" when expecting calls, a slash and a time") { quota = "lots" },
            refused("`maxRedirects` is -1") { maxRedirects = -1 },
            refused("`maxResponseBytes` is -1") { maxResponseBytes = -1 },
            refused("`proxy` is no proxy URL; it looks like http://host:port") { proxy = Proxy.Url("::") },
            refused("`caCertificates` cannot be read: there is no PEM certificate in it") { caCertificates = "no certificate" },
            refused("`pins`") { pins = listOf("sha256/short") },
            refused("`allowedOrigins`") { allowedOrigins = listOf("nowhere") },
        )

    @Test
    fun `plain http to another machine is refused`() {
        val error = thrown<InsecureUrlException> { Client("http://api.example.com") }
        assertTrue(error.message.endsWith("set `allowHttp` if the network in between is yours"), error.message)
        Client("http://api.example.com") { allowHttp = true }.close()
    }

    @Test
    fun `requests that cannot be are refused, and nothing is sent`() =
        checked {
            val session = Session()
            val client = session.client()
            val wrong: List<Pair<String, RequestConfig.() -> Unit>> =
                listOf(
                    Pair("the value of the header x-a has a character that no header can carry") { header("x-a", "line\nbreak") },
                    Pair("the value of the header x-b has a character that no header can carry (above U+00FF)") { header("x-b", "€") },
                    Pair("\"\" is no header name") { header("", "a") },
                    Pair("`query` has a value for `a` that is NaN; make it a string") { query("a", Double.NaN) },
                    Pair("`maxAttempts` is 0; it must be a whole number from 1") { maxAttempts = 0 },
                    Pair("`json` cannot be encoded as JSON") { json(Float.POSITIVE_INFINITY) },
                )
            for ((says, configure) in wrong) {
                val error = thrown<InvalidRequestException> { client.post("/v1/echo", configure) }
                assertTrue(error.message.startsWith("invalid_request: ") && says in error.message, error.message)
                thrown<InvalidRequestException> { client.stream("POST", "/v1/echo", configure) }
            }
            val limits: List<Pair<String, RequestConfig.() -> Unit>> =
                listOf(
                    Pair("`timeout` is 0 ms; it must be a time above zero, or null for none") { timeout = Duration.ZERO },
                    Pair("`attemptTimeout` is -5 ms;") { attemptTimeout = (-5).milliseconds },
                )
            for ((says, configure) in limits) {
                val error = thrown<InvalidConfigException> { client.get("/v1/echo", configure) }
                assertTrue(says in error.message, error.message)
            }
            val method = thrown<InvalidRequestException> { client.request("NO SUCH", "/v1/echo") }
            assertTrue("\"NO SUCH\" is no HTTP method" in method.message, method.message)
            thrown<InvalidConfigException> { client.pages("/v1/contacts") { timeout = Duration.ZERO }.first() }
            assertTrue(
                "`idleTimeout` is -1000" in thrown<GatewrightException> { client.events("/v1/ticks") { idleTimeout = (-1).seconds }.first() }.message,
            )
            thrown<CrossOriginException> { client.get("https://elsewhere.example/x") }
            assertEquals(0, session.journal().size)
            assertTrue(client.get("/v1/whoami").ok)
        }

    @Test
    fun `texts of any characters cross unharmed, and none is the end of the program`() =
        checked {
            val session = Session()
            val client = session.client()
            for (text in listOf("\u0000", "\ud800", "\udc00\ud800", "\uD83E\uDD80", "\"\\\b\u001f", "\u2028\u2029", "ä".repeat(5_000))) {
                client.post("/v1/echo") {
                    query("q", text)
                    body = Body.text(text)
                }
                assertEquals(text.encodeToByteArray().decodeToString(), session.last().body.decodeToString())
                runCatching { client.get(text) }.onFailure { assertTrue(it is GatewrightException, "$it") }
                runCatching { client.request(text, "/v1/echo") }.onFailure { assertTrue(it is GatewrightException, "$it") }
                runCatching { client.get("/v1/echo") { header(text, text) } }.onFailure { assertTrue(it is InvalidRequestException, "$it") }
                runCatching { Client(text) }.onFailure { assertTrue(it is GatewrightException, "$it") }
                runCatching { Webhook(text) }.onFailure { assertTrue(it is WebhookKeyException, "$it") }
            }
        }
}
