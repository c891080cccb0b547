import Foundation

/// How long a stream of JSON lines may be silent, how long its lines may be, and what else may be said of its request. What is `nil` is as the
/// client has it.
public struct JSONLinesOptions: Sendable, Hashable {
    /// The longest line in bytes; a longer one is a ``GatewrightError/protocol(_:)``. Default 16 MiB.
    public var maxLineBytes: Int?
    /// How long nothing may come, not even a blank line, before the connection counts as broken. Default 60 s.
    public var idleTimeout: Timeout?
    /// From the start of the call to its response head; the stream itself may last for ever.
    public var timeout: Timeout?
    /// From sending an attempt to its response head.
    public var attemptTimeout: Timeout?
    /// Attempts in all, until the head is there.
    public var maxAttempts: Int?
    /// The trace that the call belongs to.
    public var traceContext: TraceContext?
    /// The path with names in place of its variable parts, such as `/contacts/{id}`, for ``Configuration/observer``. It is not sent.
    public var urlTemplate: String?

    /// Options of a stream of JSON lines; what is left out has its default.
    public init(
        maxLineBytes: Int? = nil,
        idleTimeout: Timeout? = nil,
        timeout: Timeout? = nil,
        attemptTimeout: Timeout? = nil,
        maxAttempts: Int? = nil,
        traceContext: TraceContext? = nil,
        urlTemplate: String? = nil
    ) {
        self.maxLineBytes = maxLineBytes
        self.idleTimeout = idleTimeout
        self.timeout = timeout
        self.attemptTimeout = attemptTimeout
        self.maxAttempts = maxAttempts
        self.traceContext = traceContext
        self.urlTemplate = urlTemplate
    }
}

/// The values of a stream of JSON lines (`application/jsonl`, `application/x-ndjson`), as they come in; see
/// ``Client/jsonLines(_:as:method:body:query:headers:options:)``.
///
/// A stream that breaks off throws: what came of an unfinished line is no value. Leaving the loop closes the connection; each loop begins anew.
/// When the task is cancelled, the loop throws `CancellationError`.
public struct JSONLines<Element: Sendable>: AsyncSequence, Sendable {
    let request: LinesRequest
    let decode: @Sendable (_ batch: Data, _ decoder: JSONDecoder) throws -> [Result<Element, any Error>]

    /// Gives the values, one after the other.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let request: LinesRequest
        let decode: @Sendable (_ batch: Data, _ decoder: JSONDecoder) throws -> [Result<Element, any Error>]
        let list: List
        var values: [Result<Element, any Error>].Iterator = [].makeIterator()
        var count = 0

        /// The next value, `nil` at the end. After an error about one line, the next one can be asked for.
        ///
        /// - Throws: `GatewrightError`, of the kind ``GatewrightError/decode(_:)`` for a line that is no JSON, or JSON of another shape;
        ///   `CancellationError` where the task was cancelled.
        public mutating func next() async throws -> Element? {
            while true {
                if let value = values.next() {
                    count += 1
                    return try value.mapError { LinesRequest.undecodable($0, at: count) }.get()
                }
                guard let batch = try await request.batch(of: list) else { return nil }
                do {
                    values = try decode(batch, request.client.decoder).makeIterator()
                } catch {
                    throw LinesRequest.undecodable(error, at: count + 1)
                }
            }
        }
    }

    /// Begins to listen.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(request: request, decode: decode, list: request.walk())
    }
}

extension JSONLines: CustomStringConvertible, CustomReflectable {
    /// The type's name.
    public var description: String { "JSONLines<\(Element.self)>" }

    /// Nothing beside the description.
    public var customMirror: Mirror {
        Mirror(self, children: [])
    }
}
