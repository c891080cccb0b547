import Foundation

/// A failed call: one case for each kind of failure, with what is known of it.
///
/// ```swift no-run
/// do {
///     try await client.post("/payments", json: payment)
/// } catch GatewrightError.rateLimited(let failure) {
///     show("Try again in \(failure.retryAfter ?? .seconds(60))")
/// } catch let error as GatewrightError {
///     log.error("\(error)")        // what happened, to which request, after which attempts, what to do next; no secrets
/// }
/// ```
///
/// What a ``Failure`` knows can be asked of the error too: `error.status`, `error.requestID`. A task that was cancelled throws
/// `CancellationError` instead. Later versions may add cases: let a `switch` have a `default`.
@dynamicMemberLookup
public enum GatewrightError: Error, Sendable {
    /// 401: the server does not accept the credential.
    case authentication(Failure)
    /// 400, and any other 4xx without a case of its own.
    case badRequest(Failure)
    /// The circuit breaker of the host is open: too many calls failed of late. Nothing was sent.
    case circuitOpen(Failure)
    /// The client or the stream was closed.
    case closed(Failure)
    /// 409.
    case conflict(Failure)
    /// No connection could be made. Nothing was sent.
    case connect(Failure)
    /// The connection broke before the answer was complete.
    case connectionLost(Failure)
    /// A redirect or URL leads to another origin, where credentials do not go.
    case crossOrigin(Failure)
    /// The body could not be decoded; see ``Failure/cause``.
    case decode(Failure)
    /// A hook of yours failed; see ``Failure/cause``.
    case hook(Failure)
    /// Plain http to another machine.
    case insecureURL(Failure)
    /// A setting of the client is wrong.
    case invalidConfig(Failure)
    /// The request cannot be sent as it is. Nothing was sent.
    case invalidRequest(Failure)
    /// The cache alone was asked (only-if-cached), and has no answer. Nothing was sent.
    case notCached(Failure)
    /// 404 or 410.
    case notFound(Failure)
    /// It may or may not have taken effect, and repeating it could double that.
    case outcomeUnknown(Failure)
    /// 403.
    case permissionDenied(Failure)
    /// 412 or 428.
    case preconditionFailed(Failure)
    /// What came is no valid HTTP.
    case `protocol`(Failure)
    /// 429, or held back so long that the deadline would have passed.
    case rateLimited(Failure)
    /// Too many redirects, or one that leads nowhere.
    case redirect(Failure)
    /// The body is larger than allowed.
    case responseTooLarge(Failure)
    /// 5xx.
    case server(Failure)
    /// A deadline passed.
    case timeout(Failure)
    /// The TLS handshake failed. Nothing was sent.
    case tls(Failure)
    /// The token callback failed; see ``Failure/cause``.
    case token(Failure)
    /// 422.
    case unprocessable(Failure)
    /// A kind that this version does not know; see ``Failure/code``.
    case unknown(Failure)

    /// What is known of the failure.
    public var failure: Failure {
        switch self {
        case .authentication(let failure), .badRequest(let failure), .circuitOpen(let failure), .closed(let failure),
            .conflict(let failure), .connect(let failure), .connectionLost(let failure), .crossOrigin(let failure),
            .decode(let failure), .hook(let failure), .insecureURL(let failure), .invalidConfig(let failure),
            .invalidRequest(let failure), .notCached(let failure), .notFound(let failure), .outcomeUnknown(let failure),
            .permissionDenied(let failure), .preconditionFailed(let failure), .protocol(let failure), .rateLimited(let failure),
            .redirect(let failure), .responseTooLarge(let failure), .server(let failure), .timeout(let failure), .tls(let failure),
            .token(let failure), .unprocessable(let failure), .unknown(let failure):
            failure
        }
    }

    /// What is known of the failure, member by member.
    public subscript<Value>(dynamicMember member: KeyPath<Failure, Value>) -> Value {
        failure[keyPath: member]
    }

    /// The error of a failure, by its code. The one table of all kinds; a test walks all codes.
    init(_ failure: Failure) {
        self =
            switch failure.code {
            case "authentication": .authentication(failure)
            case "bad_request": .badRequest(failure)
            case "circuit_open": .circuitOpen(failure)
            case "closed": .closed(failure)
            case "conflict": .conflict(failure)
            case "connect": .connect(failure)
            case "connection_lost": .connectionLost(failure)
            case "cross_origin": .crossOrigin(failure)
            case "decode": .decode(failure)
            case "hook": .hook(failure)
            case "insecure_url": .insecureURL(failure)
            case "invalid_config": .invalidConfig(failure)
            case "invalid_request": .invalidRequest(failure)
            case "not_cached": .notCached(failure)
            case "not_found": .notFound(failure)
            case "outcome_unknown": .outcomeUnknown(failure)
            case "permission_denied": .permissionDenied(failure)
            case "precondition_failed": .preconditionFailed(failure)
            case "protocol": .protocol(failure)
            case "rate_limited": .rateLimited(failure)
            case "redirect": .redirect(failure)
            case "response_too_large": .responseTooLarge(failure)
            case "server": .server(failure)
            case "timeout": .timeout(failure)
            case "tls": .tls(failure)
            case "token": .token(failure)
            case "unprocessable": .unprocessable(failure)
            default: .unknown(failure)
            }
    }
}

extension GatewrightError: LocalizedError {
    /// What happened, to which request, after which attempts, and what to do next.
    public var errorDescription: String? { failure.message }

    /// What happened.
    public var failureReason: String? { failure.what }

    /// What to do next.
    public var recoverySuggestion: String? { failure.advice }
}

extension GatewrightError: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What happened, to which request, after which attempts, and what to do next; the timeline, if there was more than one attempt.
    public var description: String { failure.description }

    /// The description, and the cause.
    public var debugDescription: String { failure.debugDescription }

    /// The failure's members.
    public var customMirror: Mirror { failure.customMirror }
}

extension GatewrightError {
    /// The codes of all kinds of failure that the core knows, such as `rate_limited`.
    public static var codes: [String] { Native.errorCodes() }

    /// A request that cannot be sent as it is.
    static func invalidRequestHere(_ what: String, cause: (any Error)? = nil) -> GatewrightError {
        .invalidRequest(Failure(code: "invalid_request", what: what, advice: "change the request; nothing was sent", cause: cause))
    }

    /// What was closed by this side.
    static func closedHere(_ what: String, advice: String) -> GatewrightError {
        .closed(Failure(code: "closed", what: what, advice: advice, cause: nil))
    }
}
