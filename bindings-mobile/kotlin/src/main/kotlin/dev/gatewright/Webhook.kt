package dev.gatewright

import dev.gatewright.internal.OpenWebhook
import dev.gatewright.internal.newSecret
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Instant

/**
 * Verifies and signs webhooks by Standard Webhooks (v1 and v1a). Needs no [Client], blocks for no I/O, and is safe for use from any thread.
 *
 * ```
 * val webhook = Webhook(System.getenv("WEBHOOK_SECRET"))
 *
 * // In the request's handler, with the body as it came, before any parsing:
 * val verified = webhook.verify(body, Headers.of(request.headers))
 * val event: Event = verified.json()
 * ```
 *
 * @param secrets A `whsec_` secret (verifies and signs), a `whpk_` key (verifies) or a `whsk_` key (signs); or several, while secrets are being
 *   rotated.
 * @param tolerance How far a timestamp may be off, either way. Default 5 minutes.
 * @param maxBody The longest body that is verified, in bytes. Default 1 MiB.
 * @throws WebhookKeyException for a secret that cannot be used.
 */
public class Webhook(
    vararg secrets: String,
    tolerance: Duration = 5.minutes,
    maxBody: Long = 1024L * 1024,
) {
    private val open = OpenWebhook(secrets, tolerance, maxBody)

    /**
     * Proves that a request comes from whom has the secret, and that it is not an old one sent again.
     *
     * @param body The body as it came, before any parsing.
     * @param headers The request's headers.
     * @param now The time.
     * @throws WebhookVerificationException where the request is not what it claims to be.
     */
    public fun verify(
        body: ByteArray,
        headers: Headers,
        now: Instant = Clock.System.now(),
    ): Verified = open.verify(body, headers, now)

    /** As the other [verify]. */
    public fun verify(
        body: String,
        headers: Headers,
        now: Instant = Clock.System.now(),
    ): Verified = open.verify(body.encodeToByteArray(), headers, now)

    /** Says why a request does not verify, in words for the developer. Never show it to the sender. */
    public fun explain(
        body: ByteArray,
        headers: Headers,
        now: Instant = Clock.System.now(),
    ): String = open.explain(body, headers, now)

    /** As the other [explain]. */
    public fun explain(
        body: String,
        headers: Headers,
        now: Instant = Clock.System.now(),
    ): String = open.explain(body.encodeToByteArray(), headers, now)

    /**
     * Signs a body, for tests and for senders: the three headers to send with it.
     *
     * @param messageId The message's id; the same when it is sent again.
     * @param timestamp When it is sent.
     * @throws WebhookKeyException where no secret is for signing.
     */
    public fun sign(
        body: ByteArray,
        messageId: String,
        timestamp: Instant = Clock.System.now(),
    ): Map<String, String> = open.sign(body, messageId, timestamp)

    /** As the other [sign]. */
    public fun sign(
        body: String,
        messageId: String,
        timestamp: Instant = Clock.System.now(),
    ): Map<String, String> = open.sign(body.encodeToByteArray(), messageId, timestamp)

    /** Shows nothing: it has secrets. */
    override fun toString(): String = "Webhook"

    /** What needs no secret. */
    public companion object {
        /** A new `whsec_` secret, of 32 random bytes. */
        public fun generateSecret(): String = newSecret()
    }
}
