package dev.gatewright.internal

// Which class an error has, by its code.

import dev.gatewright.AuthenticationException
import dev.gatewright.BadRequestException
import dev.gatewright.CircuitOpenException
import dev.gatewright.ClosedException
import dev.gatewright.ConflictException
import dev.gatewright.ConnectException
import dev.gatewright.ConnectionLostException
import dev.gatewright.CrossOriginException
import dev.gatewright.DecodeException
import dev.gatewright.GatewrightException
import dev.gatewright.HookException
import dev.gatewright.InsecureUrlException
import dev.gatewright.InvalidConfigException
import dev.gatewright.InvalidRequestException
import dev.gatewright.NotCachedException
import dev.gatewright.NotFoundException
import dev.gatewright.OutcomeUnknownException
import dev.gatewright.PermissionDeniedException
import dev.gatewright.PreconditionFailedException
import dev.gatewright.ProtocolException
import dev.gatewright.RateLimitedException
import dev.gatewright.RedirectException
import dev.gatewright.ResponseTooLargeException
import dev.gatewright.ServerException
import dev.gatewright.TimeoutException
import dev.gatewright.TlsException
import dev.gatewright.TokenException
import dev.gatewright.UnprocessableException
import dev.gatewright.UnrecognizedException

/** The exception of a failure. */
internal fun exceptionOf(
    failure: Failure,
    cause: Throwable?,
): GatewrightException = classOf(failure, cause).also(::beginOutside)

private fun classOf(
    failure: Failure,
    cause: Throwable?,
): GatewrightException =
    when (failure.code) {
        "authentication" -> AuthenticationException(failure, cause)
        "bad_request" -> BadRequestException(failure, cause)
        "circuit_open" -> CircuitOpenException(failure, cause)
        "closed" -> ClosedException(failure, cause)
        "conflict" -> ConflictException(failure, cause)
        "connect" -> ConnectException(failure, cause)
        "connection_lost" -> ConnectionLostException(failure, cause)
        "cross_origin" -> CrossOriginException(failure, cause)
        "decode" -> DecodeException(failure, cause)
        "hook" -> HookException(failure, cause)
        "insecure_url" -> InsecureUrlException(failure, cause)
        "invalid_config" -> InvalidConfigException(failure, cause)
        "invalid_request" -> InvalidRequestException(failure, cause)
        "not_cached" -> NotCachedException(failure, cause)
        "not_found" -> NotFoundException(failure, cause)
        "outcome_unknown" -> OutcomeUnknownException(failure, cause)
        "permission_denied" -> PermissionDeniedException(failure, cause)
        "precondition_failed" -> PreconditionFailedException(failure, cause)
        "protocol" -> ProtocolException(failure, cause)
        "rate_limited" -> RateLimitedException(failure, cause)
        "redirect" -> RedirectException(failure, cause)
        "response_too_large" -> ResponseTooLargeException(failure, cause)
        "server" -> ServerException(failure, cause)
        "timeout" -> TimeoutException(failure, cause)
        "tls" -> TlsException(failure, cause)
        "token" -> TokenException(failure, cause)
        "unprocessable" -> UnprocessableException(failure, cause)
        else -> UnrecognizedException(failure, cause)
    }
