/// Budget and limits of the base URL's host at one moment.
public struct ClientState: Sendable, Hashable {
    /// What is known of the limits of one credential.
    public struct Limits: Sendable, Hashable {
        /// Calls sent and not yet answered.
        public let inFlight: Int
        /// Calls that wait.
        public let queued: Int
        /// Time until the pause that the server asked for is over.
        public let pausedFor: Duration?
        /// The quotas that calls must pass.
        public let quotas: [Quota]
    }

    /// What is known of one quota.
    public struct Quota: Sendable, Hashable {
        /// The server's name for it; `local` for your own.
        public let policy: String
        /// Calls in a window.
        public let limit: Int
        /// Calls that may go now.
        public let remaining: Int
        /// The window's length, where it is told.
        public let window: Duration?
        /// Time until the next call may go.
        public let nextIn: Duration
        /// Time until the reset, where it is reset as a whole.
        public let resetsIn: Duration?
        /// Whether others were seen to take from it.
        public let isShared: Bool
    }

    /// Tokens left in the retry budget.
    public let budgetLeft: Int
    /// What the retry budget holds when full.
    public let budgetCapacity: Int
    /// The limits, one entry for each credential that was used.
    public let limits: [Limits]
}
