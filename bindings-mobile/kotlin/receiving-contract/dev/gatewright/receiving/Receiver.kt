package dev.gatewright.receiving

import dev.gatewright.Verified
import dev.gatewright.WebhookEvents
import kotlinx.serialization.json.JsonObject
import java.util.concurrent.CopyOnWriteArrayList

/** What the routes of a framework do with what was verified, and what they wrote to their log. */
class Receiver {
    val handled = CopyOnWriteArrayList<String>()
    val log = CopyOnWriteArrayList<String>()
    private val events = WebhookEvents().on<JsonObject>("push") { event -> handled += "push of ${event["ref"]}" }

    fun keep(verified: Verified) {
        handled += verified.text()
    }

    fun keepAndFailOnce(verified: Verified) {
        keep(verified)
        if (handled.size == 1) error("the handler fails once")
    }

    /** GitHub's, with the event's name from the header. */
    suspend fun dispatch(
        verified: Verified,
        event: String?,
    ) {
        events.dispatch(verified, event)
    }
}
