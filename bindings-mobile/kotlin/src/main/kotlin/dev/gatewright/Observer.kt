package dev.gatewright

import kotlin.time.Duration

/**
 * A call that is over, for traces and metrics of one's own; see [ClientConfig.observer]. It has no secrets: URLs are redacted, headers and bodies
 * are not there.
 *
 * @property method The request's method.
 * @property url Where it went first, redacted.
 * @property urlTemplate The path with names in place of its variable parts, where the call gave it ([CallConfig.urlTemplate]): a label of few values.
 * @property scheme `https` or `http`.
 * @property host The host: a name or an address.
 * @property port The port, the scheme's own where none is written.
 * @property traceparent The trace that the caller gave; `null` where it gave none.
 * @property status The answer's status; `null` where there was none.
 * @property error The code of its error, such as `rate_limited`; `cancelled` where the caller went away; `null` where it succeeded.
 * @property endedAtMillis When it was over, as [System.currentTimeMillis] has it.
 * @property took From its start to its end; of a streamed answer, to its head.
 * @property attempts Its attempts, in the order in which they ended.
 */
public class ObservedCall internal constructor(
    public val method: String,
    public val url: String,
    public val urlTemplate: String?,
    public val scheme: String,
    public val host: String,
    public val port: Int?,
    public val traceparent: String?,
    public val status: Int?,
    public val error: String?,
    public val endedAtMillis: Long,
    public val took: Duration,
    public val attempts: List<ObservedAttempt>,
) {
    override fun toString(): String = "ObservedCall(method=$method, url=$url, status=$status, error=$error, took=$took, attempts=${attempts.size})"
}

/**
 * An attempt of a call that is over.
 *
 * @property number 1 for the first.
 * @property method The request's method.
 * @property url Where it went, redacted.
 * @property scheme `https` or `http`.
 * @property host The host: a name or an address.
 * @property port The port, the scheme's own where none is written.
 * @property status The answer's status; `null` where there was none.
 * @property error What went wrong, in one of few words: a status of 400 and more as digits, `timeout`, `connection_lost`, `cancelled`.
 * @property started From the start of the call to its sending; `null` where the caller went away.
 * @property took From sending to the answer's head, or to its failure.
 */
public class ObservedAttempt internal constructor(
    public val number: Int,
    public val method: String,
    public val url: String,
    public val scheme: String,
    public val host: String,
    public val port: Int?,
    public val status: Int?,
    public val error: String?,
    public val started: Duration?,
    public val took: Duration,
) {
    override fun toString(): String = "ObservedAttempt(number=$number, url=$url, status=$status, error=$error, took=$took)"
}
