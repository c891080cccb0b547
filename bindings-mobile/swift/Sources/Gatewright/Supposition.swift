/// The outcome of an attempt that did not happen, for ``Client/explain(_:)``.
///
/// ```swift no-run
/// var supposed = Supposition.status(503)
/// supposed.headers = ["retry-after": "7"]
/// print(try client.explain(supposed))
/// ```
public struct Supposition: Sendable, Hashable {
    /// How an attempt fails that gets no complete answer.
    public enum Failure: String, Sendable, Hashable, CaseIterable {
        /// No connection could be made.
        case connect
        /// Connecting took too long.
        case connectTimeout = "connect_timeout"
        /// The connection broke once the request was on its way.
        case connectionLost = "connection_lost"
        /// The server said that it has not looked at the request.
        case notProcessed = "not_processed"
        /// What came is no valid HTTP.
        case `protocol` = "protocol"
        /// Nothing came for too long.
        case readTimeout = "read_timeout"
        /// The attempt, or the whole call, took too long.
        case timeout
        /// There was no trust in the server's certificate.
        case tls
        /// The request's own body failed.
        case bodySource = "body_source"
        /// The answer's body could not be unpacked.
        case decode
        /// The host followed a redirect by itself.
        case hiddenRedirect = "hidden_redirect"
        /// A hook of yours failed.
        case hook
        /// The answer's body is larger than allowed.
        case responseTooLarge = "response_too_large"
    }

    enum Outcome: Sendable, Hashable {
        case status(Int)
        case failure(Failure)
    }

    let outcome: Outcome
    /// The answer's headers.
    public var headers: Headers = [:]
    /// The answer's body.
    public var body: String?
    /// The request's method. Default `GET`.
    public var method = "GET"
    /// The request's path. Default: the base URL's own.
    public var path: String?
    /// Whether the request has an idempotency key. Default: as the client would have it.
    public var hasIdempotencyKey: Bool?
    /// Whether its body can be sent again. Default true.
    public var isReplayable = true
    /// Which attempt it is, 1 for the first.
    public var attempt = 1
    /// Time since the start of the call.
    public var elapsed: Duration = .zero
    /// Attempts in all, in place of the client's.
    public var maxAttempts: Int?
    /// For the whole call, in place of the client's.
    public var timeout: Timeout?

    /// An answer with this status.
    public static func status(_ status: Int) -> Supposition {
        Supposition(outcome: .status(status))
    }

    /// No complete answer.
    public static func failure(_ failure: Failure) -> Supposition {
        Supposition(outcome: .failure(failure))
    }

    /// `{status | failure, headers, body, method, path, idempotencyKey, replayable, attempt, elapsedMs, maxAttempts, timeoutMs}`.
    var json: String {
        var json = JSONWriter()
        switch outcome {
        case .status(let status): json.member("status", status)
        case .failure(let failure): json.member("failure", failure.rawValue)
        }
        if !headers.isEmpty {
            json.member("headers", pairs: headers)
        }
        if let body {
            json.member("body", body)
        }
        json.member("method", method)
        if let path {
            json.member("path", path)
        }
        if let hasIdempotencyKey {
            json.member("idempotencyKey", hasIdempotencyKey)
        }
        json.member("replayable", isReplayable)
        json.member("attempt", attempt)
        json.member("elapsedMs", elapsed)
        if let maxAttempts {
            json.member("maxAttempts", maxAttempts)
        }
        if let timeout {
            json.member("timeoutMs", timeout)
        }
        return json.object ?? "{}"
    }
}
