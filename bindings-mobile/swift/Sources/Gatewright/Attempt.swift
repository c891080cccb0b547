/// One attempt of a call, as it happened. Times count from the start of the call.
public struct Attempt: Sendable, Hashable {
    /// What was decided after an attempt.
    public enum Decision: String, Sendable, Hashable {
        /// Nothing yet, or nothing that this version knows.
        case none
        /// To hand the answer over.
        case `return`
        /// To try again.
        case retry
        /// To fetch another token and try again.
        case refreshToken = "refresh_token"
        /// To follow a redirect.
        case redirect
        /// To throw.
        case giveUp = "give_up"
    }

    /// 1 for the first.
    public let number: Int
    /// When it was sent.
    public let started: Duration
    /// How long it was held back before (pacing, a new token); the wait of a retry is ``wait`` of the one before.
    public let queued: Duration
    /// Why it was held back.
    public let queuedFor: String?
    /// From sending to its end.
    public let took: Duration
    /// The answer's status, where there was one.
    public let status: Int?
    /// What went wrong, where there was no complete answer.
    public let error: String?
    /// What the server asked for.
    public let retryAfter: Duration?
    /// The server's id of the request.
    public let requestID: String?
    /// What was decided then.
    public let decision: Decision
    /// Why.
    public let reason: String?
    /// The wait before the next attempt, where one follows.
    public let wait: Duration?
    /// Tokens left in the retry budget.
    public let budgetLeft: Int
    /// The region it went to, where the client has several.
    public let region: String?
    /// Whether it was a second copy of a slow request.
    public let isHedge: Bool
}
