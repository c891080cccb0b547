import Foundation

/// A call that is over, for traces and metrics of one's own; see ``Configuration/observer``. It has no secrets: URLs are redacted, headers and
/// bodies are not there.
public struct ObservedCall: Sendable {
    /// The request's method.
    public let method: String
    /// Where it went first, redacted.
    public let url: String
    /// The path with names in place of its variable parts, where the call gave it (``RequestOptions/urlTemplate``): a label of few values.
    public let urlTemplate: String?
    /// `https` or `http`.
    public let scheme: String
    /// The host: a name or an address.
    public let host: String
    /// The port, the scheme's own where none is written.
    public let port: Int?
    /// The trace that the caller gave.
    public let traceparent: String?
    /// The answer's status, where there was one.
    public let status: Int?
    /// The code of its error, such as `rate_limited`; `cancelled` where the caller went away; `nil` where it succeeded.
    public let error: String?
    /// When it was over.
    public let endedAt: Date
    /// From its start to its end; of a streamed answer, to its head.
    public let took: Duration
    /// Its attempts, in the order in which they ended.
    public let attempts: [ObservedAttempt]
}

/// An attempt of a call that is over.
public struct ObservedAttempt: Sendable {
    /// 1 for the first.
    public let number: Int
    /// The request's method.
    public let method: String
    /// Where it went, redacted.
    public let url: String
    /// `https` or `http`.
    public let scheme: String
    /// The host: a name or an address.
    public let host: String
    /// The port, the scheme's own where none is written.
    public let port: Int?
    /// The answer's status, where there was one.
    public let status: Int?
    /// What went wrong, in one of few words: a status of 400 and more as digits, `timeout`, `connection_lost`, `cancelled`.
    public let error: String?
    /// From the start of the call to its sending; `nil` where the caller went away.
    public let started: Duration?
    /// From sending to the answer's head, or to its failure.
    public let took: Duration
}

/// Is told of each call that is over, in a task of its own: calls that end at once are told of at once.
public typealias CallObserver = @Sendable (ObservedCall) -> Void

extension ObservedCall {
    init(json: JSONValue) {
        method = json["method"]?.string ?? ""
        url = json["url"]?.string ?? ""
        urlTemplate = json["template"]?.string
        scheme = json["scheme"]?.string ?? ""
        host = json["host"]?.string ?? ""
        port = json["port"]?.int
        traceparent = json["traceparent"]?.string
        status = json["status"]?.int
        error = json["error"]?.string
        endedAt = Date()
        took = json["tookMs"]?.duration ?? .zero
        attempts = json["attempts"]?.array?.map(ObservedAttempt.init(json:)) ?? []
    }
}

extension ObservedAttempt {
    init(json: JSONValue) {
        number = json["number"]?.int ?? 0
        method = json["method"]?.string ?? ""
        url = json["url"]?.string ?? ""
        scheme = json["scheme"]?.string ?? ""
        host = json["host"]?.string ?? ""
        port = json["port"]?.int
        status = json["status"]?.int
        error = json["error"]?.string
        started = json["startedMs"]?.duration
        took = json["tookMs"]?.duration ?? .zero
    }
}
