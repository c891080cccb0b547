// Webhooks of GitHub and of whoever signs by Standard Webhooks, received with Spring Boot:
//   GITHUB_SECRET=… WEBHOOK_SECRET=whsec_… mvn compile exec:java
// and from another terminal: gatewright webhook listen --forward-to http://localhost:8080/hooks/platform

package com.example

import dev.gatewright.MemoryReplayGuard
import dev.gatewright.Webhook
import dev.gatewright.WebhookScheme
import dev.gatewright.spring.WebhookRoutes
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.slf4j.LoggerFactory
import org.springframework.beans.factory.annotation.Value
import org.springframework.boot.SpringApplication
import org.springframework.boot.autoconfigure.SpringBootApplication
import org.springframework.context.annotation.Bean
import org.springframework.web.servlet.function.RouterFunction
import org.springframework.web.servlet.function.ServerResponse

@SpringBootApplication(proxyBeanMethods = false)
open class Webhooks {
    private val log = LoggerFactory.getLogger(javaClass)

    @Bean
    open fun github(
        @Value("\${GITHUB_SECRET}") secret: String,
    ): RouterFunction<ServerResponse> =
        WebhookRoutes.post("/hooks/github", Webhook(WebhookScheme.GITHUB, secret)) { verified, request ->
            // The header is not signed: it says which event it is, and proves nothing.
            log.info("{}: {}", request.headers().firstHeader("X-GitHub-Event"), verified.json<JsonObject>().keys)
        }

    // Each message once, however often it is sent.
    @Bean
    open fun platform(
        @Value("\${WEBHOOK_SECRET}") secret: String,
        inbox: Inbox,
    ): RouterFunction<ServerResponse> =
        WebhookRoutes.post("/hooks/platform", Webhook(secret), { it.replayGuard = MemoryReplayGuard() }) { verified, _ ->
            inbox.take(
                verified
                    .json<JsonObject>()
                    .getValue("type")
                    .jsonPrimitive.content,
            )
        }

    @Bean
    open fun inbox(): Inbox = Inbox { type -> log.info("received {}", type) }
}

fun interface Inbox {
    fun take(type: String)
}

fun main() {
    SpringApplication.run(Webhooks::class.java)
}
