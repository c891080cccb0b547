import Foundation

/// An answer whose body comes in as it is read, once.
///
/// Retries are over: a body that breaks off throws, what came before stays good. The deadline covers the body too; lift it for long streams
/// with `timeout: .never`. An answer that is dropped, or whose loop is left, ends its request.
///
/// ```swift no-run
/// let answer = try await client.stream("GET", "/export", options: RequestOptions(timeout: .never))
/// for try await piece in answer.body {
///     try file.write(contentsOf: piece)
/// }
/// ```
public struct StreamResponse: Sendable {
    /// The status, such as 200.
    public let status: Int
    /// The body, piece by piece. It is read once, in one loop.
    public let body: ByteStream
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

    /// From the start of the call to the answer's head.
    public var elapsed: Duration { meta.facts.elapsed }

    /// What part the client's cache had in it; `nil` where it had none.
    public var cacheStatus: CacheStatus? { meta.facts.cacheStatus }

    /// Whether it is from the client's cache: stored, revalidated or stale.
    public var isFromCache: Bool { cacheStatus.map { $0 != .miss } ?? false }

    /// The attempts as a picture in text, a line each: dots are waits, blocks are requests.
    public var timeline: String { meta.timeline }

    /// Reads the body to its end.
    public func data() async throws -> Data {
        var whole = Data()
        for try await piece in body {
            if whole.isEmpty {
                whole = piece
            } else {
                whole.append(piece)
            }
        }
        return whole
    }

    /// Reads the body to its end, as text.
    public func text() async throws -> String {
        try await data().text
    }

    /// Reads the body to its end, and decodes it from JSON.
    ///
    /// - Throws: ``GatewrightError/decode(_:)`` with the `DecodingError` as its ``Failure/cause``.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) async throws -> Value {
        let data = try await data()
        do {
            return try decoder.decode(type, from: data)
        } catch {
            throw meta.undecodable(error)
        }
    }

    /// Ends the request without reading on. Whoever reads gets a ``GatewrightError/closed(_:)``.
    public func cancel() {
        body.incoming.cancel()
    }
}

extension StreamResponse: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Status, method and time. The URL is left out: what a program put into its query is not for every log.
    public var description: String {
        "StreamResponse(\(status) \(method), \(elapsed))"
    }

    /// The same as the description.
    public var debugDescription: String { description }

    /// Status, method, id and time, without URL, headers and body.
    public var customMirror: Mirror {
        Mirror(self, children: ["status": status, "method": method, "requestID": requestID as Any, "elapsed": elapsed])
    }
}
