/// Budget, limits, breaker, slots, regions and cache of a client at one moment. But for ``regions`` and ``cache``, it is of the host to which the
/// next call goes.
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

    /// A host's circuit breaker.
    public struct BreakerState: Sendable, Hashable {
        /// What it does.
        public enum Phase: String, Sendable, Hashable {
            /// Calls go through.
            case closed
            /// One call goes through, as a probe.
            case halfOpen = "half_open"
            /// Calls fail at once.
            case open
        }

        /// What it does now.
        public let phase: Phase
        /// Failures within the window.
        public let failures: Int
        /// Attempts within the window.
        public let calls: Int
        /// While nothing is sent: when to come again.
        public let retryAfter: Duration?
        /// What failed last.
        public let lastFailure: String?
    }

    /// A host's limit of attempts at once.
    public struct ConcurrencyState: Sendable, Hashable {
        /// Attempts that may be under way.
        public let limit: Int
        /// Attempts that are.
        public let inFlight: Int
        /// Attempts that wait for their turn.
        public let queued: Int
    }

    /// What a cache holds, and how it answered calls since its client was made.
    public struct CacheState: Sendable, Hashable {
        /// Answers that are stored.
        public let entries: Int
        /// What they take, in bytes.
        public let bytes: Int
        /// What they may take, in bytes.
        public let maxBytes: Int
        /// Calls that were answered without the server.
        public let hits: Int
        /// Calls that were answered from the cache after a 304.
        public let revalidated: Int
        /// Calls that were answered from the cache though it was stale.
        public let stale: Int
        /// Calls that the server answered.
        public let misses: Int
        /// Answers that had to go to make room.
        public let evicted: Int
    }

    /// What is known of one region.
    public struct Region: Sendable, Hashable {
        /// Host and port.
        public let name: String
        /// Whether calls go there, where no nearer one does as well.
        public let isHealthy: Bool
        /// Tokens left in its retry budget.
        public let budgetLeft: Int
        /// What its retry budget holds when full.
        public let budgetCapacity: Int
        /// Its limits, one entry for each credential that was used.
        public let limits: [Limits]
        /// Its circuit breaker; `nil` where it is off.
        public let breaker: BreakerState?
        /// Its attempts under way at once; `nil` where there is no limit.
        public let concurrency: ConcurrencyState?
    }

    /// Tokens left in the retry budget.
    public let budgetLeft: Int
    /// What the retry budget holds when full.
    public let budgetCapacity: Int
    /// The limits, one entry for each credential that was used.
    public let limits: [Limits]
    /// The circuit breaker; `nil` where it is off.
    public let breaker: BreakerState?
    /// The attempts under way at once; `nil` where there is no limit.
    public let concurrency: ConcurrencyState?
    /// The regions, nearest first; empty where the client has one base URL.
    public let regions: [Region]
    /// What the cache holds and did; `nil` where there is none.
    public let cache: CacheState?
}
