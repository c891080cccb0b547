package dev.gatewright

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * How calls are retried; see [ClientConfig.retry]. A call is retried only where repeating it cannot double its effect: GET, HEAD, PUT, DELETE and
 * the like, POST and PATCH with their idempotency key, and anything of which nothing was sent.
 *
 * @property maxAttempts Attempts in all, the first included. 1 for no retries.
 * @property backoffBase Upper bound of the first wait, which is random below it; it doubles with each retry.
 * @property backoffCap Upper bound of every wait.
 * @property maxRetryAfter The longest `Retry-After` that is waited out. A longer one is thrown at once, with the hint.
 * @property budget Tokens of the retry budget, which a client has for each host: a retry costs 5, after a timeout 10; a success gives one back.
 */
public data class Retry(
    public val maxAttempts: Int = 3,
    public val backoffBase: Duration = 500.milliseconds,
    public val backoffCap: Duration = 8.seconds,
    public val maxRetryAfter: Duration = 60.seconds,
    public val budget: Int = 500,
) {
    /** Rules that have a name. */
    public companion object {
        /** A single attempt. */
        public val none: Retry = Retry(maxAttempts = 1)
    }
}
