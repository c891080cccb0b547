/// How calls are retried.
///
/// Only what is safe to repeat is repeated: GET, HEAD, OPTIONS, PUT and DELETE, and whatever carries an idempotency key.
public struct RetryPolicy: Sendable, Hashable {
    /// Attempts in all, the first included; 1 for none but that. Default 3.
    public var maxAttempts: Int
    /// Upper bound of the first wait; it doubles with each retry. Default 500 ms.
    public var backoffBase: Duration
    /// Upper bound of every wait. Default 8 s.
    public var backoffCap: Duration
    /// The longest `Retry-After` that is waited out; more is thrown at once, with the hint. Default 60 s.
    public var maxRetryAfter: Duration
    /// Tokens of the retry budget: a retry costs 5, after a timeout 10; a success gives back. Default 500.
    public var budget: Int

    /// Rules for retries; what is left out has its default.
    public init(
        maxAttempts: Int = 3,
        backoffBase: Duration = .milliseconds(500),
        backoffCap: Duration = .seconds(8),
        maxRetryAfter: Duration = .seconds(60),
        budget: Int = 500
    ) {
        self.maxAttempts = maxAttempts
        self.backoffBase = backoffBase
        self.backoffCap = backoffCap
        self.maxRetryAfter = maxRetryAfter
        self.budget = budget
    }

    /// A single attempt.
    public static let none = RetryPolicy(maxAttempts: 1)
}
