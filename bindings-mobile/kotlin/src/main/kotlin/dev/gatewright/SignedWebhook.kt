package dev.gatewright

/**
 * A request that was signed; see [Webhook.signRequest].
 *
 * @property headers The headers to send with it.
 * @property body The body to send: what was given, but for schemes that have the signature in it (Mailgun).
 * @property url The URL to send it to: what was given, but for schemes that have a hash in it (Twilio with JSON).
 */
public class SignedWebhook internal constructor(
    public val headers: Headers,
    public val body: ByteArray,
    public val url: String?,
)
