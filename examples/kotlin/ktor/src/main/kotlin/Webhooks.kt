// Webhooks of GitHub and of whoever signs by Standard Webhooks, received with Ktor:
//   GITHUB_SECRET=… WEBHOOK_SECRET=whsec_… mvn compile exec:java
// and from another terminal: gatewright webhook listen --forward-to http://localhost:8080/hooks/platform

import dev.gatewright.MemoryReplayGuard
import dev.gatewright.Webhook
import dev.gatewright.WebhookEvents
import dev.gatewright.WebhookScheme
import dev.gatewright.ktor.webhook
import io.ktor.server.application.Application
import io.ktor.server.application.log
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.ktor.server.request.header
import io.ktor.server.routing.routing
import kotlinx.serialization.Serializable

@Serializable
data class Push(
    val ref: String,
)

@Serializable
data class Contact(
    val data: Data,
) {
    @Serializable
    data class Data(
        val email: String,
    )
}

fun Application.webhooks(
    githubSecret: String,
    platformSecret: String,
    welcome: suspend (String) -> Unit,
) {
    val ofGithub = WebhookEvents().on<Push>("push") { push -> log.info("pushed to ${push.ref}") }
    val ofPlatform = WebhookEvents().on<Contact>("contact.created") { contact -> welcome(contact.data.email) }

    routing {
        webhook("/hooks/github", Webhook(WebhookScheme.GITHUB, githubSecret)) { verified ->
            ofGithub.dispatch(verified, call.request.header("X-GitHub-Event"))
        }
        // Each message once, however often it is sent.
        webhook("/hooks/platform", Webhook(platformSecret), { replayGuard = MemoryReplayGuard() }) { verified ->
            ofPlatform.dispatch(verified)
        }
    }
}

fun main() {
    val secret = { name: String -> System.getenv(name) ?: error("set $name to the secret that the sender shows you") }
    embeddedServer(CIO, port = 8080) {
        webhooks(secret("GITHUB_SECRET"), secret("WEBHOOK_SECRET")) { email -> log.info("welcome, $email") }
    }.start(wait = true)
}
