package dev.gatewright

/** What [Webhook] throws. Its message contains no secret. */
public sealed class WebhookException(
    /** The stable code, such as `bad_signature`. */
    public val code: String,
    /** What is wrong. */
    override val message: String,
) : RuntimeException(message)

/** A secret cannot be used. */
public class WebhookKeyException internal constructor(
    code: String,
    message: String,
) : WebhookException(code, message)

/** A request is not what it claims to be. */
public class WebhookVerificationException internal constructor(
    code: String,
    message: String,
) : WebhookException(code, message)
