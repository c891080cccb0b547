/// What a client would do with a ``Supposition``, and why; see ``Client/explain(_:)``. Its description is all of it in words.
public struct Explanation: Sendable, Hashable {
    /// What would be decided.
    public enum Decision: Sendable, Hashable {
        /// The answer goes to the caller.
        case `return`
        /// Another attempt, for this reason, after a wait within these bounds: jitter decides.
        case retry(reason: String, wait: ClosedRange<Duration>)
        /// A new token first, then another attempt.
        case refreshToken
        /// A redirect is followed, to this URL.
        case redirect(to: String)
        /// An error is thrown; the reason says why there is no other attempt.
        case giveUp(reason: String)
    }

    /// How the host's breaker would count it.
    public enum Count: String, Sendable, Hashable {
        /// As a failure.
        case failure
        /// Not at all.
        case neither
        /// As a success.
        case success
    }

    /// A quota as it is read from the answer.
    public struct Quota: Sendable, Hashable {
        /// The server's name for it.
        public let policy: String
        /// Calls in a window, where it is told.
        public let limit: Int?
        /// Calls that may still go, where it is told.
        public let remaining: Int?
        /// The window's length, where it is told.
        public let window: Duration?
        /// Time until the reset, where it is told.
        public let resetsIn: Duration?
    }

    /// What would be decided.
    public let decision: Decision
    /// The code of the error that would be thrown, were there no other attempt; `nil` for what is no error.
    public let code: String?
    /// Whether the request is safe to repeat.
    public let isRepeatable: Bool
    /// What the server asked for.
    public let retryAfter: Duration?
    /// What the retry would cost of the budget.
    public let cost: Int?
    /// Tokens left in the retry budget now.
    public let budgetLeft: Int
    /// How the breaker would count it; `nil` where it is off.
    public let counted: Count?
    /// What the breaker would do then; `nil` where it is off.
    public let breaker: ClientState.BreakerState.Phase?
    /// How long other calls with the credential would be held back.
    public let pausedFor: Duration?
    /// The region to which the retry would go, where there are several.
    public let region: String?
    /// The quotas as they are read from the answer.
    public let quotas: [Quota]
    /// Why, a sentence each.
    public let reasons: [String]
    let text: String
}

extension Client {
    /// What would be done with an outcome of an attempt, as the client's budget, breaker and limits are now. Nothing is sent and nothing is changed.
    ///
    /// - Throws: ``GatewrightError/invalidRequest(_:)`` for what cannot be supposed.
    public func explain(_ supposed: Supposition) throws -> Explanation {
        Explanation(json: JSONReader.read(Array(try Native.explain(native, supposed.json).utf8)))
    }
}

extension Explanation: CustomStringConvertible {
    /// All of it, for people.
    public var description: String { text }
}

extension Explanation {
    init(json: JSONValue) {
        let reason = json["reason"]?.string ?? ""
        switch json["decision"]?.string {
        case "retry":
            let least = json["leastWaitMs"]?.duration ?? .zero
            decision = .retry(reason: reason, wait: least...max(least, json["mostWaitMs"]?.duration ?? least))
        case "refresh_token":
            decision = .refreshToken
        case "redirect":
            decision = .redirect(to: json["to"]?.string ?? "")
        case "give_up":
            decision = .giveUp(reason: reason)
        default:
            decision = .return
        }
        code = json["code"]?.string
        isRepeatable = json["repeatable"]?.bool ?? false
        retryAfter = json["retryAfterMs"]?.duration
        cost = json["cost"]?.int
        budgetLeft = json["budgetLeft"]?.int ?? 0
        counted = json["counted"]?.string.flatMap(Count.init)
        breaker = json["breaker"]?.string.flatMap(ClientState.BreakerState.Phase.init)
        pausedFor = json["pausedForMs"]?.duration
        region = json["region"]?.string
        quotas = json["quotas"]?.array?.map(Quota.init(json:)) ?? []
        reasons = json["reasons"]?.array?.compactMap(\.string) ?? []
        text = json["text"]?.string ?? ""
    }
}

extension Explanation.Quota {
    init(json: JSONValue) {
        policy = json["policy"]?.string ?? ""
        limit = json["limit"]?.int
        remaining = json["remaining"]?.int
        window = json["windowMs"]?.duration
        resetsIn = json["resetsInMs"]?.duration
    }
}
