/// When a host that fails is left alone, and for how long. Calls meanwhile throw ``GatewrightError/circuitOpen(_:)`` at once.
public struct Breaker: Sendable, Hashable {
    /// The share of failures at which it opens, above 0 and at most 1. Default 0.5.
    public var failureRate: Double
    /// Attempts within the window before their share counts. Default 20.
    public var minimumCalls: Int
    /// How long an attempt is remembered. Default 30 s.
    public var window: Duration
    /// How long it stays open before each probe, within 10 %. `nil`: 1 s at first, twice as long after each probe that fails, at
    /// most 10 s. Default `nil`.
    public var open: Duration?

    /// Rules of a breaker; what is left out has its default.
    public init(
        failureRate: Double = 0.5,
        minimumCalls: Int = 20,
        window: Duration = .seconds(30),
        open: Duration? = nil
    ) {
        self.failureRate = failureRate
        self.minimumCalls = minimumCalls
        self.window = window
        self.open = open
    }

    var json: String {
        var json = JSONWriter()
        json.member("failureRate", failureRate)
        json.member("minimumCalls", minimumCalls)
        json.member("windowMs", window)
        if let open {
            json.member("openMs", open)
        }
        return json.object ?? "{}"
    }
}
