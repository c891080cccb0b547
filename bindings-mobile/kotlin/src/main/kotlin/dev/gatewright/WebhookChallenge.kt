package dev.gatewright

/**
 * The answer to a request that is no event but a question to the endpoint; see [Webhook.challenge].
 *
 * @property status The status to answer with.
 * @property contentType The answer's `content-type`.
 * @property body The answer's body.
 * @property visit A URL to call with GET, which confirms the subscription (SNS). It is one of AWS's own; call it only if you want that topic.
 */
public class WebhookChallenge internal constructor(
    public val status: Int,
    public val contentType: String,
    public val body: String,
    public val visit: String?,
) {
    /** Without the body, in which Zoom's has a signature. */
    override fun toString(): String = "WebhookChallenge(status=$status, contentType=$contentType)"
}
