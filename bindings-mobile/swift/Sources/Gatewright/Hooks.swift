/// An attempt that is about to be sent. Credentials are put on afterwards.
public struct AttemptRequest: Sendable {
    /// 1 for the first.
    public let number: Int
    /// The request's method.
    public let method: String
    /// The URL, without secrets.
    public let url: String
    /// May be changed. An `authorization` set here wins over the client's credential.
    public var headers: Headers
}

/// An attempt that is over.
public struct AttemptResult: Sendable {
    /// 1 for the first.
    public let number: Int
    /// The request's method.
    public let method: String
    /// The URL, without secrets.
    public let url: String
    /// The answer's status, where there was one.
    public let status: Int?
    /// The answer's headers, where there was one.
    public let headers: Headers?
    /// What went wrong, where there was no complete answer.
    public let error: String?
    /// From sending to here.
    public let took: Duration
}

/// Called before an attempt is sent; may change its headers. What it throws ends the call with ``GatewrightError/hook(_:)``.
public typealias BeforeAttempt = @Sendable (inout AttemptRequest) async throws -> Void

/// Called after an attempt. What it throws ends the call with ``GatewrightError/hook(_:)``.
public typealias AfterAttempt = @Sendable (AttemptResult) async throws -> Void
