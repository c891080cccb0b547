package com.example.contacts

import dev.gatewright.AuthenticationException
import dev.gatewright.ConnectException
import dev.gatewright.ConnectionLostException
import dev.gatewright.GatewrightException
import dev.gatewright.RateLimitedException
import dev.gatewright.Retryability
import dev.gatewright.TimeoutException
import dev.gatewright.TlsException

/** An error as a screen tells it. */
data class Problem(
    /** For the user. */
    val title: String,
    /** For the log and the developer: what happened, to which request, after which attempts. Contains no secret. */
    val details: String,
    /** For the developer: what to do next. */
    val advice: String,
    /** Whether a button "Try again" makes sense. */
    val canRetry: Boolean,
    /** What to tell the API's support. */
    val requestId: String?,
)

fun Problem(error: GatewrightException) =
    Problem(
        title =
            when (error) {
                is ConnectException, is ConnectionLostException -> "No connection"
                is TimeoutException -> "This takes too long"
                is TlsException -> "This network is not safe"
                is AuthenticationException -> "Please sign in again"
                is RateLimitedException -> error.retryAfter?.let { "Try again in ${it.inWholeSeconds + 1} s" } ?: "Try again later"
                else -> "Something went wrong"
            },
        details = error.toString(),
        advice = error.advice,
        canRetry = error.retryability != Retryability.PERMANENT,
        requestId = error.requestId,
    )
