package dev.gatewright.internal

import dev.gatewright.BreakerState
import dev.gatewright.Explanation
import dev.gatewright.Explanation.Decision
import kotlinx.serialization.Serializable
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/**
 * What would be done, as the native half tells it: `{decision, reason, leastWaitMs, mostWaitMs, to, code, repeatable, retryAfterMs, cost, budgetLeft,
 * counted, breaker, pausedForMs, region, quotas: [{policy, limit, remaining, windowMs, resetsInMs}], reasons, text}`; or the error as JSON, which has
 * no `decision`.
 */
internal fun explanationOf(text: String): Explanation {
    val told = INTERNAL_JSON.decodeFromString<ExplanationJson>(text)
    if (told.decision == null) {
        throw exceptionOf(Failure(text), null)
    }
    return Explanation(
        decision = decisionOf(told),
        code = told.code,
        repeatable = told.repeatable,
        retryAfter = told.retryAfterMs?.milliseconds,
        cost = told.cost,
        budgetLeft = told.budgetLeft,
        counted = Explanation.Count.entries.find { it.text == told.counted },
        breaker = BreakerState.Phase.entries.find { it.text == told.breaker },
        pausedFor = told.pausedForMs?.milliseconds,
        region = told.region,
        quotas = told.quotas.map { Explanation.Quota(it.policy, it.limit, it.remaining, it.windowMs?.milliseconds, it.resetsInMs?.milliseconds) },
        reasons = told.reasons,
        text = told.text,
    )
}

private fun decisionOf(told: ExplanationJson): Decision {
    val reason = told.reason.orEmpty()
    return when (told.decision) {
        "retry" -> {
            val least = told.leastWaitMs?.milliseconds ?: Duration.ZERO
            Decision.Retry(reason, least, told.mostWaitMs?.milliseconds ?: least)
        }

        "refresh_token" -> {
            Decision.RefreshToken
        }

        "redirect" -> {
            Decision.Redirect(told.to.orEmpty())
        }

        "give_up" -> {
            Decision.GiveUp(reason)
        }

        else -> {
            Decision.Return
        }
    }
}

@Serializable
private class ExplanationJson(
    val decision: String? = null,
    val reason: String? = null,
    val leastWaitMs: Double? = null,
    val mostWaitMs: Double? = null,
    val to: String? = null,
    val code: String? = null,
    val repeatable: Boolean = false,
    val retryAfterMs: Double? = null,
    val cost: Int? = null,
    val budgetLeft: Int = 0,
    val counted: String? = null,
    val breaker: String? = null,
    val pausedForMs: Double? = null,
    val region: String? = null,
    val quotas: List<ReadingJson> = emptyList(),
    val reasons: List<String> = emptyList(),
    val text: String = "",
)

@Serializable
private class ReadingJson(
    val policy: String,
    val limit: Long?,
    val remaining: Long?,
    val windowMs: Double?,
    val resetsInMs: Double?,
)
