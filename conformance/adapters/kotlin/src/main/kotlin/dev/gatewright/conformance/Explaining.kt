package dev.gatewright.conformance

// What a scenario supposes, and what is explained, in the words of the protocol.

import dev.gatewright.Client
import dev.gatewright.Explanation
import dev.gatewright.Explanation.Decision
import dev.gatewright.Supposition
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.DurationUnit

fun explain(
    client: Client,
    request: JsonObject,
): JsonObject = json("ok" to true, "explained" to shown(client.explain(supposed(request))))

private val OF_AN_OUTCOME = setOf("status", "failure", "headers", "body")

private fun supposed(request: JsonObject): Supposition {
    val given = request.objectOrNull("supposed") ?: throw Unsupported("nothing that is supposed")
    val of = requestOf(request, given)
    val status = given["status"]
    if (status != null) {
        val headers = given["headers"]?.jsonObject.orEmpty().mapValues { it.value.jsonPrimitive.content }
        return Supposition.status(status.jsonPrimitive.int, headers, given.textOrNull("body"), of)
    }
    return Supposition.failure(Supposition.Failure.valueOf(given.text("failure").uppercase()), of)
}

private fun requestOf(
    request: JsonObject,
    given: JsonObject,
): Supposition.Request {
    var of =
        Supposition.Request(
            method = request.text("method"),
            path = request.textOrNull("path"),
            maxAttempts = request["max_attempts"]?.jsonPrimitive?.int,
            timeout = request["timeout_ms"]?.let { millis(it) ?: Duration.INFINITE },
        )
    for ((name, value) in given - OF_AN_OUTCOME) {
        of =
            when (name) {
                "idempotency_key" -> of.copy(hasIdempotencyKey = value.jsonPrimitive.boolean)
                "replayable" -> of.copy(replayable = value.jsonPrimitive.boolean)
                "attempt" -> of.copy(attempt = value.jsonPrimitive.int)
                "elapsed_ms" -> of.copy(elapsed = value.jsonPrimitive.double.milliseconds)
                else -> throw Unsupported("the supposition's $name")
            }
    }
    return of
}

private fun shown(explained: Explanation): JsonObject {
    val decision = explained.decision
    val reason = (decision as? Decision.Retry)?.reason ?: (decision as? Decision.GiveUp)?.reason
    return json(
        "decision" to nameOf(decision),
        "reason" to reason,
        "least_wait_ms" to (decision as? Decision.Retry)?.leastWait?.ms,
        "most_wait_ms" to (decision as? Decision.Retry)?.mostWait?.ms,
        "to" to (decision as? Decision.Redirect)?.to,
        "code" to explained.code,
        "repeatable" to explained.repeatable,
        "retry_after_ms" to explained.retryAfter?.ms,
        "cost" to explained.cost,
        "budget_left" to explained.budgetLeft,
        "counted" to explained.counted?.name?.lowercase(),
        "breaker" to explained.breaker?.name?.lowercase(),
        "paused_for_ms" to explained.pausedFor?.ms,
        "region" to explained.region,
        "quotas" to explained.quotas.map(::quota),
        "reasons" to explained.reasons,
        "text" to explained.toString(),
    )
}

private fun nameOf(decision: Decision): String =
    when (decision) {
        Decision.Return -> "return"
        is Decision.Retry -> "retry"
        Decision.RefreshToken -> "refresh_token"
        is Decision.Redirect -> "redirect"
        is Decision.GiveUp -> "give_up"
    }

private fun quota(quota: Explanation.Quota): JsonObject =
    json(
        "policy" to quota.policy,
        "limit" to quota.limit,
        "remaining" to quota.remaining,
        "window_ms" to quota.window?.ms,
        "resets_in_ms" to quota.resetsIn?.ms,
    )

private val Duration.ms: Double get() = toDouble(DurationUnit.MILLISECONDS)
