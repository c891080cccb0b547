package dev.gatewright

/**
 * Why a request does not verify; see [Webhook.diagnose]. Never show it to the sender.
 *
 * @property code The stable code, such as `body_changed` or `clock_off`.
 * @property message What is wrong and what to do, in words.
 */
public class WebhookDiagnosis internal constructor(
    public val code: String,
    public val message: String,
) {
    /** The [message]. */
    override fun toString(): String = message
}
