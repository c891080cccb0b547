package dev.gatewright

import dev.gatewright.internal.OpenVerifier

/** A verification whose body comes in pieces; see [Webhook.verifier]. Trust nothing before [finish] has returned. */
public class WebhookVerifier internal constructor(
    private val open: OpenVerifier,
) {
    /**
     * Takes the next piece of the body.
     *
     * @throws WebhookVerificationException where the body is too large; read no further.
     */
    public fun update(piece: ByteArray): Unit = open.update(piece)

    /**
     * Ends it, once: what was proven. The body is not kept for [Verified.text] and [Verified.json].
     *
     * @throws WebhookVerificationException where the request is not what it claims to be.
     */
    public fun finish(): Verified = open.finish()
}
