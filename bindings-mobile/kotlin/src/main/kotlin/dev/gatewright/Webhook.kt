package dev.gatewright

import dev.gatewright.internal.OpenWebhook
import dev.gatewright.internal.linesOf
import dev.gatewright.internal.newSecret
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Instant

/**
 * Verifies and signs webhooks, by Standard Webhooks or another [WebhookScheme]. Needs no [Client], blocks for no I/O, and is safe for use from any
 * thread.
 *
 * ```
 * val webhook = Webhook(System.getenv("WEBHOOK_SECRET"))
 * val stripe = Webhook(WebhookScheme.STRIPE, System.getenv("STRIPE_SECRET")) { tolerance = 1.minutes }
 *
 * // In the request's handler, with the body as it came, before any parsing:
 * val verified = webhook.verify(body, Headers.of(request.headers))
 * val event: Event = verified.json()
 * ```
 */
public class Webhook private constructor(
    /** How the sender signs. */
    public val scheme: WebhookScheme,
    config: WebhookConfig,
) {
    private val open = OpenWebhook(config.json())
    internal val clock = config.clock
    private val certificates = config.certificates

    /** The longest body that is verified, in bytes. */
    public val maxBody: Long = config.maxBody ?: DEFAULT_MAX_BODY

    /** Of the default scheme only these are looked at, which is quicker. What explains looks at all, for what else may be wrong. */
    private val isLookedAt: (String) -> Boolean =
        when (scheme) {
            WebhookScheme.STANDARD_WEBHOOKS -> { name -> name.startsWith("webhook-", ignoreCase = true) }
            else -> { _ -> true }
        }

    /**
     * A webhook of any scheme.
     *
     * @param scheme How the sender signs.
     * @param secrets What the sender shows you as the secret; or several, while secrets are being rotated. None for SNS and PayPal.
     * @param configure Its settings.
     * @throws WebhookKeyException for a secret or a setting that cannot be used.
     */
    public constructor(
        scheme: WebhookScheme,
        vararg secrets: String,
        configure: WebhookConfig.() -> Unit = {},
    ) : this(scheme, WebhookConfig(scheme, secrets.toList()).apply(configure))

    /**
     * A webhook of Standard Webhooks (v1 and v1a).
     *
     * @param secrets A `whsec_` secret (verifies and signs), a `whpk_` key (verifies) or a `whsk_` key (signs); or several, while secrets are
     *   being rotated.
     * @param tolerance How far a timestamp may be off, either way. Default 5 minutes.
     * @param maxBody The longest body that is verified, in bytes. Default 1 MiB.
     * @throws WebhookKeyException for a secret that cannot be used.
     */
    public constructor(
        vararg secrets: String,
        tolerance: Duration = 5.minutes,
        maxBody: Long = DEFAULT_MAX_BODY,
    ) : this(WebhookScheme.STANDARD_WEBHOOKS, secrets = secrets, {
        this.tolerance = tolerance
        this.maxBody = maxBody
    })

    /**
     * Proves that a request comes from whom has the secret, and that it is not an old one sent again.
     *
     * @param body The body as it came, before any parsing.
     * @param headers The request's headers.
     * @param now The time.
     * @param url The request's URL, for schemes that sign it, unless [WebhookConfig.url] has all of it.
     * @param method The request's method, for HTTP signatures. Default `POST`.
     * @throws WebhookVerificationException where the request is not what it claims to be.
     */
    public fun verify(
        body: ByteArray,
        headers: Headers,
        now: Instant = clock.now(),
        url: String? = null,
        method: String? = null,
    ): Verified = open.verify(body, linesOf(headers, url, method, isLookedAt), now)

    /** As the other [verify]. */
    public fun verify(
        body: String,
        headers: Headers,
        now: Instant = clock.now(),
        url: String? = null,
        method: String? = null,
    ): Verified = verify(body.encodeToByteArray(), headers, now, url, method)

    /**
     * As [verify], and where a certificate is missing (SNS, PayPal) fetches it with [WebhookConfig.certificates]. It is kept for the next ones.
     *
     * @throws MissingCertificateException where there is no fetcher.
     * @throws WebhookVerificationException where the request is not what it claims to be.
     */
    public suspend fun receive(
        body: ByteArray,
        headers: Headers,
        now: Instant = clock.now(),
        url: String? = null,
        method: String? = null,
    ): Verified =
        try {
            verify(body, headers, now, url, method)
        } catch (error: MissingCertificateException) {
            val fetcher = certificates ?: throw error
            addCertificate(error.url, fetcher.fetch(error.url), now)
            verify(body, headers, now, url, method)
        }

    /**
     * Begins to verify a request whose body comes in pieces: the headers are looked at now, the body as it comes. Some schemes make what is signed
     * out of the body, and keep it until the end.
     *
     * @throws WebhookVerificationException where the headers are refused already.
     */
    public fun verifier(
        headers: Headers,
        now: Instant = clock.now(),
        url: String? = null,
        method: String? = null,
    ): WebhookVerifier = WebhookVerifier(open.verifier(linesOf(headers, url, method, isLookedAt), now))

    /**
     * Keeps the certificate that was fetched from the URL of a [MissingCertificateException]. Up to 16 are kept, each until it ends.
     *
     * @throws WebhookVerificationException where the URL is not of the provider, or this is no certificate that is good [now].
     */
    public fun addCertificate(
        url: String,
        pem: ByteArray,
        now: Instant = clock.now(),
    ): Unit = open.addCertificate(url, pem, now)

    /**
     * The answer to a verified request that is no event but a question to the endpoint: Slack's `url_verification`, Zoom's validation, Discord's
     * PING, the confirmation of an SNS subscription. `null` for everything else, and for a body that came in pieces.
     */
    public fun challenge(verified: Verified): WebhookChallenge? = open.challenge(verified)

    /** Says why a request does not verify: tries what commonly goes wrong, and names the first cause that fits. Never show it to the sender. */
    public fun diagnose(
        body: ByteArray,
        headers: Headers,
        now: Instant = clock.now(),
        url: String? = null,
        method: String? = null,
    ): WebhookDiagnosis = open.diagnose(body, linesOf(headers, url, method) { true }, now)

    /** Says why a request does not verify, in words for the developer. Never show it to the sender. */
    public fun explain(
        body: ByteArray,
        headers: Headers,
        now: Instant = clock.now(),
        url: String? = null,
        method: String? = null,
    ): String = diagnose(body, headers, now, url, method).message

    /** As the other [explain]. */
    public fun explain(
        body: String,
        headers: Headers,
        now: Instant = clock.now(),
        url: String? = null,
        method: String? = null,
    ): String = explain(body.encodeToByteArray(), headers, now, url, method)

    /**
     * Signs a body, for tests and for senders: the headers to send with it.
     *
     * @param messageId The message's id; the same when it is sent again.
     * @param timestamp When it is sent.
     * @throws WebhookKeyException where no secret is for signing, or the id cannot be sent.
     */
    public fun sign(
        body: ByteArray,
        messageId: String,
        timestamp: Instant = clock.now(),
    ): Map<String, String> = signRequest(body, timestamp, messageId).headers.toList().toMap()

    /** As the other [sign]. */
    public fun sign(
        body: String,
        messageId: String,
        timestamp: Instant = clock.now(),
    ): Map<String, String> = sign(body.encodeToByteArray(), messageId, timestamp)

    /**
     * Signs a request by any scheme but SendGrid, SNS and PayPal, which sign with keys that only they have.
     *
     * @param timestamp When it is sent.
     * @param messageId The message's id, for schemes that have one.
     * @param url Where it is sent, for schemes that sign it.
     * @throws WebhookKeyException where no secret is for signing, or the scheme needs more.
     */
    public fun signRequest(
        body: ByteArray,
        timestamp: Instant = clock.now(),
        messageId: String? = null,
        url: String? = null,
    ): SignedWebhook = open.sign(body, messageId, url, timestamp)

    /** Shows nothing: it has secrets. */
    override fun toString(): String = "Webhook"

    /** What needs no secret. */
    public companion object {
        /** A new `whsec_` secret, of 32 random bytes. */
        public fun generateSecret(): String = newSecret()
    }
}

/** As the native half has it. */
private const val DEFAULT_MAX_BODY = 1024L * 1024
