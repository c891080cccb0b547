import Foundation

/// An answer, read whole: a body that breaks off was retried.
public struct Response: Sendable {
    /// The status, such as 200.
    public let status: Int
    /// The body.
    public let data: Data
    let meta: Meta
    let decoder: JSONDecoder

    /// Whether the status is 2xx.
    public var isOK: Bool { (200..<300).contains(status) }

    /// The answer's headers.
    public var headers: Headers { meta.facts.headers }

    /// The URL that answered, without the credential.
    public var url: String { meta.facts.url }

    /// The request's method.
    public var method: String { meta.facts.method }

    /// The server's id of the request.
    public var requestID: String? { meta.facts.requestID }

    /// What was done, attempt by attempt.
    public var attempts: [Attempt] { meta.facts.attempts }

    /// From the start of the call to its answer.
    public var elapsed: Duration { meta.facts.elapsed }

    /// What part the client's cache had in it; `nil` where it had none.
    public var cacheStatus: CacheStatus? { meta.facts.cacheStatus }

    /// Whether it is from the client's cache: stored, revalidated or stale.
    public var isFromCache: Bool { cacheStatus.map { $0 != .miss } ?? false }

    /// The attempts as a picture in text, a line each: dots are waits, blocks are requests.
    public var timeline: String { meta.timeline }

    /// The body as text: UTF-8, wrong bytes become U+FFFD, a byte order mark is dropped.
    public var text: String { data.text }

    /// Decodes the body from JSON, by the client's ``Configuration/decoder``.
    ///
    /// ```swift no-run
    /// let contact = try await client.get("/contacts/1").decode(Contact.self)
    /// ```
    ///
    /// - Throws: ``GatewrightError/decode(_:)`` with the `DecodingError` as its ``Failure/cause``.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        do {
            return try decoder.decode(type, from: data)
        } catch {
            throw meta.undecodable(error)
        }
    }
}

extension Response: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Status, method, id and time. The URL is left out: what a program put into its query is not for every log.
    public var description: String {
        "Response(\(status) \(method), \(data.count) bytes, \(elapsed))"
    }

    /// The same as the description.
    public var debugDescription: String { description }

    /// Status, method, id and time, without URL, headers and body.
    public var customMirror: Mirror {
        Mirror(self, children: ["status": status, "method": method, "requestID": requestID as Any, "elapsed": elapsed])
    }
}
