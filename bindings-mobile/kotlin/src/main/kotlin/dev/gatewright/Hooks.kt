package dev.gatewright

import kotlin.time.Duration

/**
 * An attempt that is about to be sent; see [ClientConfig.beforeAttempt]. Credentials are put on afterwards.
 *
 * @property number 1 for the first.
 * @property method The request's method.
 * @property url The URL, without secrets.
 * @property headers May be changed. An `authorization` set here wins over the client's credential.
 */
public class AttemptRequest internal constructor(
    public val number: Int,
    public val method: String,
    public val url: String,
    public val headers: MutableHeaders,
) {
    override fun toString(): String = "AttemptRequest(number=$number, method=$method, headers=$headers)"
}

/**
 * An attempt that is over; see [ClientConfig.afterAttempt].
 *
 * @property number 1 for the first.
 * @property method The request's method.
 * @property url The URL, without secrets.
 * @property status The answer's status; `null` where no answer came.
 * @property headers The answer's headers; `null` where no answer came.
 * @property error What went wrong, where there was no complete answer.
 * @property took How long it took.
 */
public class AttemptResult internal constructor(
    public val number: Int,
    public val method: String,
    public val url: String,
    public val status: Int?,
    public val headers: Headers?,
    public val error: String?,
    public val took: Duration,
) {
    override fun toString(): String = "AttemptResult(number=$number, method=$method, status=$status, error=$error, took=$took)"
}
