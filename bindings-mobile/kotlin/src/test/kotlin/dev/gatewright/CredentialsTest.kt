package dev.gatewright

import kotlinx.serialization.json.JsonObject
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

private const val CONTACT = "/v1/contacts/ct_000001"

/** Named credentials, tokens of OAuth 2, signatures. */
class CredentialsTest {
    /** A client that gets its tokens of the session's authorization server. */
    private fun client(
        session: Session,
        secret: String = "test-secret",
    ): Client {
        val oauth =
            OAuth(
                "test-client",
                tokenUrl = "${session.url}/oauth/generic~${session.id}/token",
                clientSecret = secret,
                scopes = listOf("contacts:read"),
                parameters = mapOf("color" to "blue"),
            )
        return session.client { auth = Auth.oauth(oauth) }
    }

    private suspend fun ops(session: Session): List<String> = session.journal().map { it.text("op") }

    private val JsonObject.authorization: String?
        get() = headers["authorization"]

    @Test
    fun `a call goes with the credential that it names`() =
        checked {
            val session = Session()
            val client =
                session.client {
                    credential("other", Auth.bearer("sk_test_unlimited_globex"))
                    credential("basic", Auth.basic("user", "password"))
                    throwOnError = false
                }
            val named = listOf("other", "basic").map(RequestCredential::Named)
            for (choice in listOf(null) + named + RequestCredential.Anonymous) {
                client.get(CONTACT) { credential = choice }
            }
            // The journal shows just their ends.
            val sent = listOf("Bearer ***acme", "Bearer ***obex", "Basic ***", null)
            assertEquals(sent, session.journal().map { it.authorization })
        }

    @Test
    fun `a credential that there is not is refused`() =
        checked {
            val session = Session()
            val client = session.client { credential("one", Auth.bearer("token")) }
            val error = thrown<InvalidRequestException> { client.get(CONTACT) { credential = RequestCredential.Named("two") } }
            assertTrue("two" in error.message, error.message)
            assertEquals(0, session.journal().size)
        }

    @Test
    fun `a token is asked for once and renewed where the server refuses it`() =
        checked {
            val session = Session()
            val client = client(session)
            together(3) { assertEquals(200, client.get(CONTACT).status) }
            assertEquals(listOf("oauth.token", "contacts.get", "contacts.get", "contacts.get"), ops(session))
            val asked = session.journal().first()
            val form = asked.body.decodeToString()
            for (part in listOf("grant_type=client_credentials", "scope=contacts%3Aread", "color=blue")) {
                assertTrue(part in form, form)
            }
            session.script("contacts.get", "401")
            assertEquals(2, client.get(CONTACT).attempts.size)
            assertEquals(2, ops(session).count { it == "oauth.token" })
        }

    @Test
    fun `what the server says is in the exception and no secret is`() =
        checked {
            val error = thrown<TokenException> { client(Session(), "not-the-secret").get(CONTACT) }
            assertTrue("invalid_client" in error.message, error.message)
            assertFalse("not-the-secret" in error.stackTraceToString())
        }

    @Test
    fun `secrets of settings are never shown`() {
        val oauth = OAuth("app", issuer = "https://as.example", clientSecret = "canary", refreshToken = "canary", dpopKey = "canary")
        val hmac = HmacSignature("key", "canary")
        val http = HttpSignature("key", "canary")
        val auths = listOf(Auth.oauth(oauth), Auth.signature(hmac), Auth.signature(http), Auth.dpop("canary", "canary"))
        for (value in auths + auths.map { it.signedBy(hmac) } + oauth + hmac + http) {
            assertFalse("canary" in value.toString(), value.toString())
        }
    }

    @Test
    fun `a signature is made anew for each attempt`() =
        checked {
            val session = Session()
            session.script("contacts.get", "503")
            val hmac =
                HmacSignature(
                    "key",
                    "secret",
                    encoding = HmacSignature.Encoding.HEX,
                    text = "{method}\n{path}\n{nonce}",
                    headers = mapOf("x-nonce" to "{nonce}", "x-signature" to "{key_id}:{signature}"),
                )
            session.client { auth = Auth.bearer(KEY).signedBy(hmac) }.get(CONTACT)
            val signatures = session.journal().map { it.headers.getValue("x-signature") }
            assertEquals(2, signatures.toSet().size)
            assertTrue(signatures.all(Regex("key:[0-9a-f]{64}")::matches), signatures.toString())
            assertEquals(listOf("Bearer ***acme", "Bearer ***acme"), session.journal().map { it.authorization })
        }

    @Test
    fun `a message signature goes beside a credential`() =
        checked {
            val session = Session()
            val key = SigningKey.generateP256()
            val http = HttpSignature("key", key, components = listOf("@method", "@path"), label = "mine")
            session.client { auth = Auth.bearer(KEY).signedBy(http) }.get(CONTACT)
            val headers = session.last().headers
            val input = headers.getValue("signature-input")
            assertTrue(Regex("""mine=\("@method" "@path"\);.*keyid="key".*""").matches(input), input)
            assertTrue(headers.getValue("signature").startsWith("mine=:"))
        }

    @Test
    fun `what cannot be is refused when the client is made`() {
        val plain = OAuth("id", tokenUrl = "http://auth.example.com/token", clientSecret = "canary")
        val wrong =
            listOf(
                Auth.oauth(plain) to "`tokenUrl` must be https",
                Auth.oauth(OAuth("", issuer = "https://as.example")) to "`clientId`",
                Auth.oauth(OAuth("id")) to "`issuer`",
                Auth.signature(HmacSignature("k", "")) to "secret",
                Auth.dpop("canary", "canary") to "key",
            )
        for ((given, name) in wrong) {
            val error = thrown<InvalidConfigException> { Client("https://api.example.com") { auth = given } }
            assertTrue(name in error.message && "canary" !in error.message, error.message)
        }
    }
}
