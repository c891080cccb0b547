package dev.gatewright

import kotlin.time.Duration

/**
 * What a client would do with a [Supposition], and why; see [Client.explain]. [toString] is all of it in words.
 *
 * @property decision What would be decided.
 * @property code The code of the error that would be thrown, were there no other attempt; `null` for what is no error.
 * @property repeatable Whether the request is safe to repeat.
 * @property retryAfter What the server asked for.
 * @property cost What the retry would cost of the budget.
 * @property budgetLeft Tokens left in the retry budget now.
 * @property counted How the breaker would count it; `null` where it is off.
 * @property breaker What the breaker would do then; `null` where it is off.
 * @property pausedFor How long other calls with the credential would be held back.
 * @property region The region to which the retry would go, where there are several.
 * @property quotas The quotas as they are read from the answer.
 * @property reasons Why, a sentence each.
 */
public class Explanation internal constructor(
    public val decision: Decision,
    public val code: String?,
    public val repeatable: Boolean,
    public val retryAfter: Duration?,
    public val cost: Int?,
    public val budgetLeft: Int,
    public val counted: Count?,
    public val breaker: BreakerState.Phase?,
    public val pausedFor: Duration?,
    public val region: String?,
    public val quotas: List<Quota>,
    public val reasons: List<String>,
    private val text: String,
) {
    /** What would be decided. */
    public sealed class Decision {
        /** The answer goes to the caller. */
        public data object Return : Decision()

        /**
         * Another attempt.
         *
         * @property reason What makes it worth it.
         * @property leastWait The wait before it, at least.
         * @property mostWait The wait before it, at most: jitter decides.
         */
        @ConsistentCopyVisibility
        public data class Retry internal constructor(
            public val reason: String,
            public val leastWait: Duration,
            public val mostWait: Duration,
        ) : Decision()

        /** A new token first, then another attempt. */
        public data object RefreshToken : Decision()

        /**
         * A redirect is followed.
         *
         * @property to Where it leads.
         */
        @ConsistentCopyVisibility
        public data class Redirect internal constructor(
            public val to: String,
        ) : Decision()

        /**
         * An exception is thrown.
         *
         * @property reason Why there is no other attempt.
         */
        @ConsistentCopyVisibility
        public data class GiveUp internal constructor(
            public val reason: String,
        ) : Decision()
    }

    /** How the host's breaker counts an attempt. */
    public enum class Count(
        internal val text: String,
    ) {
        /** As a failure. */
        FAILURE("failure"),

        /** Not at all. */
        NEITHER("neither"),

        /** As a success. */
        SUCCESS("success"),
    }

    /**
     * A quota as it is read from the answer.
     *
     * @property policy The server's name for it.
     * @property limit Calls in a window, where it is told.
     * @property remaining Calls that may still go, where it is told.
     * @property window The window's length, where it is told.
     * @property resetsIn Time until the reset, where it is told.
     */
    @ConsistentCopyVisibility
    public data class Quota internal constructor(
        public val policy: String,
        public val limit: Long?,
        public val remaining: Long?,
        public val window: Duration?,
        public val resetsIn: Duration?,
    )

    override fun toString(): String = text
}
