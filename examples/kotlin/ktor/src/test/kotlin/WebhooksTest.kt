import dev.gatewright.Webhook
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.util.concurrent.CopyOnWriteArrayList

/** How a program like this is tested: with what a sender would send. */
class WebhooksTest {
    @Test
    fun `a contact is welcomed once, and what nobody signed is refused`() {
        val secret = Webhook.generateSecret()
        val welcomed = CopyOnWriteArrayList<String>()
        val server = embeddedServer(CIO, port = 0) { webhooks("a secret of GitHub's", secret) { welcomed += it } }.start()
        try {
            val port =
                runBlocking {
                    server.engine
                        .resolvedConnectors()
                        .first()
                        .port
                }
            val body = """{"type":"contact.created","data":{"email":"ada@example.com"}}"""
            val signed = Webhook(secret).sign(body, messageId = "msg_1")
            assertEquals(listOf(200, 200, 400), listOf(body, body, "$body ").map { post(port, it, signed) })
            assertEquals(listOf("ada@example.com"), welcomed)
        } finally {
            server.stop(0, 0)
        }
    }

    private fun post(
        port: Int,
        body: String,
        headers: Map<String, String>,
    ): Int {
        val request = HttpRequest.newBuilder(URI.create("http://localhost:$port/hooks/platform"))
        headers.forEach { (name, value) -> request.setHeader(name, value) }
        val post = request.POST(HttpRequest.BodyPublishers.ofString(body)).build()
        return HttpClient.newHttpClient().send(post, HttpResponse.BodyHandlers.discarding()).statusCode()
    }
}
