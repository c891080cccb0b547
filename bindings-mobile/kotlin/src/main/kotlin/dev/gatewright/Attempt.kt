package dev.gatewright

import kotlin.time.Duration

/**
 * One attempt of a call, as it happened. Times count from the start of the call.
 *
 * @property number 1 for the first.
 * @property started When it was sent.
 * @property queued How long it was held back before (pacing, a new token); the wait of a retry is [wait] of the attempt before.
 * @property queuedFor Why it was held back.
 * @property took How long it took.
 * @property status The answer's status; `null` where no answer came.
 * @property error What went wrong, where there was no complete answer.
 * @property retryAfter What the server asked for.
 * @property requestId The server's id of the attempt.
 * @property decision What was decided then.
 * @property reason Why.
 * @property wait The wait before the next attempt, where one follows.
 * @property budgetLeft Tokens left in the retry budget.
 * @property region The region it went to, where the client has several.
 * @property hedge Whether it was a second copy of a slow request.
 */
@ConsistentCopyVisibility
public data class Attempt internal constructor(
    public val number: Int,
    public val started: Duration,
    public val queued: Duration,
    public val queuedFor: String?,
    public val took: Duration,
    public val status: Int?,
    public val error: String?,
    public val retryAfter: Duration?,
    public val requestId: String?,
    public val decision: Decision,
    public val reason: String?,
    public val wait: Duration?,
    public val budgetLeft: Int,
    public val region: String?,
    public val hedge: Boolean,
)

/** What was decided after an attempt. */
public enum class Decision {
    /** Nothing: the call was cancelled. */
    NONE,

    /** The answer is returned. */
    RETURN,

    /** Another attempt follows. */
    RETRY,

    /** Another attempt follows, with a new token. */
    REFRESH_TOKEN,

    /** A redirect is followed. */
    REDIRECT,

    /** The error is thrown. */
    GIVE_UP,
}
