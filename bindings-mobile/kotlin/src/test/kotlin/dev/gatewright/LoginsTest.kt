package dev.gatewright

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.nio.file.Files
import java.nio.file.attribute.PosixFilePermissions
import java.util.concurrent.CopyOnWriteArrayList

private const val CONTACT = "/v1/contacts/ct_000001"
private const val REDIRECT = "https://app.example/callback"

/** Logins by a browser and on another device, logging out, and token stores of a program's own. */
class LoginsTest {
    /** A store as a program has one, which keeps what it was asked. */
    private class Store(
        private val failure: String? = null,
    ) : TokenStore {
        @Volatile
        var tokens: String? = null
        val asked = CopyOnWriteArrayList<String>()

        override suspend fun load(): String? {
            failure?.let { error(it) }
            return tokens
        }

        override suspend fun save(tokens: String) {
            asked += "save"
            this.tokens = tokens
        }

        override suspend fun clear() {
            asked += "clear"
            tokens = null
        }

        override suspend fun lock(): Boolean {
            asked += "lock"
            return true
        }

        override suspend fun unlock() {
            asked += "unlock"
        }
    }

    /** A client for whom somebody logs in at the session's authorization server. */
    private fun client(
        session: Session,
        storage: OAuth.Storage = OAuth.Storage.Memory,
    ): Client {
        val issuer = "${session.url}/oauth/generic~${session.id}"
        val oauth = OAuth("public-client", issuer = issuer, scopes = listOf("contacts:read"), storage = storage)
        return session.client { auth = Auth.oauth(oauth) }
    }

    /** Where the server sends the browser that goes to [url]. */
    private suspend fun browse(
        session: Session,
        url: String,
    ): String {
        val browser =
            session.client {
                auth = Auth.none
                maxRedirects = 0
            }
        return checkNotNull(browser.get(url).headers["location"])
    }

    @Test
    fun `a login brings tokens for the client and for its store`() =
        checked {
            val (session, store) = Session() to Store()
            val client = client(session, OAuth.Storage.Store(store))
            val login = client.beginLogin(REDIRECT)
            assertTrue("code_challenge_method=S256" in login.url, login.url)
            assertFalse("state" in login.toString())
            val redirect = browse(session, login.url)
            assertTrue(redirect.startsWith("$REDIRECT?"), redirect)
            val tokens = login.finish(redirect)
            assertEquals("Bearer", tokens.tokenType)
            assertTrue(tokens.hasRefreshToken)
            assertEquals(200, client.get(CONTACT).status)
            assertTrue("\"refresh_token\"" in store.tokens.orEmpty())
            until { store.asked == listOf("lock", "save", "unlock") }
            // The next run begins with what is stored.
            assertEquals(200, client(session, OAuth.Storage.Store(store)).get(CONTACT).status)
            // A code is good for one use, and so is a login.
            thrown<ClosedException> { login.finish(redirect) }
        }

    @Test
    fun `who logs out is logged out`() =
        checked {
            val (session, store) = Session() to Store()
            val client = client(session, OAuth.Storage.Store(store))
            val login = client.beginLogin(REDIRECT)
            login.finish(browse(session, login.url))
            client.logOut()
            assertNull(store.tokens)
            assertEquals("oauth.revoke", session.last().text("op"))
        }

    @Test
    fun `a redirect of another login is refused`() =
        checked {
            val login = client(Session()).beginLogin(REDIRECT)
            val error = thrown<TokenException> { login.finish("$REDIRECT?code=canary&state=other") }
            assertFalse("canary" in error.stackTraceToString(), error.message)
        }

    @Test
    fun `a device login that is given up is over`() =
        checked {
            val session = Session()
            val login = client(session).beginDeviceLogin()
            assertTrue(login.userCode.isNotEmpty() && login.userCode !in login.toString())
            assertTrue(login.verificationUrl.startsWith(session.url), login.verificationUrl)
            // Begun before it is given up: what was never begun gives up nothing.
            val waiting = async(start = CoroutineStart.UNDISPATCHED) { login.await() }
            waiting.cancel()
            thrown<CancellationException> { waiting.await() }
            thrown<ClosedException> { login.await() }
        }

    @Test
    fun `without a login nothing is sent and without OAuth there is none`() =
        checked {
            val session = Session()
            thrown<TokenException> { client(session).get(CONTACT) }
            val plain = session.client()
            for (credential in listOf(null, "other")) {
                thrown<InvalidRequestException> { plain.beginDeviceLogin(credential) }
            }
            plain.close()
            thrown<ClosedException> { plain.logOut() }
            assertEquals(0, session.journal().size)
        }

    @Test
    fun `a store that fails is told of`() =
        checked {
            val client = client(Session(), OAuth.Storage.Store(Store("the key store is locked")))
            val error = thrown<TokenException> { client.get(CONTACT) }
            assertTrue("the key store is locked" in error.message, error.message)
        }

    @Test
    fun `tokens are kept in a file`() =
        checked {
            val session = Session()
            val folder = Files.createTempDirectory("gatewright")
            val file = folder.resolve("tokens.json")
            val client = client(session, OAuth.Storage.File(file.toString()))
            val login = client.beginLogin(REDIRECT)
            login.finish(browse(session, login.url))
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
            folder.toFile().deleteRecursively()
        }
}
