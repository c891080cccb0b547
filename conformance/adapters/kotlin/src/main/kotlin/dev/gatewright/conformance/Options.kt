package dev.gatewright.conformance

// A scenario's client options as the configuration of a `Client`.

import dev.gatewright.Auth
import dev.gatewright.Breaker
import dev.gatewright.Cache
import dev.gatewright.ClientConfig
import dev.gatewright.Hedge
import dev.gatewright.Proxy
import dev.gatewright.Token
import kotlinx.coroutines.delay
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.double
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** How often a client called back. */
class Counts {
    val tokens = AtomicInteger()
    val before = AtomicInteger()
    val after = AtomicInteger()

    fun shown(): JsonObject =
        json(
            "ok" to true,
            "tokens_fetched" to tokens.get(),
            "hooks_called" to mapOf("before" to before.get(), "after" to after.get()),
        )
}

/** Milliseconds, or `null` for none. */
fun millis(value: JsonElement): Duration? = if (value is JsonNull) null else value.jsonPrimitive.double.milliseconds

fun ClientConfig.take(
    options: JsonObject,
    counts: Counts,
) {
    // The gateway is on loopback; a proxy of this machine has no part in it.
    proxy = Proxy.None
    for ((name, value) in options - "base_url") {
        when (name) {
            "headers" -> value.jsonObject.forEach { (header, text) -> header(header, text.jsonPrimitive.content) }
            "auth" -> auth = auth(value.jsonObject, counts)
            "credentials" -> value.jsonObject.forEach { (named, of) -> credential(named, credential(of.jsonObject)) }
            "cache" -> cache = cache(value)
            "hedge" -> hedge = hedge(value)
            "hooks" -> hooks(value.jsonObject, counts)
            "timeout_ms" -> timeout = millis(value)
            "attempt_timeout_ms" -> attemptTimeout = millis(value)
            "connect_timeout_ms" -> connectTimeout = millis(value)
            "read_timeout_ms" -> readTimeout = millis(value)
            "max_attempts" -> retry = retry.copy(maxAttempts = value.jsonPrimitive.int)
            "backoff_base_ms" -> retry = retry.copy(backoffBase = value.jsonPrimitive.double.milliseconds)
            "backoff_cap_ms" -> retry = retry.copy(backoffCap = value.jsonPrimitive.double.milliseconds)
            "max_retry_after_ms" -> retry = retry.copy(maxRetryAfter = value.jsonPrimitive.double.milliseconds)
            "budget" -> retry = retry.copy(budget = value.jsonPrimitive.int)
            "pacing" -> pacing = value.jsonPrimitive.boolean
            "min_throughput" -> minThroughput = minThroughput(value)
            "breaker" -> breaker = breaker(value)
            "max_concurrency" -> maxConcurrency = value.jsonPrimitive.int
            "regions" -> regions = value.jsonArray.map { it.jsonPrimitive.content }
            "quota" -> quota = value.jsonPrimitive.content
            "idempotency_keys" -> idempotencyKeys = value.jsonPrimitive.boolean
            "idempotency_header" -> idempotencyHeader = value.jsonPrimitive.content
            "idempotency_quoted" -> idempotencyQuoted = value.jsonPrimitive.boolean
            "max_redirects" -> maxRedirects = value.jsonPrimitive.int
            "allowed_origins" -> allowedOrigins = value.jsonArray.map { it.jsonPrimitive.content }
            "allow_http" -> allowHttp = value.jsonPrimitive.boolean
            "max_response_bytes" -> maxResponseBytes = value.jsonPrimitive.long
            "raise_for_status" -> throwOnError = value.jsonPrimitive.boolean
            else -> throw Unsupported("the option $name")
        }
    }
}

private fun breaker(given: JsonElement): Breaker? {
    var breaker = Breaker()
    // It is an object, or `false` for none.
    for ((name, value) in given as? JsonObject ?: return null) {
        breaker =
            when (name) {
                "failure_rate" -> breaker.copy(failureRate = value.jsonPrimitive.double)
                "minimum_calls" -> breaker.copy(minimumCalls = value.jsonPrimitive.int)
                "window_ms" -> breaker.copy(window = value.jsonPrimitive.double.milliseconds)
                "open_ms" -> breaker.copy(open = value.jsonPrimitive.double.milliseconds)
                else -> throw Unsupported("the breaker's $name")
            }
    }
    return breaker
}

/** `true`, `false` or an object. */
private fun cache(given: JsonElement): Cache? {
    var cache = Cache()
    val members = given as? JsonObject ?: return cache.takeIf { given.jsonPrimitive.boolean }
    for ((name, value) in members) {
        cache =
            when (name) {
                "max_bytes" -> cache.copy(maxBytes = value.jsonPrimitive.long)
                "max_entry_bytes" -> cache.copy(maxEntryBytes = value.jsonPrimitive.long)
                "stale_if_error_ms" -> cache.copy(staleIfError = value.jsonPrimitive.double.milliseconds)
                "heuristic_freshness_ms" -> cache.copy(heuristicFreshness = value.jsonPrimitive.double.milliseconds)
                else -> throw Unsupported("the cache's $name")
            }
    }
    return cache
}

/** `null`, `"p95"` or `{"after_ms": 100}`. */
fun hedge(given: JsonElement): Hedge =
    when (given) {
        is JsonNull -> Hedge.Never
        is JsonObject -> Hedge.After(millis(given.getValue("after_ms")) ?: throw Unsupported("a hedge without a time"))
        else -> if (given.jsonPrimitive.content == "p95") Hedge.P95 else throw Unsupported("that hedge")
    }

private fun auth(
    given: JsonObject,
    counts: Counts,
): Auth = if (given.text("kind") == "token") tokens(given.getValue("fetches").jsonArray, counts) else credential(given)

private fun tokens(
    fetches: JsonArray,
    counts: Counts,
): Auth =
    Auth.token {
        // The last one goes on for ever.
        val fetch = fetches[minOf(counts.tokens.getAndIncrement(), fetches.size - 1)].jsonObject
        fetch["after_ms"]?.let { delay(it.jsonPrimitive.long) }
        fetch.textOrNull("error")?.let { error(it) }
        Token(fetch.text("token"), expiresIn = fetch["expires_in_ms"]?.let(::millis))
    }

private fun ClientConfig.hooks(
    script: JsonObject,
    counts: Counts,
) {
    beforeAttempt { attempt ->
        counts.before.incrementAndGet()
        script.textOrNull("number_header")?.let { attempt.headers[it] = attempt.number.toString() }
        script.textOrNull("before_error")?.let { error(it) }
    }
    afterAttempt {
        counts.after.incrementAndGet()
        script.textOrNull("after_error")?.let { error(it) }
    }
}
