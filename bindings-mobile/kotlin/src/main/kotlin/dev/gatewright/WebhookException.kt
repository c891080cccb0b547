package dev.gatewright

/** What [Webhook] throws. Its message contains no secret. */
public sealed class WebhookException(
    /** The stable code, such as `bad_signature`. */
    public val code: String,
    /** What is wrong. */
    override val message: String,
) : RuntimeException(message)

/** A secret or a setting cannot be used. */
public class WebhookKeyException internal constructor(
    code: String,
    message: String,
) : WebhookException(code, message)

/** A request is not what it claims to be. Answer 400, with the same words for every cause. */
public open class WebhookVerificationException internal constructor(
    code: String,
    message: String,
) : WebhookException(code, message)

/**
 * The certificate that a message names is not known yet: fetch it and hand it to [Webhook.addCertificate]; [Webhook.receive] does both.
 *
 * @property url Where it is; its host and path were checked.
 */
public class MissingCertificateException internal constructor(
    code: String,
    message: String,
    public val url: String,
) : WebhookVerificationException(code, message)
