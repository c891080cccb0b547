package dev.gatewright

import dev.gatewright.internal.Failure

/** 401: the server does not accept the credential. */
public class AuthenticationException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** 400, and any other 4xx without a class of its own. */
public class BadRequestException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** The circuit breaker of the host is open: too many calls failed of late. Nothing was sent. */
public class CircuitOpenException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** The client or the stream was closed. */
public class ClosedException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** 409. */
public class ConflictException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** No connection could be made. Nothing was sent. */
public class ConnectException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** The connection broke before the answer was complete. */
public class ConnectionLostException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** A redirect or URL leads to another origin, where credentials do not go. */
public class CrossOriginException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** The body could not be decoded. */
public class DecodeException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** A hook of yours failed; see `cause`. */
public class HookException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** Plain http to another machine. */
public class InsecureUrlException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** A setting of the client is wrong. */
public class InvalidConfigException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** The request cannot be sent as it is. Nothing was sent. */
public class InvalidRequestException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** The cache alone was asked (only-if-cached), and has no answer. Nothing was sent. */
public class NotCachedException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** 404 or 410. */
public class NotFoundException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** It may or may not have taken effect, and repeating it could double that. */
public class OutcomeUnknownException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** 403. */
public class PermissionDeniedException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** 412 or 428. */
public class PreconditionFailedException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** What came is no valid HTTP. */
public class ProtocolException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** 429, or held back so long that the deadline would have passed. */
public class RateLimitedException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** Too many redirects, or one that leads nowhere. */
public class RedirectException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** The body is larger than allowed. */
public class ResponseTooLargeException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** 5xx. */
public class ServerException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** A deadline passed. */
public class TimeoutException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** The TLS handshake failed, or no certificate has one of the pins. Nothing was sent. */
public class TlsException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** The token callback failed; see `cause`. */
public class TokenException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** 422. */
public class UnprocessableException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)

/** A kind of error that this version has no class for: its native library is of a later one. See [code]. */
public class UnrecognizedException internal constructor(
    failure: Failure,
    cause: Throwable?,
) : GatewrightException(failure, cause)
