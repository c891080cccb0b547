package dev.gatewright

import kotlinx.coroutines.CancellationException
import java.util.concurrent.atomic.AtomicLong

/** Settings of a [WebhookReceiver]. */
public class WebhookReceiverConfig internal constructor() {
    /** Handles each message once, also where the sender sends it again. Default none. */
    public var replayGuard: ReplayGuard? = null

    /** Your own name for who sends, for the replay guard: ids are unique within one sender only. Default: the scheme's id. */
    public var sender: String? = null

    /** The message's id, for schemes that sign none, such as that of Stripe's event. Default: what the scheme signs. */
    public var messageId: ((Verified) -> String?)? = null

    /** Whether the log says what is likely to be wrong, at most once a second: finding it may take a tenth of a second. Default `true`. */
    public var explain: Boolean = true

    /** Gets a line for each request that was refused, with the reason. It has no secret. Default: what the framework logs with. */
    public var log: ((String) -> Unit)? = null

    /** Is told of a challenge that was answered; to confirm a subscription of SNS, call its [WebhookChallenge.visit]. */
    public var onChallenge: (suspend (WebhookChallenge) -> Unit)? = null
}

/**
 * What to answer a sender with.
 *
 * @property status The status.
 * @property contentType The answer's `content-type`.
 * @property body The answer's body.
 */
public class WebhookAnswer internal constructor(
    public val status: Int,
    public val contentType: String,
    public val body: String,
) {
    override fun toString(): String = "WebhookAnswer(status=$status)"
}

/**
 * Receives the webhooks of one sender: what the adapters for Ktor and Spring have in common, and yours for another framework may use.
 *
 * | A request | Answer |
 * |---|---|
 * | verifies, and the handler returns | 200 |
 * | verifies, was handled before | 200, the handler is not called |
 * | verifies, another handler has it or the guard is full | 503 |
 * | is a question to the endpoint | the [challenge][Webhook.challenge]'s answer |
 * | does not verify | 400, 401 for Discord, with the same words for every cause; the cause is in the log |
 * | has a body above the cap | 413 |
 * | cannot be judged now (a certificate could not be fetched) | 503 |
 *
 * What the handler throws, [receive] throws, so the framework answers with 500 and the sender tries again.
 *
 * ```
 * val receiver = WebhookReceiver(Webhook(WebhookScheme.GITHUB, secret)) { replayGuard = MemoryReplayGuard() }
 * val answer = receiver.receive(body, Headers.of(headers)) { verified -> handle(verified) }
 * ```
 *
 * @param webhook Verifies.
 * @param defaultLog Where lines go, unless [WebhookReceiverConfig.log] says otherwise. Default: standard error.
 * @param configure Its settings.
 */
public class WebhookReceiver(
    private val webhook: Webhook,
    defaultLog: (String) -> Unit = System.err::println,
    configure: WebhookReceiverConfig.() -> Unit = {},
) {
    private val config = WebhookReceiverConfig().apply(configure)
    private val log = config.log ?: defaultLog
    private val sender = config.sender ?: webhook.scheme.id
    private val explainedAt = AtomicLong(Long.MIN_VALUE)

    /** The longest body to read, in bytes. Of a longer one nothing more is to be read: see [tooLarge]. */
    public val maxBody: Long
        get() = webhook.maxBody

    /**
     * Verifies, and calls [handle] once for each message. Throws what it throws.
     *
     * @param body The body as it came, before any parsing.
     * @param headers The request's headers.
     * @param url The URL that the sender called, for schemes that sign it, unless [WebhookConfig.url] has all of it.
     * @param method The request's method. Default `POST`.
     */
    public suspend fun receive(
        body: ByteArray,
        headers: Headers,
        url: String? = null,
        method: String? = null,
        handle: suspend (Verified) -> Unit,
    ): WebhookAnswer {
        val verified =
            try {
                webhook.receive(body, headers, url = url, method = method)
            } catch (error: WebhookVerificationException) {
                if (error.code == TOO_LARGE) {
                    return tooLarge()
                }
                log("webhook refused (${error.code}): ${reason(error, body, headers, url, method)}")
                return refused()
            } catch (error: CancellationException) {
                throw error
            } catch (error: Exception) {
                // Not the sender's fault: it shall try again.
                log("webhook not verified: $error")
                return plain(503, REFUSED)
            }
        webhook.challenge(verified)?.let { challenge -> return answer(challenge) }
        return plain(once(verified, handle), "")
    }

    /** The answer to a body above [maxBody], which nobody read to its end. */
    public fun tooLarge(): WebhookAnswer {
        log("webhook refused ($TOO_LARGE): the body is larger than maxBody, $maxBody bytes")
        return plain(413, REFUSED)
    }

    /** The answer to a request whose body somebody read before: what is written again of it are other bytes. */
    public fun parsedBefore(): WebhookAnswer {
        log("webhook refused (body_parsed): the body was read before this handler saw it: let nothing read it before")
        return refused()
    }

    private suspend fun answer(challenge: WebhookChallenge): WebhookAnswer {
        val told = config.onChallenge
        if (told != null) {
            told(challenge)
        } else if (challenge.visit != null) {
            log("webhook: a subscription waits to be confirmed; onChallenge gets the URL to visit")
        }
        return WebhookAnswer(challenge.status, challenge.contentType, challenge.body)
    }

    private suspend fun once(
        verified: Verified,
        handle: suspend (Verified) -> Unit,
    ): Int {
        val guard = config.replayGuard
        if (guard == null) {
            handle(verified)
            return 200
        }
        val own = config.messageId?.invoke(verified)
        val key = if (own == null) verified.replayKey(sender) else verified.replayKey(sender, own)
        return guard.once(key, webhook.clock) { handle(verified) }.status
    }

    private fun reason(
        error: WebhookVerificationException,
        body: ByteArray,
        headers: Headers,
        url: String?,
        method: String?,
    ): String {
        val now = System.nanoTime()
        val before = explainedAt.get()
        val mayExplain = before == Long.MIN_VALUE || now - before > BETWEEN_EXPLANATIONS
        if (!config.explain || !mayExplain || !explainedAt.compareAndSet(before, now)) {
            return error.message
        }
        return webhook.explain(body, headers, url = url, method = method)
    }

    /** Discord tests that a wrong signature gets this status. */
    private fun refused(): WebhookAnswer = plain(if (webhook.scheme == WebhookScheme.DISCORD) 401 else 400, REFUSED)
}

/** What every sender is told, whatever the reason. */
private const val REFUSED = "webhook verification failed"
private const val TOO_LARGE = "body_too_large"

/** Nanoseconds: whoever sends what does not verify must not buy many explanations. */
private const val BETWEEN_EXPLANATIONS = 1_000_000_000L

private fun plain(
    status: Int,
    body: String,
): WebhookAnswer = WebhookAnswer(status, "text/plain; charset=utf-8", body)
