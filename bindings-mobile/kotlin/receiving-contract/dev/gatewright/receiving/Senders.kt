package dev.gatewright.receiving

import dev.gatewright.Webhook
import dev.gatewright.WebhookScheme

/** Who sends in these tests, and with which secret. */
object Senders {
    const val PLAIN = "5f3c2b1a09f8e7d65f3c2b1a09f8e7d6"
    const val STRIPE_SECRET = "whsec_5f3c2b1a09f8e7d6"
    const val STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    val stripe = Webhook(WebhookScheme.STRIPE, STRIPE_SECRET)
    val github = Webhook(WebhookScheme.GITHUB, PLAIN)
    val standard = Webhook(STANDARD_SECRET)
    val slack = Webhook(WebhookScheme.SLACK, PLAIN)
    val square = Webhook(WebhookScheme.SQUARE, PLAIN)

    /** As [standard], for bodies of 100 bytes at the most. */
    val small = Webhook(STANDARD_SECRET, maxBody = 100)
}
