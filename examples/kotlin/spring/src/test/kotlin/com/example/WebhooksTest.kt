package com.example

import dev.gatewright.Webhook
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.springframework.beans.factory.annotation.Autowired
import org.springframework.boot.test.context.SpringBootTest
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment
import org.springframework.boot.test.context.TestConfiguration
import org.springframework.boot.test.web.server.LocalServerPort
import org.springframework.context.annotation.Bean
import org.springframework.context.annotation.Primary
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.util.concurrent.CopyOnWriteArrayList

private const val SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

/** How a program like this is tested: with what a sender would send. */
@SpringBootTest(
    webEnvironment = WebEnvironment.RANDOM_PORT,
    properties = ["GITHUB_SECRET=a secret of GitHub's", "WEBHOOK_SECRET=$SECRET", "logging.level.root=off"],
)
class WebhooksTest(
    @param:LocalServerPort private val port: Int,
    @param:Autowired private val received: Received,
) {
    class Received : Inbox {
        val types = CopyOnWriteArrayList<String>()

        override fun take(type: String) {
            types += type
        }
    }

    @TestConfiguration(proxyBeanMethods = false)
    open class Beans {
        @Bean
        @Primary
        open fun received() = Received()
    }

    @Test
    fun `an event is taken once, and what nobody signed is refused`() {
        val body = """{"type":"contact.created"}"""
        val signed = Webhook(SECRET).sign(body, messageId = "msg_1")
        assertEquals(listOf(200, 200, 400), listOf(body, body, "$body ").map { post(it, signed) })
        assertEquals(listOf("contact.created"), received.types)
    }

    private fun post(
        body: String,
        headers: Map<String, String>,
    ): Int {
        val request = HttpRequest.newBuilder(URI.create("http://localhost:$port/hooks/platform"))
        headers.forEach { (name, value) -> request.setHeader(name, value) }
        val post = request.POST(HttpRequest.BodyPublishers.ofString(body)).build()
        return HttpClient.newHttpClient().send(post, HttpResponse.BodyHandlers.discarding()).statusCode()
    }
}
