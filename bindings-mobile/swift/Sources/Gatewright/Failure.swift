import Foundation

/// What is known of a failed call. No member has a secret; ``headers``, ``body`` and ``problem`` are what the server sent.
public struct Failure: Sendable {
    /// Whether a repetition may help.
    public enum Retryability: String, Sendable, Hashable {
        /// The same request fails again.
        case permanent
        /// It may pass; it was not retried here.
        case temporary
        /// It was retried, and it stayed.
        case exhausted
    }

    private let facts: Facts

    /// The kind's stable code, such as `rate_limited`.
    public var code: String { facts.code }
    /// What happened, to which request, after which attempts, and what to do next.
    public var message: String { facts.message }
    /// What happened.
    public var what: String { facts.what }
    /// The answer's status, where there was one.
    public var status: Int? { facts.status }
    /// The request's method.
    public var method: String? { facts.method }
    /// The request's URL, without secrets.
    public var url: String? { facts.url }
    /// The server's id of the request.
    public var requestID: String? { facts.requestID }
    /// How long to wait before the next call.
    public var retryAfter: Duration? { facts.retryAfter }
    /// Whether a repetition may help.
    public var retryability: Retryability { facts.retryability }
    /// Why there was no other attempt.
    public var noRetry: String? { facts.noRetry }
    /// What to do next.
    public var advice: String { facts.advice }
    /// From the start of the call to its end.
    public var elapsed: Duration { facts.elapsed }
    /// The answer's headers, where there was one.
    public var headers: Headers? { facts.headers }
    /// The answer's body, at most 256 KiB of it.
    public var body: Data { facts.body }
    /// The answer's problem details (RFC 9457), or whatever JSON object its body is.
    public var problem: JSONValue? { facts.problem }
    /// What was done, attempt by attempt.
    public var attempts: [Attempt] { facts.attempts }
    /// Where the upload that failed can be gone on with; `nil` where it was none.
    public var upload: UploadPosition? { facts.upload }
    /// What was thrown by a hook, a token callback, a body's stream, an encoder or a decoder.
    public var cause: (any Error)? { facts.cause }
    /// The attempts as a picture in text, a line each: dots are waits, blocks are requests.
    public var timeline: String { facts.attempts.isEmpty ? "" : Native.timeline(facts.attemptsJSON) }

    /// In a box, so that an error is small where it passes through.
    private final class Facts: Sendable {
        let code: String
        let message: String
        let what: String
        let status: Int?
        let method: String?
        let url: String?
        let requestID: String?
        let retryAfter: Duration?
        let retryability: Retryability
        let noRetry: String?
        let advice: String
        let elapsed: Duration
        let headers: Headers?
        let body: Data
        let problem: JSONValue?
        let attempts: [Attempt]
        let attemptsJSON: String
        let upload: UploadPosition?
        let cause: (any Error)?

        init(_ json: JSONValue, attemptsJSON: String, cause: (any Error)?) {
            code = json["code"]?.string ?? "error"
            message = json["message"]?.string ?? "the call failed"
            what = json["what"]?.string ?? ""
            status = json["status"]?.int
            method = json["method"]?.string
            url = json["url"]?.string
            requestID = json["requestId"]?.string
            retryAfter = json["retryAfterMs"]?.duration
            retryability = json["retryability"]?.string.flatMap(Retryability.init) ?? .permanent
            noRetry = json["noRetry"]?.string
            advice = json["advice"]?.string ?? ""
            elapsed = json["elapsedMs"]?.duration ?? .zero
            headers = json["headers"]?.array.map(Headers.init(json:))
            body = json["body"]?.string.flatMap { Data(base64Encoded: $0) } ?? Data()
            problem = json["problem"].flatMap { $0 == .null ? Optional.none : $0 }
            attempts = json["attempts"]?.array?.map(Attempt.init(json:)) ?? []
            self.attemptsJSON = attemptsJSON
            upload = json["upload"]?.object.map { UploadPosition(json: .object($0)) }
            self.cause = cause
        }
    }

    /// A failure as the core tells it.
    init(json: [UInt8], cause: (Int) -> (any Error)?) {
        let value = JSONReader.read(json)
        let thrown = value["cause"]?.int.flatMap(cause)
        facts = Facts(value, attemptsJSON: JSONReader.raw("attempts", of: json), cause: thrown)
    }

    /// A failure as the core tells it, of what was thrown here.
    init(json: [UInt8], thrown: any Error) {
        facts = Facts(JSONReader.read(json), attemptsJSON: JSONReader.raw("attempts", of: json), cause: thrown)
    }

    /// A failure that the Swift side finds by itself, before anything is sent.
    init(code: String, what: String, advice: String, cause: (any Error)?) {
        let json: JSONValue = [
            "code": .string(code), "message": .string("\(code): \(what); \(advice)"), "what": .string(what), "advice": .string(advice),
        ]
        facts = Facts(json, attemptsJSON: "[]", cause: cause)
    }
}

extension Failure: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The message; the timeline under it, if there was more than one attempt.
    public var description: String {
        guard attempts.count > 1 else { return message }
        return "\(message)\n\(timeline.indented)"
    }

    /// The description, and the cause.
    public var debugDescription: String {
        guard let cause else { return description }
        return "\(description)\n  cause: \(withoutValues ?? String(reflecting: cause))"
    }

    /// What a coder of Foundation's says. The values that it shows with it may be secrets, and stay in ``cause`` alone.
    private var withoutValues: String? {
        switch cause {
        case let error as DecodingError: "DecodingError: \(DecodingFailure.text(error))"
        case let error as EncodingError: "EncodingError: \(EncodingFailure.text(error))"
        default: nil
        }
    }

    /// What is known, without headers and body.
    public var customMirror: Mirror {
        let members: [(label: String?, value: Any?)] = [
            ("code", code), ("message", message), ("status", status), ("method", method), ("url", url), ("requestID", requestID),
            ("retryAfter", retryAfter), ("retryability", retryability), ("noRetry", noRetry), ("advice", advice), ("elapsed", elapsed),
            ("problem", problem), ("attempts", attempts.isEmpty ? nil : attempts), ("cause", withoutValues ?? cause),
        ]
        return Mirror(self, children: members.compactMap { member in member.value.map { (label: member.label, value: $0) } })
    }
}
