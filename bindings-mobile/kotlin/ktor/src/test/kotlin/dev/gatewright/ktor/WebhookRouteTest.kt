package dev.gatewright.ktor

import dev.gatewright.MemoryReplayGuard
import dev.gatewright.receiving.Deliveries
import dev.gatewright.receiving.ReceivingContract
import dev.gatewright.receiving.Senders
import io.ktor.server.application.ApplicationCallPipeline
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.ktor.server.request.header
import io.ktor.server.request.path
import io.ktor.server.request.receiveText
import io.ktor.server.routing.routing
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll

/** Routes in a Ktor server on a port of its own, called as senders do. */
class WebhookRouteTest : ReceivingContract() {
    private val server =
        embeddedServer(CIO, port = 0, host = "127.0.0.1") {
            intercept(ApplicationCallPipeline.Plugins) {
                if (context.request.path() == "/read-before") context.receiveText()
            }
            routing {
                webhook("/stripe", Senders.stripe, { log = receiver.log::add }) { receiver.keep(it) }
                webhook("/github", Senders.github, { log = receiver.log::add }) { verified ->
                    receiver.dispatch(verified, call.request.header("X-GitHub-Event"))
                }
                webhook("/standard", Senders.standard, { replayGuard = MemoryReplayGuard() }) { receiver.keep(it) }
                webhook("/fails", Senders.standard, { replayGuard = MemoryReplayGuard() }) { receiver.keepAndFailOnce(it) }
                webhook("/slack", Senders.slack) { receiver.keep(it) }
                webhook("/square", Senders.square) { receiver.keep(it) }
                webhook("/small", Senders.small, { log = receiver.log::add }) { receiver.keep(it) }
                webhook("/read-before", Senders.stripe, { log = receiver.log::add }) { receiver.keep(it) }
            }
        }.start()
    private val port = runBlocking { server.engine.resolvedConnectors().first() }.port

    override val deliveries = Deliveries("http://127.0.0.1:$port")

    @AfterAll
    fun stop() = server.stop(0, 0)
}
