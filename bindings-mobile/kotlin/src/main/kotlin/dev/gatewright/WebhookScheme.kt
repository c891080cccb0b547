package dev.gatewright

/**
 * How a sender signs. Each has a page with its traps in the guide to webhooks.
 *
 * @property id The stable name, such as `standard-webhooks`.
 */
public enum class WebhookScheme(
    public val id: String,
) {
    /** Standard Webhooks, v1 and v1a. */
    STANDARD_WEBHOOKS("standard-webhooks"),

    /** Svix: the same under names of its own. */
    SVIX("svix"),

    /** Stripe; the secret is the whole `whsec_…`. */
    STRIPE("stripe"),

    /** GitHub; the delivery's id is not signed. */
    GITHUB("github"),

    /** Slack; see [Webhook.challenge]. */
    SLACK("slack"),

    /** Zoom; see [Webhook.challenge]. */
    ZOOM("zoom"),

    /** Shopify. */
    SHOPIFY("shopify"),

    /** Twilio; signs the URL. */
    TWILIO("twilio"),

    /** Square; signs the URL. */
    SQUARE("square"),

    /** Discord; the secret is the application's public key. */
    DISCORD("discord"),

    /** Linear; the time is in the body. */
    LINEAR("linear"),

    /** Paddle. */
    PADDLE("paddle"),

    /** Mailgun; the body is not signed. */
    MAILGUN("mailgun"),

    /** SendGrid; the secret is its public key. */
    SENDGRID("sendgrid"),

    /** AWS SNS: by certificate, and [WebhookConfig.topicArn]. */
    SNS("sns"),

    /** PayPal: by certificate, and [WebhookConfig.webhookId]. */
    PAYPAL("paypal"),

    /** HTTP Message Signatures (RFC 9421). */
    HTTP_SIGNATURE("http-signature"),

    /** One's own: [WebhookConfig.template]. */
    CUSTOM("custom"),
    ;

    /** The [id]. */
    override fun toString(): String = id

    internal companion object {
        private val byId = entries.associateBy { it.id }

        fun of(id: String): WebhookScheme = byId.getValue(id)
    }
}
