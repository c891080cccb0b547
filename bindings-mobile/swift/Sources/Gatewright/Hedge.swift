/// When a second copy of a slow GET, HEAD or OPTIONS is sent. The first success is taken, the other is cancelled.
public enum Hedge: Sendable, Hashable {
    /// Where there is no answer after this long.
    case after(Duration)
    /// Where an answer takes longer than 95 of 100 took of late.
    case p95
    /// Never, for a request of a client that has hedging.
    case never

    var json: String {
        switch self {
        case .never:
            return "false"
        case .p95:
            return "\"p95\""
        case .after(let delay):
            var json = JSONWriter()
            json.member("afterMs", delay)
            return json.object ?? "{}"
        }
    }
}
